//! Looking at repositories, and creating them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageDetail, ImageIdentifier, ImageScanningConfiguration,
    ImageTagMutability, ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Repository,
    Tag as ResourceTag,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use time::OffsetDateTime;

use super::EcrClient;
use crate::execute::ports::{Creation, Failure, ServiceError};
use crate::facts::{EncryptionFacts, RepositoryFacts, RepositorySettings, StoredImage};
use crate::names::{Digest, RepositoryName, Tag};
use crate::pipeline::{Encryption, Mutability, TagMutability};
use crate::plan::RepositorySpec;
use crate::retry::Attempt;

/// The most image ids that one BatchGetImage takes. Source: ECR API model.
const BATCH: usize = 100;

/// How many look-ups are under way at once.
const CONCURRENCY: usize = 10;

impl EcrClient {
    /// The repositories of these names that exist.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering; a repository that is missing is none of that.
    pub async fn look_at_repositories(
        &self,
        names: &BTreeSet<RepositoryName>,
    ) -> Result<BTreeMap<RepositoryName, RepositoryFacts>, ServiceError> {
        let names: Vec<RepositoryName> = names.iter().cloned().collect();
        let found: Vec<Vec<RepositoryFacts>> = stream::iter(names.chunks(BATCH).map(<[_]>::to_vec))
            .map(|batch| self.describe_batch(batch))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().map(|repository| (repository.name.clone(), repository)).collect())
    }

    /// ECR refuses the whole batch if one of its repositories is missing, so then each is asked for alone.
    async fn describe_batch(&self, names: Vec<RepositoryName>) -> Result<Vec<RepositoryFacts>, ServiceError> {
        if let Some(all) = self.describe(&names).await? {
            return Ok(all);
        }
        if names.len() == 1 {
            return Ok(Vec::new());
        }
        let each: Vec<Option<Vec<RepositoryFacts>>> = stream::iter(names)
            .map(|name| async move { self.describe(&[name]).await })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(each.into_iter().flatten().flatten().collect())
    }

    /// These repositories, or `None` if one of them is missing.
    async fn describe(&self, names: &[RepositoryName]) -> Result<Option<Vec<RepositoryFacts>>, ServiceError> {
        let call = self
            .sdk
            .describe_repositories()
            .set_registry_id(self.account.as_ref().map(ToString::to_string))
            .set_repository_names(Some(names.iter().map(ToString::to_string).collect()));
        let doing = match names {
            [name] => format!("describe repository `{name}`"),
            _ => format!("describe {} repositories", names.len()),
        };
        match self.ask(&doing, async |_| call.clone().send().await).await {
            Ok(answer) => Ok(Some(answer.repositories().iter().filter_map(facts).collect())),
            Err(error) => match error.as_service_error() {
                Some(DescribeRepositoriesError::RepositoryNotFoundException(_)) => Ok(None),
                _ => Err(self.failed(doing, names.first(), &error)),
            },
        }
    }

    /// The images that these tags name in a repository; a tag that is free is left out.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn look_up_tags(
        &self,
        repository: &RepositoryName,
        tags: &[Tag],
    ) -> Result<BTreeMap<Tag, Digest>, ServiceError> {
        let mut taken = BTreeMap::new();
        for batch in tags.chunks(BATCH) {
            let ids = batch.iter().map(|tag| ImageIdentifier::builder().image_tag(tag.as_str()).build()).collect();
            let call = self
                .sdk
                .batch_get_image()
                .set_registry_id(self.account.as_ref().map(ToString::to_string))
                .repository_name(repository.as_str())
                .set_image_ids(Some(ids));
            let doing = format!("look up tags in `{repository}`");
            let answer = self.ask(&doing, async |_| call.clone().send().await).await;
            let answer = answer.map_err(|error| self.failed(doing, Some(repository), &error))?;
            let ids = answer.images().iter().filter_map(|image| image.image_id());
            taken.extend(ids.filter_map(|id| Some((id.image_tag()?.parse().ok()?, id.image_digest()?.parse().ok()?))));
        }
        Ok(taken)
    }

    /// The image that this tag names, with the time of its push and its size as far as ECR says; `None` if it is gone.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn describe_image(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<StoredImage>, ServiceError> {
        let call = self
            .sdk
            .describe_images()
            .set_registry_id(self.account.as_ref().map(ToString::to_string))
            .repository_name(repository.as_str())
            .image_ids(ImageIdentifier::builder().image_tag(tag.as_str()).build());
        let doing = format!("describe `{repository}:{tag}`");
        match self.ask(&doing, async |_| call.clone().send().await).await {
            Ok(answer) => Ok(answer.image_details().first().and_then(stored)),
            Err(error) if error.as_service_error().is_some_and(DescribeImagesError::is_image_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(self.failed(doing, Some(repository), &error)),
        }
    }

    pub(super) async fn create(&self, spec: &RepositorySpec) -> Result<Creation, ServiceError> {
        let doing = || format!("create repository `{}`", spec.name);
        let (mutability, filters) = mutability(&spec.tag_mutability).map_err(|cause| ServiceError {
            failure: Failure::Refused,
            doing: doing(),
            cause,
        })?;
        let tags = spec.resource_tags.iter().filter_map(|(key, value)| {
            // The builder fails only where the key is missing.
            ResourceTag::builder().key(key).value(value).build().ok()
        });
        let scanning = spec.scan_on_push.map(|on| ImageScanningConfiguration::builder().scan_on_push(on).build());
        let call = self
            .sdk
            .create_repository()
            .set_registry_id(self.account.as_ref().map(ToString::to_string))
            .repository_name(spec.name.as_str())
            .image_tag_mutability(mutability)
            .set_image_tag_mutability_exclusion_filters(filters)
            .set_image_scanning_configuration(scanning)
            .set_encryption_configuration(encryption(&spec.encryption))
            .set_tags(Some(tags.collect()));
        let attempts = Cell::new(0);
        let create = async |attempt: Attempt| {
            attempts.set(attempt.number);
            call.clone().send().await
        };
        match self.ask(&doing(), create).await {
            Ok(_) => {}
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateRepositoryError::is_repository_already_exists_exception) =>
            {
                // Unless it was an attempt of ours whose answer was lost.
                if attempts.get() == 1 {
                    return Ok(Creation::ThereAlready);
                }
            }
            Err(error) => return Err(self.failed(doing(), Some(&spec.name), &error)),
        }
        // What fails here is drift for the next run.
        let just_created =
            |error: ServiceError| ServiceError { doing: format!("{}, which was just created", error.doing), ..error };
        if let Some(policy) = &spec.lifecycle {
            self.put_lifecycle_policy(&spec.name, policy).await.map_err(just_created)?;
        }
        if let Some(policy) = &spec.policy {
            self.set_policy(&spec.name, policy).await.map_err(just_created)?;
        }
        Ok(Creation::Created)
    }
}

