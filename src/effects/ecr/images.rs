//! Images in bulk: their manifests, a hundred at a time, and their end.

use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageStatusFilter};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::EcrClient;
use super::lifecycle::image;
use crate::execute::ports::ServiceError;
use crate::inventory::Batch;
use crate::lifecycle::Image;
use crate::names::RepositoryName;

/// The largest page. Source: ECR API model.
const PAGE: i32 = 1000;
/// The most image ids that one BatchGetImage takes.
const BATCH: usize = 100;
/// How many calls are under way at once.
const CONCURRENCY: usize = 10;

const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// A manifest, by its digest.
pub struct Fetched {
    /// The digest.
    pub digest: String,
    /// Its text.
    pub manifest: String,
}

/// An image that ECR did not remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRemoved {
    /// Its tag or digest.
    pub id: String,
    /// ECR's code and words.
    pub cause: String,
}

impl EcrClient {
    /// Gives all images of a repository, page by page in no order; the children of indexes are not looked up.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering, and whatever `take` says.
    pub async fn image_pages<E>(
        &self,
        name: &RepositoryName,
        take: &mut impl AsyncFnMut(Vec<Image>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<ServiceError>,
    {
        let filter = DescribeImagesFilter::builder().image_status(ImageStatusFilter::Any).build();
        let call = self.sdk.describe_images().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let mut pages = call.filter(filter).max_results(PAGE).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| self.failed(format!("describe the images of `{name}`"), Some(name), &error))?;
            take(page.image_details().iter().filter_map(image as fn(&ImageDetail) -> Option<Image>).collect()).await?;
        }
        Ok(())
    }

    /// The manifests of these images, in no order; of what ECR does not give, such as what is archived, there is none.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn manifests(&self, name: &RepositoryName, digests: &[String]) -> Result<Vec<Fetched>, ServiceError> {
        let batches = stream::iter(digests.chunks(BATCH).map(<[_]>::to_vec));
        let fetched = batches.map(|batch| self.batch(name, batch)).buffer_unordered(CONCURRENCY);
        fetched.try_concat().await
    }

    async fn batch(&self, name: &RepositoryName, digests: Vec<String>) -> Result<Vec<Fetched>, ServiceError> {
        let ids = digests.iter().map(|digest| ImageIdentifier::builder().image_digest(digest).build());
        let call = self.sdk.batch_get_image().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let call = call.set_image_ids(Some(ids.collect()));
        let answer = call
            .set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()))
            .send()
            .await
            .map_err(|error| self.failed(format!("read the manifests of `{name}`"), Some(name), &error))?;
        let found = answer.images.unwrap_or_default().into_iter().filter_map(|image| {
            Some(Fetched { digest: image.image_id?.image_digest?, manifest: image.image_manifest? })
        });
        Ok(found.collect())
    }

    /// Removes a batch of tags or images; what ECR refuses of it is returned.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn remove(&self, name: &RepositoryName, batch: &Batch) -> Result<Vec<NotRemoved>, ServiceError> {
        let ids = match batch {
            Batch::Tags(tags) => {
                tags.iter().map(|tag| ImageIdentifier::builder().image_tag(tag).build()).collect::<Vec<_>>()
            }
            Batch::Images(digests) => {
                digests.iter().map(|digest| ImageIdentifier::builder().image_digest(digest).build()).collect()
            }
        };
        let call = self.sdk.batch_delete_image().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let answer = call
            .set_image_ids(Some(ids))
            .send()
            .await
            .map_err(|error| self.failed(format!("remove images of `{name}`"), Some(name), &error))?;
        let refused = answer.failures().iter().filter(|failure| {
            // Somebody else was quicker, or it went with its last tag.
            failure.failure_code().is_none_or(|code| code.as_str() != "ImageNotFound")
        });
        let told = refused.map(|failure| NotRemoved {
            id: failure
                .image_id()
                .and_then(|id| id.image_tag().or(id.image_digest()))
                .unwrap_or("an image without a name")
                .to_owned(),
            cause: format!(
                "{}: {}",
                failure.failure_code().map_or("no code", |code| code.as_str()),
                failure.failure_reason().unwrap_or("no reason")
            ),
        });
        Ok(told.collect())
    }

    /// The names of all repositories of the registry, sorted.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn repository_names(&self) -> Result<Vec<RepositoryName>, ServiceError> {
        let call = self.sdk.describe_repositories().set_registry_id(self.registry_id()).max_results(PAGE);
        let mut pages = call.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("list the repositories", None, &error))?;
            names.extend(page.repositories().iter().filter_map(|one| one.repository_name()?.parse().ok()));
        }
        names.sort_unstable();
        Ok(names)
    }
}
