//! ECR's managed signing: how far it is with an image.

use aws_sdk_ecr::operation::describe_image_signing_status::DescribeImageSigningStatusOutput;
use aws_sdk_ecr::operation::describe_image_signing_status::builders::DescribeImageSigningStatusFluentBuilder;
use aws_sdk_ecr::types::{ImageIdentifier, SigningStatus};

use super::EcrClient;
use crate::execute::ports::{ServiceError, Signature, SigningState};
use crate::names::{Digest, RepositoryName};

impl EcrClient {
    /// How far each signing profile is with an image that is to sign it.
    pub(super) async fn look_at_signatures(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Signature>, ServiceError> {
        let doing = format!("get the signing status of {} in `{name}`", digest.short());
        let call = self.signing_status(name, digest);
        let answer = self.ask(&doing, async |_| call.clone().send().await).await;
        answer.map(|answer| signatures(&answer)).map_err(|error| self.failed(doing, Some(name), &error))
    }

    /// The same, or nothing where ECR does not tell it: to a role that may not ask, or because it is played by a server
    /// that knows of no signing.
    pub async fn signatures_if_told(&self, name: &RepositoryName, digest: &Digest) -> Option<Vec<Signature>> {
        let call = self.signing_status(name, digest);
        self.ask_once(async || call.send().await).await.ok().map(|answer| signatures(&answer))
    }

    fn signing_status(&self, name: &RepositoryName, digest: &Digest) -> DescribeImageSigningStatusFluentBuilder {
        let image = ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let call = self.sdk.describe_image_signing_status().set_registry_id(self.registry_id());
        call.repository_name(name.as_str()).image_id(image)
    }
}

fn signatures(answer: &DescribeImageSigningStatusOutput) -> Vec<Signature> {
    let signatures = answer.signing_statuses().iter().map(|one| Signature {
        profile: one.signing_profile_arn().unwrap_or_default().to_owned(),
        state: match one.status() {
            Some(SigningStatus::Complete) => SigningState::Signed,
            Some(SigningStatus::Failed) => SigningState::Failed {
                code: one.failure_code().map(str::to_owned),
                reason: one.failure_reason().map(str::to_owned),
            },
            _ => SigningState::UnderWay,
        },
    });
    signatures.collect()
}
