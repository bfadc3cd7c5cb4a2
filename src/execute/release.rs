//! The second phase for one image: its release tags.

use super::events::ImageEvent;
use super::ports::{Ecr, Engine, Manifest, Registry, ServiceError};
use super::report::{Move, Published};
use super::stage::Staged;
use super::steps::Steps;
use crate::names::{Digest, ImageRef};
use crate::plan::ImagePlan;

/// How often an image that another run pushed meanwhile is taken over before this run insists on its own.
const ADOPTIONS: usize = 3;

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Writes the release tags; `moves` hears of each as soon as it is written.
    ///
    /// Two runs for the same content may have pushed two images that differ in times only. Whichever the staging tag
    /// names in the end is released by both, so that no tag of one names the image of the other.
    pub(super) async fn release(
        &self,
        image: &ImagePlan,
        staged: &Staged,
        moves: &mut Vec<Move>,
    ) -> Result<Published, ServiceError> {
        let mut digest = staged.digest.clone();
        for _ in 0..ADOPTIONS {
            let before = moves.len();
            let published = self.write_tags(image, &digest, moves).await?;
            if moves.len() == before {
                return Ok(published);
            }
            match self.staged_by_another(image, &digest).await? {
                None => return Ok(published),
                Some(other) => {
                    self.say(image, ImageEvent::Adopted(other.clone()));
                    digest = other;
                }
            }
        }
        self.write_tags(image, &digest, moves).await
    }

    async fn staged_by_another(&self, image: &ImagePlan, ours: &Digest) -> Result<Option<Digest>, ServiceError> {
        let Some(staging) = &image.staging else { return Ok(None) };
        let staging = ImageRef::tagged(&self.plan.registry, &image.repository, staging);
        Ok(self.digest(&staging).await?.filter(|found| found != ours))
    }

    async fn write_tags(
        &self,
        image: &ImagePlan,
        digest: &Digest,
        moves: &mut Vec<Move>,
    ) -> Result<Published, ServiceError> {
        let mut manifest = None;
        let mut references = Vec::with_capacity(image.tags.len());
        for tag in image.tags.iter().map(|planned| &planned.tag) {
            let target = ImageRef::tagged(&self.plan.registry, &image.repository, tag);
            references.push(target.clone());
            let before = match image.taken.get(tag) {
                // What the plan saw a moment ago need not be asked for again, if it is what is wanted.
                Some(seen) if seen == digest => Some(seen.clone()),
                _ => self.digest(&target).await?,
            };
            // An immutable tag is refused even for the image that it names; so it is not written again.
            if before.as_ref() == Some(digest) {
                self.say(image, ImageEvent::TaggedAlready(tag.clone()));
                continue;
            }
            let bytes = match manifest.take() {
                Some(bytes) => bytes,
                None => self.manifest(image, digest).await?,
            };
            self.write_tag(&target, &bytes).await?;
            manifest = Some(bytes);
            self.say(image, ImageEvent::Tagged { tag: tag.clone(), before: before.clone() });
            moves.push(Move { tag: tag.clone(), before, after: digest.clone() });
        }
        let size = manifest.as_ref().and_then(Manifest::size).or(image.size);
        Ok(Published { digest: digest.clone(), references, size })
    }

    async fn manifest(&self, image: &ImagePlan, digest: &Digest) -> Result<Manifest, ServiceError> {
        let image = ImageRef::digested(&self.plan.registry, &image.repository, digest);
        self.with_credential(1, async |credential| self.services.registry.manifest(&image, credential).await).await
    }

    async fn write_tag(&self, target: &ImageRef, manifest: &Manifest) -> Result<(), ServiceError> {
        tokio::time::sleep(self.pace.wait((self.services.elapsed)())).await;
        let registry = self.services.registry;
        self.with_credential(1, async |credential| registry.tag(target, manifest, credential).await).await
    }
}
