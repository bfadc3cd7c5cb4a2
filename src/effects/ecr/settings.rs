//! The settings of repositories: looking at them, and changing them.

use std::collections::BTreeMap;
use std::error::Error;

use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecr::operation::get_repository_policy::GetRepositoryPolicyError;
use aws_sdk_ecr::types::{ImageScanningConfiguration, Tag as ResourceTag};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::EcrClient;
use super::repositories::mutability;
use crate::access::Document;
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::{Asked, RepositoryFacts, RepositorySettings, Unseen};
use crate::names::RepositoryName;
use crate::plan::Change;
use crate::retry::Attempt;

/// Which settings to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ask {
    /// When images are scanned.
    pub scanning: bool,
    /// The lifecycle policy.
    pub lifecycle: bool,
    /// The repository's own policy.
    pub policy: bool,
    /// Resource tags.
    pub resource_tags: bool,
}

/// Does something where it is asked for.
async fn if_asked<T>(asked: bool, work: impl Future<Output = T>) -> Option<T> {
    if asked { Some(work.await) } else { None }
}

impl EcrClient {
    /// The settings of a repository that was described before. What may not be looked at is told in its place: a role
    /// that only pushes need not be allowed to see everything.
    pub async fn look_at_settings(&self, repository: &RepositoryFacts, ask: Ask) -> RepositorySettings {
        let name = &repository.name;
        let (scanning, lifecycle, policy, resource_tags) = tokio::join!(
            if_asked(ask.scanning, self.scanning(name)),
            if_asked(ask.lifecycle, async {
                self.lifecycle_policy(name).await.map_err(|error| unseen("ecr:GetLifecyclePolicy", &error))
            }),
            if_asked(ask.policy, self.policy(name)),
            if_asked(ask.resource_tags, self.resource_tags(name, &repository.settings.arn)),
        );
        let scanning = scanning.flatten();
        RepositorySettings { scanning, lifecycle, policy, resource_tags, ..repository.settings.clone() }
    }

    /// The text of a repository's own policy, if it has one.
    async fn policy(&self, name: &RepositoryName) -> Asked<Option<String>> {
        let call = self.sdk.get_repository_policy().set_registry_id(self.registry_id()).repository_name(name.as_str());
        let doing = format!("get the policy of `{name}`");
        match self.ask(&doing, async |_| call.clone().send().await).await {
            Ok(answer) => Ok(answer.policy_text().map(str::to_owned)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetRepositoryPolicyError::is_repository_policy_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => {
                let error = self.failed(doing, Some(name), &error);
                Err(unseen("ecr:GetRepositoryPolicy", &error))
            }
        }
    }

    async fn resource_tags(&self, name: &RepositoryName, arn: &str) -> Asked<BTreeMap<String, String>> {
        let call = self.sdk.list_tags_for_resource().resource_arn(arn);
        let doing = format!("list the resource tags of `{name}`");
        let answer = self.ask(&doing, async |_| call.clone().send().await).await.map_err(|error| {
            let error = self.failed(&doing, Some(name), &error);
            unseen("ecr:ListTagsForResource", &error)
        })?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Puts a policy on a repository, in place of the one that it has.
    ///
    /// # Errors
    /// Whatever keeps ECR from taking it.
    pub async fn set_policy(&self, name: &RepositoryName, policy: &Document) -> Result<(), ServiceError> {
        let call = self.sdk.set_repository_policy().set_registry_id(self.registry_id());
        let call = call.repository_name(name.as_str()).policy_text(policy.to_text());
        self.done(async |_| call.clone().send().await, format!("put the policy on repository `{name}`"), name).await
    }

    /// Changes one setting.
    pub(super) async fn configure(
        &self,
        name: &RepositoryName,
        arn: &str,
        change: &Change,
    ) -> Result<(), ServiceError> {
        let (sdk, account) = (&self.sdk, self.registry_id());
        match change {
            Change::TagMutability(wanted) => {
                let doing = format!("set the tag mutability of `{name}`");
                let (mode, filters) = mutability(wanted).map_err(|cause| ServiceError {
                    failure: Failure::Refused,
                    doing: doing.clone(),
                    cause,
                })?;
                let call = sdk.put_image_tag_mutability().set_registry_id(account).repository_name(name.as_str());
                let call = call.image_tag_mutability(mode).set_image_tag_mutability_exclusion_filters(filters);
                self.done(async |_| call.clone().send().await, doing, name).await
            }
            Change::ScanOnPush(on) => {
                let call = sdk.put_image_scanning_configuration().set_registry_id(account);
                let scanning = ImageScanningConfiguration::builder().scan_on_push(*on).build();
                let call = call.repository_name(name.as_str()).image_scanning_configuration(scanning);
                self.done(async |_| call.clone().send().await, format!("set the scanning of `{name}`"), name).await
            }
            Change::ScanningRule => self.add_scanning_rule(name).await,
            Change::Lifecycle(policy) => self.put_lifecycle_policy(name, policy).await,
            Change::Policy(policy) => self.set_policy(name, policy).await,
            Change::ResourceTags { set, remove } => {
                let doing = || format!("set the resource tags of `{name}`");
                // Removed first: there may be no room for more.
                if !remove.is_empty() {
                    let call = sdk.untag_resource().resource_arn(arn).set_tag_keys(Some(remove.clone()));
                    self.done(async |_| call.clone().send().await, doing(), name).await?;
                }
                if !set.is_empty() {
                    // The builder fails only where the key is missing.
                    let tags =
                        set.iter().filter_map(|(key, value)| ResourceTag::builder().key(key).value(value).build().ok());
                    let call = sdk.tag_resource().resource_arn(arn).set_tags(Some(tags.collect()));
                    self.done(async |_| call.clone().send().await, doing(), name).await?;
                }
                Ok(())
            }
        }
    }

    async fn done<T, E>(
        &self,
        call: impl AsyncFn(Attempt) -> Result<T, SdkError<E, HttpResponse>>,
        doing: String,
        name: &RepositoryName,
    ) -> Result<(), ServiceError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let answer = self.ask(&doing, call).await;
        answer.map(|_| ()).map_err(|error| self.failed(doing, Some(name), &error))
    }
}

/// A question that was not answered.
pub(super) fn unseen(action: &'static str, error: &ServiceError) -> Unseen {
    let denied = matches!(error.failure, Failure::Denied { .. });
    Unseen { action, denied, cause: format!("cannot {}: {}", error.doing, error.cause) }
}
