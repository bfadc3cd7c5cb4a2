//! What a manifest is made of.

use serde::Deserialize;

use crate::execute::ports::{Failure, Manifest, ServiceError};
use crate::names::{Digest, ImageRef};

/// A blob that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    /// In bytes.
    pub(super) size: u64,
}

/// What must be in a repository before a manifest can be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// The manifests that an index names.
    pub(super) children: Vec<Digest>,
    /// Layers and configuration.
    pub(super) blobs: Vec<Blob>,
}

/// Source: OCI image specification v1.1, "Image Manifest" and "Image Index"; Docker's schema 2 has the same fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
}

impl Descriptor {
    /// Layers that may not be passed on are not in the registry; their own source has them.
    fn is_elsewhere(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }
}

/// What this manifest is made of.
///
/// # Errors
/// If it is no manifest that an image can have nowadays.
pub(super) fn parts(manifest: &Manifest, image: &ImageRef) -> Result<Parts, ServiceError> {
    let odd = |cause: String| ServiceError {
        failure: Failure::Refused,
        doing: format!("read the manifest of {image}"),
        cause,
    };
    let document: Document = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| odd(format!("it is neither an image nor an index: {error}")))?;
    if document.schema_version != 2 {
        return Err(odd(format!("schema {} is not supported; only 2 is", document.schema_version)));
    }
    let digest = |text: &str| text.parse::<Digest>().map_err(|error| odd(error.to_string()));
    let children = document.manifests.iter().map(|child| digest(&child.digest)).collect::<Result<_, _>>()?;
    let named = document.config.iter().chain(&document.layers).filter(|blob| !blob.is_elsewhere());
    let blobs =
        named.map(|blob| Ok(Blob { digest: digest(&blob.digest)?, size: blob.size })).collect::<Result<_, _>>()?;
    Ok(Parts { children, blobs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(document: &Value) -> Result<Parts, ServiceError> {
        let bytes = document.to_string().into_bytes();
        let manifest = Manifest { digest: Digest::of(&bytes), media_type: String::new(), bytes };
        parts(&manifest, &"r.example/web:1".parse().unwrap())
    }

    fn descriptor(content: &str, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": Digest::of(content.as_bytes()), "size": content.len() })
    }

    #[test]
    fn an_image_and_an_index() {
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        let image = read(&json!({
            "schemaVersion": 2, "config": descriptor("c", ""),
            "layers": [descriptor("one", layer), descriptor("elsewhere", foreign)],
        }));
        let blob = |content: &str| Blob { digest: Digest::of(content.as_bytes()), size: content.len() as u64 };
        assert_eq!(image, Ok(Parts { children: Vec::new(), blobs: vec![blob("c"), blob("one")] }));
        let index = read(&json!({ "schemaVersion": 2, "manifests": [descriptor("amd64", "")] })).unwrap();
        assert_eq!(index, Parts { children: vec![Digest::of(b"amd64")], blobs: Vec::new() });
    }

    #[test]
    fn what_is_none_is_refused() {
        for document in [
            json!({ "schemaVersion": 1, "fsLayers": [] }),
            json!("web"),
            json!({ "schemaVersion": 2, "config": { "digest": "x", "size": 1 } }),
        ] {
            assert_eq!(read(&document).unwrap_err().failure, Failure::Refused, "{document}");
        }
    }
}
