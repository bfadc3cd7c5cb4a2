//! Paths of the registry protocol. A repository's name may hold slashes, and words such as `blobs` and `manifests`
//! too, so a path is read from its end. Source: OCI distribution specification 1.1, "Endpoints".

use crate::names::{Digest, Reference, RepositoryName};

/// What a path names.
#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    /// `/v2/`
    Base,
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload(RepositoryName, String),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
}

/// Why a path names nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Astray {
    /// There is no such endpoint.
    Endpoint,
    /// The repository's name is none.
    Name(String),
    /// The digest is none.
    Digest(String),
    /// The tag is none.
    Tag(String),
}

impl Route {
    /// Reads the path of a request.
    pub fn parse(path: &str) -> Result<Self, Astray> {
        // A colon is the one legal character here that clients are known to escape.
        let path = path.replace("%3A", ":").replace("%3a", ":");
        let rest = path.strip_prefix("/v2").ok_or(Astray::Endpoint)?;
        if matches!(rest, "" | "/") {
            return Ok(Route::Base);
        }
        let rest = rest.strip_prefix('/').ok_or(Astray::Endpoint)?;
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Route::Tags(repository(name)?));
        }
        let uploads = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads"));
        if let Some(name) = uploads {
            return Ok(Route::Uploads(repository(name)?));
        }
        let (rest, last) = rest.rsplit_once('/').ok_or(Astray::Endpoint)?;
        if let Some(name) = rest.strip_suffix("/blobs/uploads") {
            Ok(Route::Upload(repository(name)?, last.to_owned()))
        } else if let Some(name) = rest.strip_suffix("/blobs") {
            Ok(Route::Blob(repository(name)?, digest(last)?))
        } else if let Some(name) = rest.strip_suffix("/manifests") {
            Ok(Route::Manifest(repository(name)?, reference(last)?))
        } else if let Some(name) = rest.strip_suffix("/referrers") {
            Ok(Route::Referrers(repository(name)?, digest(last)?))
        } else {
            Err(Astray::Endpoint)
        }
    }
}

fn repository(text: &str) -> Result<RepositoryName, Astray> {
    text.parse().map_err(|_| Astray::Name(text.to_owned()))
}

fn digest(text: &str) -> Result<Digest, Astray> {
    text.parse().map_err(|_| Astray::Digest(text.to_owned()))
}

/// No tag has a colon, and every digest has one.
fn reference(text: &str) -> Result<Reference, Astray> {
    if text.contains(':') {
        return digest(text).map(Reference::Digest);
    }
    text.parse().map(Reference::Tag).map_err(|_| Astray::Tag(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn every_endpoint() {
        let digest = Digest::of(b"");
        for (path, route) in [
            ("/v2".to_owned(), Route::Base),
            ("/v2/".to_owned(), Route::Base),
            (format!("/v2/a/b/blobs/{digest}"), Route::Blob(name("a/b"), digest.clone())),
            (format!("/v2/web/blobs/sha256%3A{}", digest.hex()), Route::Blob(name("web"), digest.clone())),
            ("/v2/web/blobs/uploads/".to_owned(), Route::Uploads(name("web"))),
            ("/v2/web/blobs/uploads".to_owned(), Route::Uploads(name("web"))),
            ("/v2/web/blobs/uploads/id".to_owned(), Route::Upload(name("web"), "id".to_owned())),
            ("/v2/web/manifests/1.0".to_owned(), Route::Manifest(name("web"), Reference::Tag("1.0".parse().unwrap()))),
            (format!("/v2/web/manifests/{digest}"), Route::Manifest(name("web"), Reference::Digest(digest.clone()))),
            ("/v2/a/b/c/tags/list".to_owned(), Route::Tags(name("a/b/c"))),
            (format!("/v2/web/referrers/{digest}"), Route::Referrers(name("web"), digest)),
        ] {
            assert_eq!(Route::parse(&path), Ok(route), "{path}");
        }
    }

    #[test]
    fn names_that_look_like_endpoints() {
        let tag = |text: &str| Reference::Tag(text.parse().unwrap());
        for (path, route) in [
            ("/v2/a/blobs/uploads/manifests/v1", Route::Manifest(name("a/blobs/uploads"), tag("v1"))),
            ("/v2/manifests/manifests/manifests", Route::Manifest(name("manifests"), tag("manifests"))),
            ("/v2/tags/list/tags/list", Route::Tags(name("tags/list"))),
            ("/v2/a/blobs/blobs/uploads/", Route::Uploads(name("a/blobs"))),
        ] {
            assert_eq!(Route::parse(path), Ok(route), "{path}");
        }
    }

    #[test]
    fn paths_that_lead_nowhere() {
        for (path, why) in [
            ("/v1/", Astray::Endpoint),
            ("/v2x", Astray::Endpoint),
            ("/v2/_catalog", Astray::Endpoint),
            ("/v2/web/other/x", Astray::Endpoint),
            ("/v2/Web/tags/list", Astray::Name("Web".to_owned())),
            ("/v2//manifests/x", Astray::Name(String::new())),
            ("/v2/../manifests/x", Astray::Name("..".to_owned())),
            ("/v2/web/blobs/sha256:..", Astray::Digest("sha256:..".to_owned())),
            ("/v2/web/manifests/md5:00", Astray::Digest("md5:00".to_owned())),
            ("/v2/web/manifests/..", Astray::Tag("..".to_owned())),
        ] {
            assert_eq!(Route::parse(path), Err(why), "{path}");
        }
    }
}
