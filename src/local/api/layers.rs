//! Layers through the control plane: availability, download links, and uploads in parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::local::api::input::{Target, check_batch};
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::registry;
use crate::names::Digest;

/// What InitiateLayerUpload advises, in bytes. Source: ECR user guide, "Service quotas".
const PART_SIZE: u64 = 10 * 1024 * 1024;
/// The largest part, in bytes. Source: ECR API model, `LayerPartBlob`.
const MAX_PART_SIZE: usize = 20 * 1024 * 1024;
/// Of all parts but the last, in bytes. Source: ECR user guide, "Service quotas".
const MIN_PART_SIZE: u64 = 5 * 1024 * 1024;
/// The model has one media type for all layers; what a layer really is stands in the manifest only.
const LAYER_MEDIA_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The input of BatchCheckLayerAvailability.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    #[serde(flatten)]
    target: Target,
    layer_digests: Vec<String>,
}

/// Which of these layers the repository holds. One that it does not is UNAVAILABLE, which is no failure.
pub fn check(ecr: &Ecr, input: Check) -> Result<Value, Refusal> {
    check_batch("layerDigests", &input.layer_digests)?;
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for text in &input.layer_digests {
        let Ok(digest) = text.parse::<Digest>() else {
            failures.push(json!({
                "layerDigest": text,
                "failureCode": "InvalidLayerDigest",
                "failureReason": format!("Invalid layer digest: {text}"),
            }));
            continue;
        };
        layers.push(match contents.index.layer(&digest) {
            Some(size) => json!({
                "layerDigest": digest,
                "layerAvailability": "AVAILABLE",
                "layerSize": size,
                "mediaType": LAYER_MEDIA_TYPE,
            }),
            None => json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }),
        });
    }
    Ok(json!({ "layers": layers, "failures": failures }))
}

/// The input of GetDownloadUrlForLayer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    #[serde(flatten)]
    target: Target,
    layer_digest: String,
}

/// A link that needs no credentials, to a layer that an image needs.
pub fn link(ecr: &Ecr, input: Link) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let digest = layer_digest(&input.layer_digest)?;
    let contents = repository.lock();
    if contents.index.layer(&digest).is_none() {
        return Err(repository.named.layer_missing(&digest));
    }
    if !contents.index.is_layer_used(&digest) {
        let message =
            format!("The layer with digest '{digest}' is not associated with an image in {}", repository.named);
        return Err(Refusal::new(Kind::LayerInaccessible, message));
    }
    let url = registry::link_to(ecr, &repository.named.name, &digest);
    Ok(json!({ "downloadUrl": url, "layerDigest": digest }))
}

/// The input of InitiateLayerUpload.
#[derive(Debug, Deserialize)]
pub struct Begin {
    #[serde(flatten)]
    target: Target,
}

/// Begins an upload.
pub fn begin(ecr: &Ecr, input: Begin) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let id = ecr.tokens.uuid()?;
    Handle::current().block_on(ecr.store.uploads.begin(id.clone(), repository.named.name.clone()))?;
    Ok(json!({ "uploadId": id, "partSize": PART_SIZE }))
}

/// The input of UploadLayerPart.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    #[serde(flatten)]
    target: Target,
    upload_id: String,
    part_first_byte: u64,
    part_last_byte: u64,
    layer_part_blob: String,
}

/// Takes in the part that comes next.
pub fn upload_part(ecr: &Ecr, input: Part) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let named = &repository.named;
    let upload = ecr.store.uploads.find(&input.upload_id, &named.name);
    let upload = upload.ok_or_else(|| named.upload_missing(&input.upload_id))?;
    let part = STANDARD
        .decode(&input.layer_part_blob)
        .map_err(|_| Refusal::new(Kind::Serialization, "layerPartBlob is not base64"))?;
    if part.len() > MAX_PART_SIZE {
        let rule = format_args!("Member must have length less than or equal to {MAX_PART_SIZE}");
        return Err(Refusal::parameter("layerPartBlob", rule));
    }
    let mut upload = upload.blocking_lock();
    let length = part.len() as u64;
    let fits = input.part_first_byte == upload.length()
        && length > 0
        && input.part_last_byte.checked_sub(input.part_first_byte) == Some(length - 1);
    if !fits {
        return Err(out_of_order(named, &input.upload_id, upload.length()));
    }
    Handle::current().block_on(upload.write(&part))?;
    upload.end_part();
    Ok(json!({
        "registryId": named.registry_id,
        "repositoryName": named.name,
        "uploadId": input.upload_id,
        "lastByteReceived": input.part_last_byte,
    }))
}

/// The input of CompleteLayerUpload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete {
    #[serde(flatten)]
    target: Target,
    upload_id: String,
    layer_digests: Vec<String>,
}

/// Makes the parts a layer.
pub fn complete(ecr: &Ecr, input: Complete) -> Result<Value, Refusal> {
    check_batch("layerDigests", &input.layer_digests)?;
    let repository = input.target.repository(ecr)?;
    let named = &repository.named;
    let upload = ecr.store.uploads.find(&input.upload_id, &named.name);
    let upload = upload.ok_or_else(|| named.upload_missing(&input.upload_id))?;
    let mut upload = upload.blocking_lock();
    if upload.length() == 0 {
        return Err(Refusal::new(Kind::EmptyUpload, "The layer upload does not contain any layer parts"));
    }
    if upload.parts().shortest_inner.is_some_and(|part| part < MIN_PART_SIZE) {
        return Err(Refusal::new(Kind::LayerPartTooSmall, "Layer parts must be at least 5 MiB in size"));
    }
    let (path, digest) = Handle::current().block_on(upload.finish())?;
    if !input.layer_digests.iter().any(|expected| expected == digest.as_str()) {
        return Err(registry::wrong_digest());
    }
    let is_new = repository.add_layer(&path, &digest, upload.length())?;
    ecr.store.uploads.forget(&input.upload_id);
    if !is_new {
        let message = format!("Layer with digest '{digest}' already exists in {named}");
        return Err(Refusal::new(Kind::LayerAlreadyExists, message));
    }
    Ok(json!({
        "registryId": named.registry_id,
        "repositoryName": named.name,
        "uploadId": input.upload_id,
        "layerDigest": digest,
    }))
}

fn layer_digest(text: &str) -> Result<Digest, Refusal> {
    let rule = "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
    text.parse().map_err(|_| Refusal::parameter("layerDigest", rule))
}

/// The model gives this answer more members than any other error.
fn out_of_order(named: &Named, id: &str, received: u64) -> Refusal {
    let message = "The layer part does not follow on the last one, or its bytes are not as many as it says";
    Refusal::new(Kind::InvalidLayerPart, message)
        .with("registryId", named.registry_id.as_str())
        .with("repositoryName", named.name.as_str())
        .with("uploadId", id)
        .with("lastValidByteReceived", received.saturating_sub(1))
}
