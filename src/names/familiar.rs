//! Image references as people write them.

use std::str::FromStr;

use super::{Digest, ImageRef, InvalidName, Reference, RegistryHost, RepositoryName, Tag};

/// The registry that is meant where none is named.
const DOCKER_HUB: &str = "docker.io";

impl FromStr for ImageRef {
    type Err = InvalidName;

    /// Reads `alpine`, `team/tool:1`, `host:5000/tool@sha256:…`. Without a host Docker Hub is meant, there without a
    /// slash the official images, and without a tag `latest`. With a digest, the tag says nothing.
    ///
    /// Source: the reference grammar of the distribution project, "familiar names".
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.parse::<Tag>()?)),
            _ => (name, None),
        };
        let (host, path) = match path.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            _ => (DOCKER_HUB, path.to_owned()),
        };
        let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
        let path = if host == DOCKER_HUB && !path.contains('/') { format!("library/{path}") } else { path };
        let reference = match (digest, tag) {
            (Some(digest), _) => Reference::Digest(digest),
            (None, Some(tag)) => Reference::Tag(tag),
            (None, None) => Reference::Tag("latest".parse()?),
        };
        Ok(ImageRef { host: host.parse::<RegistryHost>()?, repository: path.parse::<RepositoryName>()?, reference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let whole =
            |text: &str| text.parse::<ImageRef>().map(|image| image.to_string()).map_err(|error| error.to_string());
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, expected) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20"),
            ("team/tool", "docker.io/team/tool:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("index.docker.io/library/alpine", "docker.io/library/alpine:latest"),
            ("localhost/tool:1", "localhost/tool:1"),
            ("127.0.0.1:5000/tool", "127.0.0.1:5000/tool:latest"),
            ("public.ecr.aws/docker/library/node:22", "public.ecr.aws/docker/library/node:22"),
        ] {
            assert_eq!(whole(text).as_deref(), Ok(expected));
        }
        let pinned = format!("docker.io/library/alpine@{digest}");
        assert_eq!(whole(&format!("alpine:3@{digest}")), Ok(pinned.clone()));
        assert_eq!(whole(&format!("alpine@{digest}")), Ok(pinned));
    }

    #[test]
    fn what_is_no_reference() {
        for text in ["", "Alpine", "a b", "alpine:", "alpine@sha256:1", "alpine:a/b:", "host.x/", ":1"] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
