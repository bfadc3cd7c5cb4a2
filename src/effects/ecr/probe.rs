//! What the caller may do with a repository, found out without leaving anything behind.

use super::EcrClient;
use crate::execute::ports::{Failure, ServiceError};
use crate::names::{Digest, RepositoryName};

impl EcrClient {
    /// Asks for what a push begins with. Which layers are there changes nothing, and an upload that nobody goes on with
    /// is forgotten by ECR. Whether a manifest may be written cannot be found out without writing one.
    ///
    /// Returns what is refused, one entry for each action.
    pub async fn probe_push(&self, repository: &RepositoryName) -> Vec<ServiceError> {
        let account = self.account.as_ref().map(ToString::to_string);
        let nothing = Digest::of(b"").to_string();
        let (looking, beginning) =
            (format!("look for layers in `{repository}`"), format!("begin an upload to `{repository}`"));
        let layers = self.sdk.batch_check_layer_availability().set_registry_id(account.clone());
        let layers = layers.repository_name(repository.as_str()).layer_digests(nothing);
        let upload = self.sdk.initiate_layer_upload().set_registry_id(account).repository_name(repository.as_str());
        let (layers, upload) = tokio::join!(
            self.ask(&looking, async |_| layers.clone().send().await),
            self.ask(&beginning, async |_| upload.clone().send().await)
        );
        let layers = layers.err().map(|error| {
            self.failed(looking.clone(), Some(repository), &error).or_action("ecr:BatchCheckLayerAvailability")
        });
        let upload = upload
            .err()
            .map(|error| self.failed(beginning.clone(), Some(repository), &error).or_action("ecr:InitiateLayerUpload"));
        layers.into_iter().chain(upload).collect()
    }
}

impl ServiceError {
    /// Names the action that was refused, where IAM did not.
    fn or_action(mut self, known: &str) -> Self {
        if let Failure::Denied { action: action @ None } = &mut self.failure {
            *action = Some(known.to_owned());
        }
        self
    }
}
