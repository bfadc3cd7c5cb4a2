//! The three steps of one image: build, push, tag.

use std::time::Duration;

use super::Services;
use super::events::{Event, ImageEvent};
use super::ports::{BuiltImage, Credential, Ecr, Engine, Failure, Login, Registry, ServiceError};
use super::report::Published;
use crate::names::{Digest, ImageRef, Tag};
use crate::plan::{ImageAction, ImagePlan, Plan};

/// How often a push is begun anew where that may help.
const PUSH_ATTEMPTS: u32 = 4;

/// The pause before the second attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Steps<'a, Eng, Ctl, Reg> {
    pub(super) plan: &'a Plan,
    pub(super) services: &'a Services<'a, Eng, Ctl, Reg>,
    pub(super) tell: &'a dyn Fn(Event),
}

/// An image whose bytes are at hand.
pub(super) struct Built {
    source: Source,
    pub(super) took: Option<Duration>,
}

enum Source {
    Engine(BuiltImage),
    Registry(Digest),
}

/// An image whose bytes are in the registry.
pub(super) struct Pushed {
    digest: Digest,
    /// The tag that it was pushed under, if it was.
    tag: Option<Tag>,
    pub(super) took: Option<Duration>,
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    pub(super) async fn build(&self, image: &ImagePlan) -> Result<Built, ServiceError> {
        let build = match &image.action {
            ImageAction::Build(build) => build,
            ImageAction::Reuse { digest, .. } => {
                return Ok(Built { source: Source::Registry(digest.clone()), took: None });
            }
        };
        let login = match build.login {
            true => {
                let credential = self.services.ecr.credential().await?;
                Some(Login { host: self.plan.registry.clone(), credential })
            }
            false => None,
        };
        let began = (self.services.elapsed)();
        let tell = |event| self.say(image, ImageEvent::Build(event));
        let built = self.services.engine.build(build, login.as_ref(), &tell).await?;
        let took = (self.services.elapsed)().saturating_sub(began);
        self.say(image, ImageEvent::Built { id: built.id.clone(), took });
        Ok(Built { source: Source::Engine(built), took: Some(took) })
    }

    /// Pushes under the first tag; layers go up once, whatever the number of tags.
    pub(super) async fn push(&self, image: &ImagePlan, built: Built) -> Result<Pushed, ServiceError> {
        let built = match built.source {
            Source::Registry(digest) => return Ok(Pushed { digest, tag: None, took: None }),
            Source::Engine(built) => built,
        };
        let tag = &image.tags[0].tag;
        let target = ImageRef::tagged(&self.plan.registry, &image.repository, tag);
        let began = (self.services.elapsed)();
        let told = self
            .with_credential(PUSH_ATTEMPTS, async |credential| {
                let tell = |event| self.say(image, ImageEvent::Push(event));
                self.services.engine.push(&built, &target, credential, &tell).await
            })
            .await?;
        let found = self
            .with_credential(1, async |credential| self.services.registry.digest(&target, credential).await)
            .await?;
        if found.as_ref() != Some(&told) {
            return Err(contradiction(&target, &told, found.as_ref()));
        }
        let took = (self.services.elapsed)().saturating_sub(began);
        self.say(image, ImageEvent::Pushed { reference: target, digest: told.clone(), took });
        Ok(Pushed { digest: told, tag: Some(tag.clone()), took: Some(took) })
    }

    /// Writes the tags that the push did not: one small request each.
    pub(super) async fn tag(&self, image: &ImagePlan, pushed: Pushed) -> Result<Published, ServiceError> {
        let (host, repository) = (&self.plan.registry, &image.repository);
        let by_digest = ImageRef::digested(host, repository, &pushed.digest);
        let registry = self.services.registry;
        let manifest =
            self.with_credential(1, async |credential| registry.manifest(&by_digest, credential).await).await?;
        let mut references = Vec::with_capacity(image.tags.len());
        for tag in image.tags.iter().map(|planned| &planned.tag) {
            let target = ImageRef::tagged(host, repository, tag);
            if pushed.tag.as_ref() != Some(tag) {
                let there =
                    self.with_credential(1, async |credential| registry.digest(&target, credential).await).await?;
                // An immutable tag is refused even for the image that it names; so it is not written again.
                if there.as_ref() == Some(&pushed.digest) {
                    self.say(image, ImageEvent::TaggedAlready(tag.clone()));
                } else {
                    self.with_credential(1, async |credential| registry.tag(&target, &manifest, credential).await)
                        .await?;
                    self.say(image, ImageEvent::Tagged(tag.clone()));
                }
            }
            references.push(target);
        }
        Ok(Published { digest: pushed.digest, references, size: manifest.size() })
    }

    /// Calls the registry with the credential; once more with a new one if it is refused, and `attempts` times in
    /// all where a pause may help: the registry is busy, or does not know yet of a repository that was just made.
    async fn with_credential<T>(
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

    fn say(&self, image: &ImagePlan, event: ImageEvent) {
        (self.tell)(Event::Image(image.name.clone(), event));
    }
}

fn contradiction(target: &ImageRef, told: &Digest, found: Option<&Digest>) -> ServiceError {
    let found = found.map_or("nothing".to_owned(), ToString::to_string);
    ServiceError {
        failure: Failure::Unexpected,
        doing: format!("check {target} after the push"),
        cause: format!("the push ended with {told}, but the registry has {found} under this tag"),
    }
}
