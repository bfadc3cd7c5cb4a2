//! ECR's own replication: the registry's rules, and how far images are on their way.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecr::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecr::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecr::error::BoxError;
use aws_sdk_ecr::types::{ImageIdentifier, ReplicationStatus};
use serde::Deserialize;

use super::EcrClient;
use super::settings::unseen;
use crate::execute::ports::{Failure, Progress, Replication, ServiceError};
use crate::facts::{Asked, Destination, ReplicationRule};
use crate::names::{Digest, RepositoryName};

const ACTION: &str = "ecr:DescribeRegistry";

/// Keeps the body of an answer. The SDK of 2026 does not know `deleteReplication` yet, and leaves it out of what it reads.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Intercept for Kept {
    fn name(&self) -> &'static str {
        "Kept"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    registry_id: String,
    #[serde(default)]
    replication_configuration: Configuration,
}

#[derive(Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    destinations: Vec<Place>,
    #[serde(default)]
    repository_filters: Vec<Filter>,
    delete_replication: Option<DeleteReplication>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    region: String,
    registry_id: String,
}

#[derive(Deserialize)]
struct Filter {
    filter: String,
}

#[derive(Deserialize)]
struct DeleteReplication {
    enabled: bool,
}

impl From<Rule> for ReplicationRule {
    fn from(rule: Rule) -> Self {
        ReplicationRule {
            destinations: rule.destinations.into_iter().map(|place| (place.registry_id, place.region)).collect(),
            prefixes: rule.repository_filters.into_iter().map(|filter| filter.filter).collect(),
            deletes: rule.delete_replication.is_some_and(|it| it.enabled),
        }
    }
}

const DOING: &str = "get the replication rules of the registry";

fn unexpected(cause: String) -> ServiceError {
    ServiceError { failure: Failure::Unexpected, doing: DOING.to_owned(), cause }
}

impl EcrClient {
    /// The rules, if the registry is the caller's own: of that alone ECR tells. Otherwise the account that it told of.
    async fn own_rules(&self) -> Result<Result<Vec<ReplicationRule>, String>, ServiceError> {
        let kept = Kept::default();
        let call = self.sdk.describe_registry();
        let asked = self.ask(DOING, async |_| call.clone().customize().interceptor(kept.clone()).send().await).await;
        asked.map_err(|error| self.failed(DOING, None, &error))?;
        let body = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| unexpected(error.to_string()))?;
        if self.registry_id().is_some_and(|wanted| wanted != answer.registry_id) {
            return Ok(Err(answer.registry_id));
        }
        Ok(Ok(answer.replication_configuration.rules.into_iter().map(Into::into).collect()))
    }

    /// The registry's rules of replication; nothing if the credentials do not allow to know them, or if the registry is
    /// not the caller's own.
    ///
    /// # Errors
    /// Whatever else keeps ECR from answering.
    pub async fn replication_rules(&self) -> Result<Option<Vec<ReplicationRule>>, ServiceError> {
        match self.own_rules().await {
            Ok(rules) => Ok(rules.ok()),
            Err(error) if matches!(error.failure, Failure::Denied { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the registry replicates a repository to. What may not be looked at is told in its place: a role that only
    /// works on repositories need not be allowed to see the registry.
    pub async fn destinations(&self, name: &RepositoryName) -> Asked<Vec<Destination>> {
        let rules = self.own_rules().await.map_err(|error| unseen(ACTION, &error))?;
        let rules = rules.map_err(|account| {
            unseen(ACTION, &unexpected(format!("ECR tells them of the caller's own registry only, which is {account}")))
        })?;
        Ok(Destination::of(name, &rules))
    }

    /// How far an image is on its way to each destination that a rule names.
    pub(super) async fn look_at_replications(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Replication>, ServiceError> {
        let doing = format!("get the replication status of {} in `{name}`", digest.short());
        let call = self.sdk.describe_image_replication_status().set_registry_id(self.registry_id());
        let call = call.repository_name(name.as_str());
        let call = call.image_id(ImageIdentifier::builder().image_digest(digest.as_str()).build());
        let answer = self.ask(&doing, async |_| call.clone().send().await).await;
        let answer = answer.map_err(|error| self.failed(doing, Some(name), &error))?;
        let ways = answer.replication_statuses().iter().map(|way| Replication {
            region: way.region().unwrap_or_default().to_owned(),
            account: way.registry_id().unwrap_or_default().to_owned(),
            progress: match way.status() {
                Some(ReplicationStatus::Complete) => Progress::Done,
                Some(ReplicationStatus::Failed) => Progress::Failed(way.failure_code().map(str::to_owned)),
                _ => Progress::UnderWay,
            },
        });
        Ok(ways.collect())
    }
}
