//! Images in bulk: their manifests, a hundred at a time, and their end.

use std::collections::HashMap;

use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::operation::describe_images::builders::DescribeImagesFluentBuilder;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageIdentifier, ImageStatusFilter};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::EcrClient;
use super::lifecycle::image;
use crate::execute::ports::{Failure, ServiceError};
use crate::inventory::{Batch, entries};
use crate::lifecycle::{Image, ImageState};
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
        let call = self.describe_images(name).max_results(PAGE);
        let doing = format!("describe the images of `{name}`");
        let mut token: Option<String> = None;
        loop {
            let page = self.ask(&doing, async |_| call.clone().set_next_token(token.clone()).send().await).await;
            let page = page.map_err(|error| self.failed(&doing, Some(name), &error))?;
            token = page.next_token().map(str::to_owned);
            // What the SDK read is gone before the next page comes.
            let images = page.image_details().iter().filter_map(image).collect();
            drop(page);
            take(images).await?;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// All images of a repository, those in the archive too, and what its indexes list.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering; an index whose manifest it does not give.
    pub async fn images(&self, name: &RepositoryName) -> Result<Vec<Image>, ServiceError> {
        let mut all: Vec<Image> = Vec::new();
        self.image_pages::<ServiceError>(name, &mut async |mut images| {
            // The manifests of what is archived cannot be had.
            let mut indexes: HashMap<String, &mut Image> = images
                .iter_mut()
                .filter(|image| image.is_index() && image.state == ImageState::Active)
                .map(|image| (image.digest.clone(), image))
                .collect();
            let digests: Vec<String> = indexes.keys().cloned().collect();
            for fetched in self.manifests(name, &digests).await? {
                if let (Some(index), Some(listed)) = (indexes.remove(&fetched.digest), entries(&fetched.manifest)) {
                    index.children = listed.into_iter().map(|entry| entry.digest).collect();
                }
            }
            // Without its children a simulation would delete what ECR protects.
            if let Some(missing) = indexes.keys().next() {
                let cause = format!("ECR did not give the manifest of {missing}");
                let doing = format!("read the indexes of `{name}`");
                return Err(ServiceError { failure: Failure::Unexpected, doing, cause });
            }
            all.append(&mut images);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The image of a tag or a digest, if there is one.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn image(&self, name: &RepositoryName, id: &str) -> Result<Option<Image>, ServiceError> {
        let identifier = match id.contains(':') {
            true => ImageIdentifier::builder().image_digest(id).build(),
            false => ImageIdentifier::builder().image_tag(id).build(),
        };
        let call = self.describe_images(name).image_ids(identifier);
        let doing = format!("describe `{id}` of `{name}`");
        match self.ask(&doing, async |_| call.clone().send().await).await {
            Ok(answer) => Ok(answer.image_details().first().and_then(image)),
            Err(error) if error.as_service_error().is_some_and(DescribeImagesError::is_image_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(self.failed(doing, Some(name), &error)),
        }
    }

    /// Those in the archive too.
    fn describe_images(&self, name: &RepositoryName) -> DescribeImagesFluentBuilder {
        let filter = DescribeImagesFilter::builder().image_status(ImageStatusFilter::Any).build();
        let call = self.sdk.describe_images().set_registry_id(self.registry_id()).repository_name(name.as_str());
        call.filter(filter)
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
        let call = call.set_accepted_media_types(Some(MEDIA_TYPES.map(str::to_owned).to_vec()));
        let doing = format!("read the manifests of `{name}`");
        let answer = self.ask(&doing, async |_| call.clone().send().await).await;
        let answer = answer.map_err(|error| self.failed(doing, Some(name), &error))?;
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
        let call = call.set_image_ids(Some(ids));
        let doing = format!("remove images of `{name}`");
        let answer = self.ask(&doing, async |_| call.clone().send().await).await;
        let answer = answer.map_err(|error| self.failed(doing, Some(name), &error))?;
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
        let doing = "list the repositories";
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.ask(doing, async |_| call.clone().set_next_token(token.clone()).send().await).await;
            let page = page.map_err(|error| self.failed(doing, None, &error))?;
            names.extend(page.repositories().iter().filter_map(|one| one.repository_name()?.parse().ok()));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
