//! Manifests in and out: BatchGetImage and PutImage.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::{ImageId, Target, check_batch, parse_tag};
use crate::local::ecr::Ecr;
use crate::local::refusal::Refusal;
use crate::local::store::{MAX_MANIFEST_LENGTH, Put};

/// The input of BatchGetImage. `acceptedMediaTypes` is not looked at: a manifest is given as it was stored, where
/// ECR itself converts between the Docker and the OCI form.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchGet {
    #[serde(flatten)]
    target: Target,
    image_ids: Vec<ImageId>,
}

/// The manifests of the images that are there, and why the others are not.
pub fn batch_get(ecr: &Ecr, input: BatchGet) -> Result<Value, Refusal> {
    check_batch("imageIds", &input.image_ids)?;
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in &input.image_ids {
        match id.resolve(&contents.index) {
            Ok(image) => images.push(json!({
                "registryId": ecr.account,
                "repositoryName": repository.named.name,
                "imageId": ImageId { image_digest: Some(image.digest.to_string()), image_tag: id.image_tag.clone() },
                "imageManifest": text(repository.manifest(&image.digest)?),
                "imageManifestMediaType": image.media_type,
            })),
            Err(unresolved) => failures.push(json!({
                "imageId": id,
                "failureCode": unresolved.code,
                "failureReason": unresolved.reason,
            })),
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

/// The input of PutImage.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutImage {
    #[serde(flatten)]
    target: Target,
    image_manifest: String,
    image_manifest_media_type: Option<String>,
    image_tag: Option<String>,
    image_digest: Option<String>,
}

/// Takes in a manifest, or puts a further tag on one.
pub fn put(ecr: &Ecr, input: PutImage) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let tag = input.image_tag.as_deref().map(parse_tag).transpose()?;
    let manifest = input.image_manifest;
    if manifest.is_empty() || manifest.len() > MAX_MANIFEST_LENGTH {
        let rule = format_args!("Member must have length between 1 and {MAX_MANIFEST_LENGTH}");
        return Err(Refusal::parameter("imageManifest", rule));
    }
    let put = Put {
        bytes: manifest.as_bytes(),
        media_type: input.image_manifest_media_type.as_deref(),
        tag: tag.as_ref(),
        digest: input.image_digest.as_deref(),
    };
    let stored = repository.put_image(&put, ecr.clock.now())?;
    if stored.unchanged {
        return Err(repository.named.image_exists(&stored.digest, tag.as_ref()));
    }
    ecr.pushed(&repository.named.name, &stored.digest, tag.as_ref());
    Ok(json!({ "image": {
        "registryId": ecr.account,
        "repositoryName": repository.named.name,
        "imageId": ImageId::of(&stored.digest, tag.as_ref()),
        "imageManifestMediaType": stored.manifest.media_type,
        "imageManifest": manifest,
    }}))
}

/// JSON is always UTF-8, and manifests are JSON.
fn text(manifest: Vec<u8>) -> String {
    String::from_utf8_lossy(&manifest).into_owned()
}
