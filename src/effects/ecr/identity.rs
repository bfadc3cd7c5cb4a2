//! Who the caller is, and until when.

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_ecr::error::DisplayErrorContext;
use time::OffsetDateTime;

use super::EcrClient;

/// How long STS may take to say who the caller is, which nothing depends on.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(8);

impl EcrClient {
    /// When the AWS credentials stop working; `None` where that is not known, and for those that never do.
    pub async fn credentials_end(&self) -> Option<OffsetDateTime> {
        let credentials = self.config.credentials_provider()?.provide_credentials().await.ok()?;
        credentials.expiry().map(OffsetDateTime::from)
    }

    /// The ARN of the caller, as STS has it; `None` where there is no STS that belongs to the control plane.
    ///
    /// # Errors
    /// In words for the user: STS does not answer.
    pub async fn caller(&self) -> Result<Option<String>, String> {
        if !self.has_sts {
            return Ok(None);
        }
        let sts = aws_sdk_sts::Client::new(&self.config);
        match tokio::time::timeout(LIMIT, sts.get_caller_identity().send()).await {
            Err(_) => Err(format!("STS did not answer within {} s", LIMIT.as_secs())),
            Ok(Err(error)) => Err(DisplayErrorContext(&error).to_string()),
            Ok(Ok(answer)) => Ok(answer.arn().map(str::to_owned)),
        }
    }

    /// When the registry's token stops working, as far as ECR says.
    ///
    /// # Errors
    /// Whatever keeps ECR from giving one.
    pub async fn token_end(&self) -> Result<Option<OffsetDateTime>, crate::execute::ports::ServiceError> {
        Ok(self.token().await?.credential.expires_at)
    }
}
