use std::fmt;

use super::{Digest, RegistryHost, RepositoryName, Tag};

/// One image in one repository of one registry, by tag or by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Where the repository is.
    pub host: RegistryHost,
    /// The repository.
    pub repository: RepositoryName,
    /// Which of its images.
    pub reference: Reference,
}

/// What follows the repository's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// `:tag`
    Tag(Tag),
    /// `@sha256:…`
    Digest(Digest),
}

impl ImageRef {
    /// The image that carries this tag.
    pub fn tagged(host: &RegistryHost, repository: &RepositoryName, tag: &Tag) -> Self {
        ImageRef { host: host.clone(), repository: repository.clone(), reference: Reference::Tag(tag.clone()) }
    }

    /// The image with this digest.
    pub fn digested(host: &RegistryHost, repository: &RepositoryName, digest: &Digest) -> Self {
        ImageRef { host: host.clone(), repository: repository.clone(), reference: Reference::Digest(digest.clone()) }
    }

    /// `host/repository`, the form that the Docker daemon calls the image's name.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl Reference {
    /// The tag or the digest, without the sign before it.
    pub fn as_str(&self) -> &str {
        match self {
            Reference::Tag(tag) => tag.as_str(),
            Reference::Digest(digest) => digest.as_str(),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.reference {
            Reference::Tag(_) => ':',
            Reference::Digest(_) => '@',
        };
        write!(f, "{}/{}{sign}{}", self.host, self.repository, self.reference.as_str())
    }
}

impl serde::Serialize for ImageRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
