//! Lifecycle policies, and the images that they are about.

use std::time::Duration;

use aws_sdk_ecr::operation::get_lifecycle_policy::GetLifecyclePolicyError;
use aws_sdk_ecr::operation::start_lifecycle_policy_preview::StartLifecyclePolicyPreviewError;
use aws_sdk_ecr::types::{
    ImageActionType, ImageDetail, ImageStatus, LifecyclePolicyPreviewResult, LifecyclePolicyPreviewStatus,
};
use time::OffsetDateTime;

use super::EcrClient;
use crate::execute::ports::{Failure, ServiceError};
use crate::lifecycle::{Action, Image, ImageState, MediaType, Moment, Policy, ServicePreview};
use crate::names::RepositoryName;

/// The largest page of a preview. Source: ECR API model.
const PREVIEW_PAGE: i32 = 100;

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
        media_type: detail.image_manifest_media_type().map(MediaType::of),
        subject: detail.subject_manifest_digest().map(str::to_owned),
        children: Vec::new(),
    })
}

fn taken(result: &LifecyclePolicyPreviewResult) -> Option<(String, (Action, u32))> {
    let action = match result.action()?.r#type()? {
        ImageActionType::Transition => Action::Archive,
        _ => Action::Expire,
    };
    Some((result.image_digest()?.to_owned(), (action, u32::try_from(result.applied_rule_priority()?).ok()?)))
}
