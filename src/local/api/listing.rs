//! What a repository holds: ListImages and DescribeImages.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::{ImageId, Target, check_batch};
use crate::local::api::paging::Paging;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::store::{Image, Index};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    tag_status: TagStatus,
    image_status: ImageStatus,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TagStatus {
    Tagged,
    Untagged,
    #[default]
    Any,
}

/// Nothing is ever archived here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ImageStatus {
    #[default]
    Active,
    Archived,
    Activating,
    Any,
}

impl Filter {
    fn admits(&self, image: &Image) -> bool {
        let tags = match self.tag_status {
            TagStatus::Tagged => !image.tags.is_empty(),
            TagStatus::Untagged => image.tags.is_empty(),
            TagStatus::Any => true,
        };
        tags && matches!(self.image_status, ImageStatus::Active | ImageStatus::Any)
    }
}

/// The input of ListImages.
#[derive(Debug, Deserialize)]
pub struct List {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    paging: Paging,
    #[serde(default)]
    filter: Filter,
}

/// Every pair of digest and tag; an untagged image stands for itself.
pub fn list(ecr: &Ecr, input: List) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let start = input.paging.start()?;
    let images = contents.index.images_from(start.as_ref()).filter(|image| input.filter.admits(image));
    let ids = images.flat_map(|image| {
        let untagged = image.tags.is_empty().then_some(None);
        let tags = image.tags.iter().map(Some).chain(untagged);
        tags.map(|tag| {
            let key = tag.map_or_else(|| image.digest.to_string(), |tag| format!("{} {tag}", image.digest));
            (key, ImageId::of(&image.digest, tag))
        })
    });
    Ok(input.paging.page(ids)?.into_output("imageIds"))
}

/// The input of DescribeImages.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    paging: Paging,
    image_ids: Option<Vec<ImageId>>,
    #[serde(default)]
    filter: Filter,
}

/// Tells of the images that are named, or of all.
pub fn describe(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let index = &contents.index;
    if let Some(ids) = input.image_ids {
        check_batch("imageIds", &ids)?;
        if input.paging.is_given() {
            return Err(Refusal::parameter("imageIds", "cannot be given with maxResults or nextToken"));
        }
        let mut details = Vec::new();
        for id in &ids {
            let image = id.find(index, || not_found(&repository.named, id))?;
            let detail = describe_one(&repository.named, index, image);
            // Two ids may name one image; it is told of once.
            if !details.contains(&detail) {
                details.push(detail);
            }
        }
        return Ok(json!({ "imageDetails": details }));
    }
    let start = input.paging.start()?;
    let images = index.images_from(start.as_ref()).filter(|image| input.filter.admits(image));
    let details = images.map(|image| (image.digest.to_string(), describe_one(&repository.named, index, image)));
    Ok(input.paging.page(details)?.into_output("imageDetails"))
}

fn not_found(named: &Named, id: &ImageId) -> Refusal {
    let message = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within {named}",
        id.image_digest.as_deref().unwrap_or("null"),
        id.image_tag.as_deref().unwrap_or("null"),
    );
    Refusal::new(Kind::ImageNotFound, message)
}

fn describe_one(named: &Named, index: &Index, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": named.registry_id,
        "repositoryName": named.name,
        "imageDigest": image.digest,
        "imageSizeInBytes": index.size(image),
        "imagePushedAt": image.pushed_at.seconds(),
        "imageManifestMediaType": image.media_type,
        "imageStatus": "ACTIVE",
    });
    if !image.tags.is_empty() {
        detail["imageTags"] = json!(image.tags);
    }
    if let Some(artifact_type) = &image.artifact_type {
        detail["artifactMediaType"] = json!(artifact_type);
    }
    if let Some(subject) = &image.subject {
        detail["subjectManifestDigest"] = json!(subject);
    }
    detail
}