fn stored(image: &ImageDetail) -> Option<StoredImage> {
    let pushed_at = image.image_pushed_at().and_then(|time| OffsetDateTime::from_unix_timestamp(time.secs()).ok());
    let size = image.image_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok());
    Some(StoredImage { pushed_at, size, ..StoredImage::new(image.image_digest()?.parse().ok()?) })
}

fn facts(repository: &Repository) -> Option<RepositoryFacts> {
    let immutable = matches!(
        repository.image_tag_mutability(),
        Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
    );
    let except = repository.image_tag_mutability_exclusion_filters().iter().map(|filter| filter.filter().to_owned());
    let encryption = repository.encryption_configuration().map(|found| EncryptionFacts {
        kind: found.encryption_type().as_str().to_owned(),
        key: found.kms_key().map(str::to_owned),
    });
    let settings = RepositorySettings {
        arn: repository.repository_arn().unwrap_or_default().to_owned(),
        encryption: encryption.unwrap_or_default(),
        scan_on_push: repository.image_scanning_configuration().is_some_and(ImageScanningConfiguration::scan_on_push),
        ..RepositorySettings::default()
    };
    Some(RepositoryFacts {
        name: repository.repository_name()?.parse().ok()?,
        immutable,
        except: except.collect(),
        settings,
        taken: BTreeMap::new(),
    })
}

pub(super) type Filters = Option<Vec<ImageTagMutabilityExclusionFilter>>;

/// ECR wants exclusions with its two `…_WITH_EXCLUSION` modes, and refuses them with the plain ones.
pub(super) fn mutability(wanted: &TagMutability) -> Result<(ImageTagMutability, Filters), String> {
    if wanted.except.is_empty() {
        let mode = match wanted.mode {
            Mutability::Mutable => ImageTagMutability::Mutable,
            Mutability::Immutable => ImageTagMutability::Immutable,
        };
        return Ok((mode, None));
    }
    let mode = match wanted.mode {
        Mutability::Mutable => ImageTagMutability::MutableWithExclusion,
        Mutability::Immutable => ImageTagMutability::ImmutableWithExclusion,
    };
    let filters = wanted.except.iter().map(|pattern| {
        ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
            .filter(pattern)
            .build()
            .map_err(|error| error.to_string())
    });
    Ok((mode, Some(filters.collect::<Result<_, _>>()?)))
}

/// AES256 is what ECR takes where nothing is said.
fn encryption(wanted: &Encryption) -> Option<EncryptionConfiguration> {
    let (kind, key) = match wanted {
        Encryption::Aes256 => return None,
        Encryption::Kms { key } => (EncryptionType::Kms, key),
        Encryption::KmsDsse { key } => (EncryptionType::KmsDsse, key),
    };
    // The builder fails only where the type is missing.
    EncryptionConfiguration::builder().encryption_type(kind).set_kms_key(key.clone()).build().ok()
}
