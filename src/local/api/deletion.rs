//! BatchDeleteImage. By tag it takes the tag off, and the last tag takes the image along; by digest it takes the
//! image with all its tags. Source: ECR API reference, "BatchDeleteImage".

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::{ImageId, Target, Unresolved, check_batch, parse_tag};
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal};
use crate::local::store::Repository;

/// The input of BatchDeleteImage.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchDelete {
    #[serde(flatten)]
    target: Target,
    image_ids: Vec<ImageId>,
}

/// Removes one image or tag after the other, and tells what went and what did not.
pub fn batch_delete(ecr: &Ecr, input: BatchDelete) -> Result<Value, Refusal> {
    check_batch("imageIds", &input.image_ids)?;
    let repository = input.target.repository(ecr)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in &input.image_ids {
        match delete(&repository, id)? {
            Ok(ids) => deleted.extend(ids),
            Err(unresolved) => failures.push(json!({
                "imageId": id,
                "failureCode": unresolved.code,
                "failureReason": unresolved.reason,
            })),
        }
    }
    Ok(json!({ "imageIds": deleted, "failures": failures }))
}

fn delete(repository: &Repository, id: &ImageId) -> Result<Result<Vec<ImageId>, Unresolved>, Refusal> {
    let found = id.resolve(&repository.lock().index).map(|image| image.digest.clone());
    let digest = match found {
        Ok(digest) => digest,
        Err(unresolved) => return Ok(Err(unresolved)),
    };
    let removed = match &id.image_tag {
        Some(tag) => {
            let tag = parse_tag(tag)?;
            repository.remove_tag(&tag).map(|digest| vec![ImageId::of(&digest, Some(&tag))])
        }
        None => repository.remove_image(&digest).map(|tags| {
            let untagged = tags.is_empty().then(|| ImageId::of(&digest, None));
            tags.iter().map(|tag| ImageId::of(&digest, Some(tag))).chain(untagged).collect()
        }),
    };
    match removed {
        Ok(ids) => Ok(Ok(ids)),
        Err(Refusal { kind: Kind::ImageReferencedByManifestList, message, .. }) => {
            Ok(Err(Unresolved { code: "ImageReferencedByManifestList", reason: message }))
        }
        // Somebody else removed it in between.
        Err(Refusal { kind: Kind::ImageNotFound, message, .. }) => {
            Ok(Err(Unresolved { code: "ImageNotFound", reason: message }))
        }
        Err(refusal) => Err(refusal),
    }
}
