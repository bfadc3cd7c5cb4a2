//! What a manifest says, as far as the registry has to know. Sources: OCI image specification 1.1 (manifest,
//! index); Docker "Image Manifest Version 2, Schema 2".

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::names::Digest;

/// The media type of an OCI index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// The largest manifest in bytes. Source: ECR API model, `ImageManifest`.
pub const MAX_LENGTH: usize = 4 * 1024 * 1024;

/// A manifest or index that was read and makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What it is stored and served as.
    pub media_type: String,
    /// What kind of artifact it is: its own word for it, else the media type of its configuration.
    pub artifact_type: Option<String>,
    /// The configuration and the layers that must be in the repository, each once.
    pub blobs: Vec<Digest>,
    /// The sum of their sizes in bytes, as the manifest gives them.
    pub size: u64,
    /// The manifests that an index lists.
    pub children: Vec<Digest>,
    /// The image that this one is about.
    pub subject: Option<Digest>,
    /// Its annotations, which the list of referrers repeats.
    pub annotations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
}

impl Descriptor {
    /// Layers that may not be passed on stay where they came from.
    fn is_elsewhere(&self) -> bool {
        self.media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }
}

impl Manifest {
    /// Reads a manifest; the sender may have said what it is.
    ///
    /// # Errors
    /// In words for the user, if it is no manifest that the registry takes.
    pub fn read(bytes: &[u8], declared: Option<&str>) -> Result<Self, String> {
        if bytes.len() > MAX_LENGTH {
            return Err(format!("the manifest has {} bytes, at most {MAX_LENGTH} are allowed", bytes.len()));
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| format!("the manifest is invalid: {error}"))?;
        if wire.schema_version != 2 {
            return Err(format!("manifests of schema version {} are not supported", wire.schema_version));
        }
        let media_type = match (wire.media_type.as_deref(), declared) {
            (Some(own), Some(declared)) if own != declared => {
                return Err(format!("the manifest says that it is '{own}', the request says '{declared}'"));
            }
            (Some(one), _) | (None, Some(one)) => one.to_owned(),
            (None, None) => return Err("the manifest has no mediaType and the request names none either".into()),
        };
        let index = match media_type.as_str() {
            OCI_INDEX | DOCKER_LIST => true,
            OCI_MANIFEST | DOCKER_MANIFEST => false,
            other => return Err(format!("the manifest media type '{other}' is not supported")),
        };
        let (config, layers, children) = match (index, wire.config, wire.layers, wire.manifests) {
            (true, None, None, Some(children)) => (None, Vec::new(), children),
            (false, Some(config), Some(layers), None) => (Some(config), layers, Vec::new()),
            _ => return Err(format!("the manifest does not have the members of '{media_type}'")),
        };
        let artifact_type = wire.artifact_type.or_else(|| config.as_ref().map(|config| config.media_type.clone()));
        let here = || config.iter().chain(&layers).filter(|blob| !blob.is_elsewhere());
        let mut blobs: Vec<Digest> = here().map(|blob| blob.digest.clone()).collect();
        blobs.sort_unstable();
        blobs.dedup();
        Ok(Manifest {
            media_type,
            artifact_type,
            size: here().map(|blob| blob.size).fold(0, u64::saturating_add),
            blobs,
            children: children.into_iter().map(|child| child.digest).collect(),
            subject: wire.subject.map(|subject| subject.digest),
            annotations: wire.annotations,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn descriptor(text: &str, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()), "size": text.len() })
    }

    fn read(value: &Value, declared: Option<&str>) -> Result<Manifest, String> {
        Manifest::read(value.to_string().as_bytes(), declared)
    }

    #[test]
    fn an_image_with_a_layer_that_stays_elsewhere() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        let manifest = read(
            &json!({
                "schemaVersion": 2,
                "config": descriptor("config", "application/vnd.oci.image.config.v1+json"),
                "layers": [descriptor("layer", "x"), descriptor("layer", "x"), descriptor("windows", foreign)],
            }),
            Some(OCI_MANIFEST),
        )
        .unwrap();
        assert_eq!(manifest.media_type, OCI_MANIFEST);
        assert_eq!(manifest.artifact_type.as_deref(), Some("application/vnd.oci.image.config.v1+json"));
        assert_eq!(manifest.blobs.len(), 2);
        assert!(!manifest.blobs.contains(&Digest::of(b"windows")));
        assert_eq!(manifest.size, 6 + 5 + 5);
    }

    #[test]
    fn an_index() {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor("a", OCI_MANIFEST)] });
        assert_eq!(read(&index, None).unwrap().children, [Digest::of(b"a")]);
    }

    #[test]
    fn what_is_refused() {
        let config = descriptor("config", "c");
        for (manifest, declared, why) in [
            (json!([]), Some(OCI_MANIFEST), "invalid"),
            (json!({ "schemaVersion": 1 }), Some(OCI_MANIFEST), "schema version 1"),
            (json!({ "schemaVersion": 2, "manifests": [] }), None, "no mediaType"),
            (json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }), Some(DOCKER_LIST), "request says"),
            (json!({ "schemaVersion": 2, "manifests": [] }), Some("text/plain"), "'text/plain' is not supported"),
            (json!({ "schemaVersion": 2, "config": config, "layers": [] }), Some(OCI_INDEX), "members"),
            (json!({ "schemaVersion": 2, "layers": [] }), Some(OCI_MANIFEST), "members"),
            (
                json!({ "schemaVersion": 2, "manifests": [{ "digest": "sha512:00", "size": 1 }] }),
                Some(OCI_INDEX),
                "sha512:00",
            ),
        ] {
            let problem = read(&manifest, declared).unwrap_err();
            assert!(problem.contains(why), "{problem}");
        }
    }
}
