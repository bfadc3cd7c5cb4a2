//! A look at the registry: what exists, and what the tags of this run name now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::effects::ecr::EcrClient;
use crate::effects::registry::RegistryClient;
use crate::execute::ports::{Ecr, ServiceError};
use crate::facts::{ContentFacts, RepositoryFacts, StoredImage};
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName, Tag};
use crate::pipeline::Pipeline;
use crate::plan::labels;
use crate::plan::tags::DerivedTags;

/// How many repositories are looked into at once.
const CONCURRENCY: usize = 20;

/// The way to one registry.
pub(crate) struct Lookout<'a> {
    pub(crate) host: &'a RegistryHost,
    pub(crate) ecr: &'a EcrClient,
    pub(crate) registry: &'a RegistryClient,
}

/// What is to be looked up in one repository.
struct Wanted<'a> {
    staging: Option<&'a Tag>,
    release: Vec<&'a Tag>,
}

impl Lookout<'_> {
    /// The repositories of the pipeline that exist, with the images that its tags name.
    pub(crate) async fn repositories(
        &self,
        pipeline: &Pipeline,
        tags: &[DerivedTags],
        contents: &[ContentFacts],
    ) -> Result<BTreeMap<RepositoryName, RepositoryFacts>, ServiceError> {
        let images = pipeline.images.iter().zip(tags).zip(contents);
        let wanted: BTreeMap<&RepositoryName, Wanted<'_>> = images
            .map(|((image, derived), content)| {
                let staging = content.key.as_ref().ok().map(|key| &key.tag);
                let release = derived.tags.iter().map(|planned| &planned.tag).collect();
                (&image.repository.name, Wanted { staging, release })
            })
            .collect();
        let names: BTreeSet<RepositoryName> = wanted.keys().map(|name| (*name).clone()).collect();
        let found = self.ecr.look_at_repositories(&names).await?;
        stream::iter(found)
            .map(|(name, mut repository)| {
                let wanted = wanted.get(&name);
                async move {
                    if let Some(wanted) = wanted {
                        repository.taken = self.taken(&repository, wanted).await?;
                    }
                    Ok((name, repository))
                }
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn taken(
        &self,
        repository: &RepositoryFacts,
        wanted: &Wanted<'_>,
    ) -> Result<BTreeMap<Tag, StoredImage>, ServiceError> {
        let tags: Vec<Tag> = wanted.staging.iter().chain(&wanted.release).map(|tag| (*tag).clone()).collect();
        let digests = self.ecr.look_up_tags(&repository.name, &tags).await?;
        let staged = wanted.staging.and_then(|tag| digests.get(tag)).cloned();
        let mut taken = BTreeMap::new();
        for (tag, digest) in digests {
            let mut image = StoredImage::new(digest);
            if wanted.staging == Some(&tag) {
                image.pushed_at = self.ecr.pushed_at(&repository.name, &tag).await?;
            } else if repository.is_frozen(&tag) && staged.as_ref() != Some(&image.digest) {
                self.read_labels(&repository.name, &mut image).await?;
            }
            taken.insert(tag, image);
        }
        Ok(taken)
    }

    async fn read_labels(&self, repository: &RepositoryName, image: &mut StoredImage) -> Result<(), ServiceError> {
        let labels = self.labels(repository, &image.digest).await?;
        image.revision = labels.get(labels::REVISION).cloned();
        image.content_key = labels.get(labels::CONTENT_KEY).cloned();
        Ok(())
    }

    /// The labels of an image; none if they cannot be read, which only means that it is not recognised as ours.
    async fn labels(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BTreeMap<String, String>, ServiceError> {
        let credential = self.ecr.credential().await?;
        let image = ImageRef::digested(self.host, repository, digest);
        Ok(self.registry.labels(&image, &credential).await.unwrap_or_default())
    }
}
