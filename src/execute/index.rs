//! One index from an image for each platform.

use serde_json::{Value, json};

use super::ports::{Failure, Manifest, ServiceError};
use crate::names::{Digest, Platform};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The index of these images, in this order; the same images always give the same bytes.
///
/// A builder that makes attestations hands out an index for a single platform; what that holds goes into this one as
/// it is, so that attestations stay beside their images. Docker's own media types and OCI's are not mixed. Source: OCI
/// image specification v1.1, "Image Index"; BuildKit, "Attestation storage".
///
/// # Errors
/// If a manifest cannot be read.
pub(super) fn index(parts: &[(Platform, Manifest)]) -> Result<Manifest, ServiceError> {
    let mut entries = Vec::new();
    for (platform, manifest) in parts {
        let document: Value = serde_json::from_slice(&manifest.bytes).map_err(|error| ServiceError {
            failure: Failure::Unexpected,
            doing: format!("read the manifest of {} for {platform}", manifest.digest.short()),
            cause: error.to_string(),
        })?;
        match document.get("manifests").and_then(Value::as_array) {
            Some(several) => entries.extend(several.iter().cloned()),
            None => entries.push(json!({
                "mediaType": media_type(manifest, &document),
                "digest": manifest.digest,
                "size": manifest.bytes.len(),
                "platform": described(platform),
            })),
        }
    }
    let is_docker = |entry: &Value| entry.get("mediaType").and_then(Value::as_str) == Some(DOCKER_IMAGE);
    let media_type = if entries.iter().any(is_docker) { DOCKER_LIST } else { OCI_INDEX };
    let bytes = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries }).to_string().into_bytes();
    Ok(Manifest { digest: Digest::of(&bytes), media_type: media_type.to_owned(), bytes })
}

/// Of the document itself, if it says so; a registry's word for it may have been changed on the way.
fn media_type(manifest: &Manifest, document: &Value) -> String {
    document.get("mediaType").and_then(Value::as_str).unwrap_or(&manifest.media_type).to_owned()
}

fn described(platform: &Platform) -> Value {
    match platform.split() {
        (os, architecture, "") => json!({ "architecture": architecture, "os": os }),
        (os, architecture, variant) => json!({ "architecture": architecture, "os": os, "variant": variant }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(document: &Value) -> Manifest {
        let bytes = document.to_string().into_bytes();
        Manifest { digest: Digest::of(&bytes), media_type: "application/vnd.oci.image.manifest.v1+json".into(), bytes }
    }

    fn read(manifest: &Manifest) -> Value {
        serde_json::from_slice(&manifest.bytes).unwrap()
    }

    #[test]
    fn every_platform_stands_in_it_with_its_size() {
        let (amd, arm) = (manifest(&json!({ "layers": [] })), manifest(&json!({ "layers": [1] })));
        let made =
            index(&[("linux/amd64".parse().unwrap(), amd.clone()), ("linux/arm/v7".parse().unwrap(), arm.clone())])
                .unwrap();
        let document = read(&made);
        assert_eq!((document["mediaType"].as_str(), made.media_type.as_str()), (Some(OCI_INDEX), OCI_INDEX));
        let expected = json!({ "mediaType": amd.media_type, "digest": amd.digest, "size": amd.bytes.len(),
            "platform": { "architecture": "amd64", "os": "linux" } });
        assert_eq!(document["manifests"][0], expected);
        assert_eq!(
            document["manifests"][1]["platform"],
            json!({ "architecture": "arm", "os": "linux", "variant": "v7" })
        );
    }

    #[test]
    fn attestations_stay_beside_their_image() {
        let image = json!({ "digest": Digest::of(b"image"), "platform": { "os": "linux", "architecture": "arm64" } });
        let attested = json!({ "digest": Digest::of(b"attestation"), "annotations": { "vnd.docker.reference.type": "attestation-manifest" } });
        let arm = manifest(&json!({ "manifests": [image, attested] }));
        let amd = manifest(&json!({ "layers": [] }));
        let made = index(&[("linux/arm64".parse().unwrap(), arm), ("linux/amd64".parse().unwrap(), amd)]).unwrap();
        let document = read(&made);
        assert_eq!(document["manifests"].as_array().unwrap().len(), 3);
        assert_eq!(document["manifests"][1], attested);
    }

    #[test]
    fn dockers_images_make_dockers_list() {
        let old = manifest(&json!({ "mediaType": DOCKER_IMAGE, "layers": [] }));
        assert_eq!(index(&[("linux/amd64".parse().unwrap(), old)]).unwrap().media_type, DOCKER_LIST);
        let broken = Manifest { digest: Digest::of(b""), media_type: String::new(), bytes: Vec::new() };
        assert!(index(&[("linux/amd64".parse().unwrap(), broken)]).is_err());
    }
}
