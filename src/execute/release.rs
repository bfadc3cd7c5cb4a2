//! The second phase for one image at one site: its release tags.

use super::events::ImageEvent;
use super::ports::{Ecr, Manifest, Registry, ServiceError};
use super::report::{Move, Published};
use super::site::{Here, Site};
use crate::names::{Digest, ImageRef};

/// How often an image that another run pushed meanwhile is taken over before this run insists on its own.
const ADOPTIONS: usize = 3;

impl<Ctl: Ecr, Reg: Registry> Site<'_, Ctl, Reg> {
    /// Writes the release tags; `moves` hears of each as soon as it is written.
    ///
    /// Two runs for the same content may have pushed two images that differ in times only. Whichever the staging tag
    /// names in the end is released by both, so that no tag of one names the image of the other.
    pub(super) async fn release(
        &self,
        here: Here<'_>,
        staged: &Digest,
        moves: &mut Vec<Move>,
    ) -> Result<Published, ServiceError> {
        let mut digest = staged.clone();
        for _ in 0..ADOPTIONS {
            let before = moves.len();
            let published = self.write_tags(here, &digest, moves).await?;
            if moves.len() == before {
                return Ok(published);
            }
            match self.staged_by_another(here, &digest).await? {
                None => return Ok(published),
                Some(other) => {
                    self.say(&here.image.name, ImageEvent::Adopted(other.clone()));
                    digest = other;
                }
            }
        }
        self.write_tags(here, &digest, moves).await
    }

    /// A replica follows what was released in the run's own registry, and asks nobody.
    async fn staged_by_another(&self, here: Here<'_>, ours: &Digest) -> Result<Option<Digest>, ServiceError> {
        let Some(staging) = here.staging.filter(|_| !self.is_replica) else { return Ok(None) };
        let staging = ImageRef::tagged(self.host, &here.image.repository, staging);
        Ok(self.digest(&staging).await?.filter(|found| found != ours))
    }

    pub(super) async fn write_tags(
        &self,
        here: Here<'_>,
        digest: &Digest,
        moves: &mut Vec<Move>,
    ) -> Result<Published, ServiceError> {
        let image = here.image;
        let mut manifest = None;
        let mut references = Vec::with_capacity(image.tags.len());
        for tag in image.tags.iter().map(|planned| &planned.tag) {
            let target = ImageRef::tagged(self.host, &image.repository, tag);
            references.push(target.clone());
            let before = match here.taken.get(tag) {
                // What the plan saw a moment ago need not be asked for again, if it is what is wanted.
                Some(seen) if seen == digest => Some(seen.clone()),
                _ => self.digest(&target).await?,
            };
            // An immutable tag is refused even for the image that it names; so it is not written again.
            if before.as_ref() == Some(digest) {
                self.say(&image.name, ImageEvent::TaggedAlready { tag: tag.clone(), replica: self.elsewhere() });
                continue;
            }
            let bytes = match manifest.take() {
                Some(bytes) => bytes,
                None => self.manifest(image, digest).await?,
            };
            self.write_tag(&target, &bytes).await?;
            manifest = Some(bytes);
            self.say(
                &image.name,
                ImageEvent::Tagged { tag: tag.clone(), before: before.clone(), replica: self.elsewhere() },
            );
            moves.push(Move { tag: tag.clone(), before, after: digest.clone(), replica: self.elsewhere() });
        }
        let size = manifest.as_ref().and_then(Manifest::size).or(image.size);
        Ok(Published { registry: self.host.clone(), digest: digest.clone(), references, size })
    }
}
