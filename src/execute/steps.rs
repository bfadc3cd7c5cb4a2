//! What the steps of both phases share.

use std::time::Duration;

use super::Services;
use super::events::{Event, ImageEvent};
use super::pace::Pace;
use super::ports::{Credential, Ecr, Engine, Failure, Registry, ServiceError};
use crate::names::{Digest, ImageRef};
use crate::plan::{ImagePlan, Plan};

/// The pause before the second attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Steps<'a, Eng, Ctl, Reg> {
    pub(super) plan: &'a Plan,
    pub(super) services: &'a Services<'a, Eng, Ctl, Reg>,
    pub(super) tell: &'a dyn Fn(Event),
    /// For the tags that are written.
    pub(super) pace: Pace,
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// What a reference names now.
    pub(super) async fn digest(&self, image: &ImageRef) -> Result<Option<Digest>, ServiceError> {
        self.with_credential(1, async |credential| self.services.registry.digest(image, credential).await).await
    }

    /// Calls the registry with the credential; once more with a new one if it is refused, and `attempts` times in
    /// all where a pause may help: the registry is busy, or does not know yet of a repository that was just made.
    pub(super) async fn with_credential<T>(
        &self,
        attempts: u32,
        call: impl AsyncFn(&Credential) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let credential = self.services.ecr.credential().await?;
            let error = match call(&credential).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.failure {
                Failure::CredentialsExpired | Failure::CredentialsRefused if !renewed => {
                    renewed = true;
                    self.services.ecr.forget_credential().await;
                }
                Failure::Throttled | Failure::ServiceBroken | Failure::RepositoryMissing { .. }
                    if attempt < attempts =>
                {
                    tokio::time::sleep(FIRST_PAUSE * 2u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                _ => return Err(error),
            }
        }
    }

    pub(super) fn say(&self, image: &ImagePlan, event: ImageEvent) {
        (self.tell)(Event::Image(image.name.clone(), event));
    }
}
