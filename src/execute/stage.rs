//! The first phase for one image: built, and pushed under its staging tag.

use std::collections::BTreeMap;
use std::time::Duration;

use super::events::ImageEvent;
use super::ports::{BuildInputs, BuiltImage, Ecr, Engine, Failure, Login, Registry, ServiceError};
use super::steps::Steps;
use crate::names::{Digest, ImageRef, Tag};
use crate::plan::{BuildPlan, ImageAction, ImagePlan};

/// How often a push is begun anew where that may help.
const PUSH_ATTEMPTS: u32 = 4;

/// An image that is in its repository, but not released.
pub(super) struct Staged {
    pub(super) digest: Digest,
    pub(super) build_took: Option<Duration>,
    pub(super) push_took: Option<Duration>,
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Builds and pushes an image; `needed` are the digests of those that it needs, by their names.
    pub(super) async fn stage(
        &self,
        image: &ImagePlan,
        needed: &BTreeMap<String, Digest>,
    ) -> Result<Staged, ServiceError> {
        let build = match &image.action {
            ImageAction::Build { build, .. } => build,
            ImageAction::Reuse { digest, .. } => {
                return Ok(Staged { digest: digest.clone(), build_took: None, push_took: None });
            }
        };
        let began = (self.services.elapsed)();
        let built = self.build(image, build, needed).await?;
        let build_took = (self.services.elapsed)().saturating_sub(began);
        self.say(image, ImageEvent::Built { id: built.id.clone(), took: build_took });

        let began = (self.services.elapsed)();
        let target = ImageRef::tagged(&self.plan.registry, &image.repository, &staging_tag(image, &built)?);
        let digest = match self.push(image, &built, &target).await {
            Ok(digest) => digest,
            // Tags of this repository do not move, and the same content was pushed before.
            Err(error) if matches!(error.failure, Failure::TagTaken { .. }) => {
                let digest = self.digest(&target).await?.ok_or(error)?;
                self.say(image, ImageEvent::Adopted(digest.clone()));
                digest
            }
            Err(error) => return Err(error),
        };
        self.attach_record(image, &digest).await;
        let push_took = (self.services.elapsed)().saturating_sub(began);
        self.say(image, ImageEvent::Pushed { reference: target, digest: digest.clone(), took: push_took });
        Ok(Staged { digest, build_took: Some(build_took), push_took: Some(push_took) })
    }

    /// Keeps the record beside the image. It only explains later builds, so that its loss is no failure.
    async fn attach_record(&self, image: &ImagePlan, digest: &Digest) {
        let Some(record) = &image.record else { return };
        let registry = self.services.registry;
        let subject = ImageRef::digested(&self.plan.registry, &image.repository, digest);
        let attached = self.with_credential(1, async |credential| {
            let manifest = registry.manifest(&subject, credential).await?;
            registry.attach(&subject, &manifest, record, credential).await
        });
        if let Err(error) = attached.await {
            self.say(image, ImageEvent::RecordLost(error.cause));
        }
    }

    async fn build(
        &self,
        image: &ImagePlan,
        build: &BuildPlan,
        needed: &BTreeMap<String, Digest>,
    ) -> Result<BuiltImage, ServiceError> {
        let login = match build.login {
            true => {
                let credential = self.services.ecr.credential().await?;
                Some(Login { host: self.plan.registry.clone(), credential })
            }
            false => None,
        };
        let tell = |event| self.say(image, ImageEvent::Build(event));
        let inputs = BuildInputs { login, images: self.references(needed) };
        self.services.engine.build(build, &inputs, &tell).await
    }

    /// Images of the run by the names under which a build finds them in the registry.
    fn references(&self, needed: &BTreeMap<String, Digest>) -> BTreeMap<String, ImageRef> {
        let images = self.plan.images.iter().filter_map(|image| Some((image, needed.get(&image.name)?)));
        let reference = |(image, digest): (&ImagePlan, &Digest)| {
            (image.name.clone(), ImageRef::digested(&self.plan.registry, &image.repository, digest))
        };
        images.map(reference).collect()
    }

    async fn push(&self, image: &ImagePlan, built: &BuiltImage, target: &ImageRef) -> Result<Digest, ServiceError> {
        let pushed = self.with_credential(PUSH_ATTEMPTS, async |credential| {
            let tell = |event| self.say(image, ImageEvent::Push(event));
            self.services.engine.push(built, target, credential, &tell).await
        });
        let told = pushed.await?;
        match self.digest(target).await? {
            Some(found) if found == told => Ok(told),
            found => Err(contradiction(target, &told, found.as_ref())),
        }
    }
}

/// The tag of the image's content key; without a key, a tag that only this very image can have.
fn staging_tag(image: &ImagePlan, built: &BuiltImage) -> Result<Tag, ServiceError> {
    if let Some(tag) = &image.staging {
        return Ok(tag.clone());
    }
    let id = built.id.strip_prefix("sha256:").unwrap_or(&built.id);
    let short: String = id.chars().take(20).collect();
    format!("src-{short}").parse().map_err(|error| ServiceError {
        failure: Failure::Unexpected,
        doing: format!("derive a staging tag from the image id `{}`", built.id),
        cause: format!("{error}"),
    })
}

fn contradiction(target: &ImageRef, told: &Digest, found: Option<&Digest>) -> ServiceError {
    let found = found.map_or("nothing".to_owned(), ToString::to_string);
    ServiceError {
        failure: Failure::Unexpected,
        doing: format!("check {target} after the push"),
        cause: format!("the push ended with {told}, but the registry has {found} under this tag"),
    }
}
