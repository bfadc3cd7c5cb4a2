//! Lifecycle policies, and the images that they are about.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ecr::operation::get_lifecycle_policy::GetLifecyclePolicyError;
use aws_sdk_ecr::operation::start_lifecycle_policy_preview::StartLifecyclePolicyPreviewError;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageActionType, ImageDetail, ImageIdentifier, ImageStatus, ImageStatusFilter,
    LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use time::OffsetDateTime;

use super::EcrClient;
use crate::execute::ports::{Failure, ServiceError};
use crate::lifecycle::{Action, Image, ImageState, Moment, Policy, ServicePreview};
use crate::names::RepositoryName;

/// The largest pages. Source: ECR API model.
const IMAGES_PAGE: i32 = 1000;
const PREVIEW_PAGE: i32 = 100;
/// The most image ids that one BatchGetImage takes.
const BATCH: usize = 100;
/// How many look-ups are under way at once.
const CONCURRENCY: usize = 10;

/// How often a preview is asked for: soon at first, then every five seconds, as the SDK's own waiter does.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The waiter's 100 seconds are short for a repository of 100,000 images.
const PATIENCE: Duration = Duration::from_secs(600);

impl EcrClient {
    pub(super) fn registry_id(&self) -> Option<String> {
        self.account.as_ref().map(ToString::to_string)
    }

    /// Puts a lifecycle policy on a repository, in place of the one that it has.
    ///
    /// # Errors
    /// Whatever keeps ECR from taking it.
    pub async fn put_lifecycle_policy(&self, name: &RepositoryName, policy: &Policy) -> Result<(), ServiceError> {
        let call = self.sdk.put_lifecycle_policy().set_registry_id(self.registry_id());
        let call = call.repository_name(name.as_str()).lifecycle_policy_text(policy.to_text());
        let doing = format!("put the lifecycle policy on repository `{name}`");
        let put = self.ask(&doing, async |_| call.clone().send().await).await;
        put.map(|_| ()).map_err(|error| self.failed(doing, Some(name), &error))
    }

