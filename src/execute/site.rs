//! One of the registries of a run, and what is done there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::TAGS_A_SECOND;
use super::events::{Event, ImageEvent};
use super::pace::Pace;
use super::ports::{Credential, Ecr, Failure, Manifest, Registry, ServiceError};
use crate::names::{Digest, ImageRef, RegistryHost, Tag};
use crate::plan::ImagePlan;

/// The pause before the second attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Site<'a, Ctl, Reg> {
    pub(super) host: &'a RegistryHost,
    pub(super) ecr: &'a Ctl,
    pub(super) registry: &'a Reg,
    /// Whether it is one that images are copied to.
    pub(super) is_replica: bool,
    /// For the tags that are written; the quota is that of an account and region.
    pace: Pace,
    elapsed: &'a dyn Fn() -> Duration,
    tell: &'a dyn Fn(Event),
}

/// An image at one site: what is planned for it, and what its tags name there.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) image: &'a ImagePlan,
    pub(super) taken: &'a BTreeMap<Tag, Digest>,
    /// The tag of its content key, where it may be written.
    pub(super) staging: Option<&'a Tag>,
}

impl<'a, Ctl: Ecr, Reg: Registry> Site<'a, Ctl, Reg> {
    pub(super) fn new(
        host: &'a RegistryHost,
        ecr: &'a Ctl,
        registry: &'a Reg,
        elapsed: &'a dyn Fn() -> Duration,
        tell: &'a dyn Fn(Event),
    ) -> Self {
        Site { host, ecr, registry, is_replica: false, pace: Pace::new(TAGS_A_SECOND), elapsed, tell }
    }

    pub(super) fn into_replica(self) -> Self {
        Site { is_replica: true, ..self }
    }

    /// What a reference names now.
    pub(super) async fn digest(&self, image: &ImageRef) -> Result<Option<Digest>, ServiceError> {
        self.with_credential(1, async |credential| self.registry.digest(image, credential).await).await
    }

    pub(super) async fn manifest(&self, image: &ImagePlan, digest: &Digest) -> Result<Manifest, ServiceError> {
        let image = ImageRef::digested(self.host, &image.repository, digest);
        self.with_credential(1, async |credential| self.registry.manifest(&image, credential).await).await
    }

    pub(super) async fn write_tag(&self, target: &ImageRef, manifest: &Manifest) -> Result<(), ServiceError> {
        tokio::time::sleep(self.pace.wait((self.elapsed)())).await;
        self.with_credential(1, async |credential| self.registry.tag(target, manifest, credential).await).await
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
            let credential = self.ecr.credential().await?;
            let error = match call(&credential).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.failure {
                Failure::CredentialsExpired | Failure::CredentialsRefused if !renewed => {
                    renewed = true;
                    self.ecr.forget_credential().await;
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

    pub(super) fn say(&self, image: &str, event: ImageEvent) {
        (self.tell)(Event::Image(image.to_owned(), event));
    }

    /// The site's name for what is told, if it is not the run's own registry.
    pub(super) fn elsewhere(&self) -> Option<RegistryHost> {
        self.is_replica.then(|| self.host.clone())
    }
}
