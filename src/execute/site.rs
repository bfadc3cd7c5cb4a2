//! One of the registries of a run, and what is done there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::TAGS_A_SECOND;
use super::events::{Event, ImageEvent};
use super::pace::Pace;
use super::ports::{Credential, Ecr, Failure, Manifest, Registry, ServiceError};
use super::renewal::renewing;
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName, Tag};
use crate::plan::{ImagePlan, Record};
use crate::retry::{PUSH, RENEWAL, Retry, Tally, Verdict};

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
        self.with_credential(async |credential| self.registry.digest(image, credential).await).await
    }

    pub(super) async fn manifest(&self, image: &ImagePlan, digest: &Digest) -> Result<Manifest, ServiceError> {
        let image = ImageRef::digested(self.host, &image.repository, digest);
        self.with_credential(async |credential| self.registry.manifest(&image, credential).await).await
    }

    pub(super) async fn write_tag(&self, target: &ImageRef, manifest: &Manifest) -> Result<(), ServiceError> {
        tokio::time::sleep(self.pace.wait((self.elapsed)())).await;
        let written = self.with_credential(async |credential| self.registry.tag(target, manifest, credential).await);
        match written.await {
            // An attempt whose answer was lost may have written it, or another run has.
            Err(error) if matches!(error.failure, Failure::TagTaken { .. }) => {
                match self.digest(target).await? == Some(manifest.digest.clone()) {
                    true => Ok(()),
                    false => Err(error),
                }
            }
            written => written,
        }
    }

    /// Puts a record beside an image.
    pub(super) async fn attach(&self, subject: &ImageRef, record: &Record) -> Result<(), ServiceError> {
        self.with_credential(async |credential| {
            let manifest = self.registry.manifest(subject, credential).await?;
            self.registry.attach(subject, &manifest, record, credential).await
        })
        .await
    }

    /// Calls the registry with the credential, and with a new one if it is refused. What it does is tried again inside.
    pub(super) async fn with_credential<T>(
        &self,
        call: impl AsyncFn(&Credential) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        renewing(self.ecr, &RENEWAL, |_, _, _| {}, call).await
    }

    /// Has something pushed to a repository, again where that may help; also where the repository is not known yet,
    /// because it was just made.
    pub(super) async fn pushing<T>(
        &self,
        repository: &RepositoryName,
        tally: &Tally,
        push: impl AsyncFn(&Credential) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let tell = |error: &ServiceError, attempt, wait| {
            tally.note(Retry { doing: error.doing.clone(), cause: error.cause.clone(), attempt, wait });
        };
        renewing(self.ecr, &PUSH, tell, async |credential| match push(credential).await {
            Err(error) if matches!(error.failure, Failure::Unreachable { .. }) => {
                Err(self.seen_through(error, repository).await)
            }
            result => result,
        })
        .await
    }

    /// What is behind a line that broke. ECR drops connections also where the repository is missing, or the caller may
    /// not push; the control plane says so.
    async fn seen_through(&self, broken: ServiceError, repository: &RepositoryName) -> ServiceError {
        match self.ecr.has_repository(repository).await {
            Ok(false) => {
                ServiceError { failure: Failure::RepositoryMissing { repository: repository.clone() }, ..broken }
            }
            Err(error) if matches!(error.failure.verdict(), Verdict::Final | Verdict::Renew) => error,
            Ok(true) | Err(_) => broken,
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
