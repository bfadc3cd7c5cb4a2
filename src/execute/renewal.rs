//! Credentials that stop working in the middle of a run.

use std::time::Duration;

use super::ports::{Credential, Ecr, Failure, ServiceError};
use crate::retry::{Policy, Verdict, persist};

/// Calls with the credential; with a new one if it is refused, and again where the policy says so.
///
/// # Errors
/// Whatever the last attempt failed with, and whatever keeps ECR from giving a credential.
pub async fn renewing<Ctl: Ecr, T>(
    ecr: &Ctl,
    policy: &Policy,
    tell: impl Fn(&ServiceError, u32, Duration),
    call: impl AsyncFn(&Credential) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let judge = |error: &Stopped| match error {
        // It was tried again inside.
        Stopped::Credential(_) => Verdict::Final,
        Stopped::Call(error) => match error.failure {
            // Repositories that were just made are not known everywhere at once.
            Failure::RepositoryMissing { .. } => Verdict::Passing { after: None },
            _ => error.failure.verdict(),
        },
    };
    let tell = |error: &Stopped, attempt, pause| tell(error.error(), attempt, pause);
    let result = persist(policy, judge, tell, async |attempt| {
        if attempt.renew {
            ecr.forget_credential().await;
        }
        let credential = ecr.credential().await.map_err(Stopped::Credential)?;
        call(&credential).await.map_err(Stopped::Call)
    });
    result.await.map_err(|stopped| match stopped {
        Stopped::Credential(error) | Stopped::Call(error) => error,
    })
}

/// Where an attempt ended.
enum Stopped {
    Credential(ServiceError),
    Call(ServiceError),
}

impl Stopped {
    fn error(&self) -> &ServiceError {
        match self {
            Stopped::Credential(error) | Stopped::Call(error) => error,
        }
    }
}
