//! ECR's own replication: the registry's rules, and how far images are on their way.

use aws_sdk_ecr::types::{ImageIdentifier, ReplicationConfiguration, ReplicationStatus};

use super::EcrClient;
use crate::execute::ports::{Failure, Progress, Replication, ServiceError};
use crate::facts::ReplicationRule;
use crate::names::{Digest, RepositoryName};

impl EcrClient {
    /// The registry's rules of replication; nothing if the credentials do not allow to know them, or if the registry is
    /// not the caller's own, of which alone ECR tells.
    ///
    /// # Errors
    /// Whatever else keeps ECR from answering.
    pub async fn replication_rules(&self) -> Result<Option<Vec<ReplicationRule>>, ServiceError> {
        let doing = "get the replication rules of the registry";
        let answer = match self.ask(doing, async |_| self.sdk.describe_registry().send().await).await {
            Ok(answer) => answer,
            Err(error) => {
                let error = self.failed(doing, None, &error);
                return if matches!(error.failure, Failure::Denied { .. }) { Ok(None) } else { Err(error) };
            }
        };
        let is_another = |account: &String| answer.registry_id().is_some_and(|id| id != account);
        if self.registry_id().as_ref().is_some_and(is_another) {
            return Ok(None);
        }
        let rules = answer.replication_configuration().map(ReplicationConfiguration::rules).unwrap_or_default();
        let rules = rules.iter().map(|rule| ReplicationRule {
            destinations: rule
                .destinations()
                .iter()
                .map(|to| (to.registry_id().to_owned(), to.region().to_owned()))
                .collect(),
            prefixes: rule.repository_filters().iter().map(|filter| filter.filter().to_owned()).collect(),
        });
        Ok(Some(rules.collect()))
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