    /// The text of a repository's lifecycle policy, if it has one.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn lifecycle_policy(&self, name: &RepositoryName) -> Result<Option<String>, ServiceError> {
        let call = self.sdk.get_lifecycle_policy().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let doing = format!("get the lifecycle policy of `{name}`");
        match self.ask(&doing, async |_| call.clone().send().await).await {
            Ok(answer) => Ok(answer.lifecycle_policy_text().map(str::to_owned)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetLifecyclePolicyError::is_lifecycle_policy_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed(doing, Some(name), &error)),
        }
    }

    /// All images of a repository, those in the archive too, and what its indexes list.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering; an index whose manifest it does not give.
    pub async fn images(&self, name: &RepositoryName) -> Result<Vec<Image>, ServiceError> {
        let doing = format!("describe the images of `{name}`");
        let filter = DescribeImagesFilter::builder().image_status(ImageStatusFilter::Any).build();
        let call = self
            .sdk
            .describe_images()
            .set_registry_id(self.registry_id())
            .repository_name(name.as_str())
            .filter(filter)
            .max_results(IMAGES_PAGE);
        let mut images: Vec<Image> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self.ask(&doing, async |_| call.clone().set_next_token(token.clone()).send().await).await;
            let page = page.map_err(|error| self.failed(&doing, Some(name), &error))?;
            images.extend(page.image_details().iter().filter_map(image));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        // The manifests of what is archived cannot be had.
        let indexes = images.iter().filter(|image| image.is_index() && image.state == ImageState::Active);
        let indexes: Vec<String> = indexes.map(|image| image.digest.clone()).collect();
        let mut children: HashMap<String, Vec<String>> = stream::iter(indexes.chunks(BATCH).map(<[_]>::to_vec))
            .map(|batch| self.children(name, batch))
            .buffer_unordered(CONCURRENCY)
            .try_fold(HashMap::new(), |mut all, found| async move {
                all.extend(found);
                Ok(all)
            })
            .await?;
        for image in &mut images {
            image.children = children.remove(&image.digest).unwrap_or_default();
        }
        Ok(images)
    }

    async fn children(
        &self,
        name: &RepositoryName,
        digests: Vec<String>,
    ) -> Result<HashMap<String, Vec<String>>, ServiceError> {
        let ids = digests.iter().map(|digest| ImageIdentifier::builder().image_digest(digest).build());
        let doing = || format!("read the indexes of `{name}`");
        let call = self
            .sdk
            .batch_get_image()
            .set_registry_id(self.registry_id())
            .repository_name(name.as_str())
            .set_image_ids(Some(ids.collect()))
            .accepted_media_types("application/vnd.oci.image.index.v1+json")
            .accepted_media_types("application/vnd.docker.distribution.manifest.list.v2+json");
        let answer = self.ask(&doing(), async |_| call.clone().send().await).await;
        let answer = answer.map_err(|error| self.failed(doing(), Some(name), &error))?;
        let listed = answer
            .images()
            .iter()
            .filter_map(|image| Some((image.image_id()?.image_digest()?.to_owned(), listed(image.image_manifest()?)?)));
        let found: HashMap<String, Vec<String>> = listed.collect();
        match digests.iter().find(|digest| !found.contains_key(*digest)) {
            // Without its children the simulation would delete what ECR protects.
            Some(missing) => {
                let cause = format!("ECR did not give the manifest of {missing}");
                Err(ServiceError { failure: Failure::Unexpected, doing: doing(), cause })
            }
            None => Ok(found),
        }
    }

    /// What ECR says that a policy would do; without one, that of the repository.
    ///
    /// # Errors
    /// Whatever keeps ECR from making the preview.
    pub async fn preview_lifecycle(
        &self,
        name: &RepositoryName,
        policy: Option<&Policy>,
    ) -> Result<ServicePreview, ServiceError> {
        let waiting = self.start_and_wait(name, policy);
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| {
            let cause = format!("there was none after {} minutes", PATIENCE.as_secs() / 60);
            let doing = format!("get the lifecycle policy preview of `{name}`");
            Err(ServiceError { failure: Failure::ServiceBroken, doing, cause })
        })
    }

    async fn start_and_wait(
        &self,
        name: &RepositoryName,
        policy: Option<&Policy>,
    ) -> Result<ServicePreview, ServiceError> {
        let mut pause = FIRST_PAUSE;
        let mut wait = async || {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        loop {
            let call = self.sdk.start_lifecycle_policy_preview().set_registry_id(self.registry_id());
            let call = call.repository_name(name.as_str()).set_lifecycle_policy_text(policy.map(Policy::to_text));
            let doing = format!("start the lifecycle policy preview of `{name}`");
            match self.ask(&doing, async |_| call.clone().send().await).await {
                Ok(_) => break,
                Err(error)
                    if error.as_service_error().is_some_and(
                        StartLifecyclePolicyPreviewError::is_lifecycle_policy_preview_in_progress_exception,
                    ) =>
                {
                    wait().await;
                }
                Err(error) => return Err(self.failed(doing, Some(name), &error)),
            }
        }
        let mut preview = ServicePreview::default();
        let mut token: Option<String> = None;
        loop {
            let doing = || format!("get the lifecycle policy preview of `{name}`");
            let call = self.sdk.get_lifecycle_policy_preview().set_registry_id(self.registry_id());
            let call = call.repository_name(name.as_str()).max_results(PREVIEW_PAGE).set_next_token(token.clone());
            let page = self.ask(&doing(), async |_| call.clone().send().await).await;
            let page = page.map_err(|error| self.failed(doing(), Some(name), &error))?;
            match page.status() {
                Some(LifecyclePolicyPreviewStatus::Complete) => {}
                Some(LifecyclePolicyPreviewStatus::InProgress) => {
                    wait().await;
                    continue;
                }
                other => {
                    let cause = format!("its status is {}", other.map_or("missing", |status| status.as_str()));
                    return Err(ServiceError { failure: Failure::Unexpected, doing: doing(), cause });
                }
            }
            preview.taken.extend(page.preview_results().iter().filter_map(taken));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(preview);
            }
        }
    }
}

fn moment(time: &aws_sdk_ecr::primitives::DateTime) -> Option<Moment> {
    OffsetDateTime::from_unix_timestamp_nanos(time.as_nanos()).ok().map(Moment::from)
}

pub(super) fn image(detail: &ImageDetail) -> Option<Image> {
    Some(Image {
        digest: detail.image_digest()?.to_owned(),
        tags: detail.image_tags().to_vec(),
        pushed_at: moment(detail.image_pushed_at()?)?,
        pulled_at: detail.last_recorded_pull_time().and_then(moment),
        archived_at: detail.last_archived_at().and_then(moment),
        activated_at: detail.last_activated_at().and_then(moment),
        state: match detail.image_status() {
            Some(ImageStatus::Archived) => ImageState::Archived,
            Some(ImageStatus::Activating) => ImageState::Activating,
            _ => ImageState::Active,
        },
        size: detail.image_size_in_bytes().and_then(|size| u64::try_from(size).ok()),
        media_type: detail.image_manifest_media_type().map(str::to_owned),
        subject: detail.subject_manifest_digest().map(str::to_owned),
        children: Vec::new(),
    })
}

fn listed(manifest: &str) -> Option<Vec<String>> {
    let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
    let entries = manifest.get("manifests")?.as_array()?.iter();
    entries.map(|entry| Some(entry.get("digest")?.as_str()?.to_owned())).collect()
}

fn taken(result: &LifecyclePolicyPreviewResult) -> Option<(String, (Action, u32))> {
    let action = match result.action()?.r#type()? {
        ImageActionType::Transition => Action::Archive,
        _ => Action::Expire,
    };
    Some((result.image_digest()?.to_owned(), (action, u32::try_from(result.applied_rule_priority()?).ok()?)))
}
