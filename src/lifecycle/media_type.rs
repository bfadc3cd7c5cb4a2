//! The media types of manifests: few, and the same for thousands of images.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

/// Those that list other images come first. Source: ECR user guide, "Container image manifest format support".
const KNOWN: [&str; 5] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];
const INDEXES: usize = 2;

/// A manifest's media type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// As ECR names it.
    pub fn of(text: &str) -> Self {
        let known = KNOWN.iter().find(|known| **known == text);
        MediaType(known.map_or_else(|| Cow::Owned(text.to_owned()), |known| Cow::Borrowed(*known)))
    }

    /// Whether such a manifest lists others.
    pub fn is_index(&self) -> bool {
        KNOWN[..INDEXES].contains(&self.0.as_ref())
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(MediaType::of(&String::deserialize(deserializer)?))
    }
}
