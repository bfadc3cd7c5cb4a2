//! Before an image is pushed, what registries can name of it is brought into its repository, so that the engine finds it
//! there and neither compresses nor sends it.
//!
//! An engine remembers under which digest it pulled a layer, and asks the target repository for that digest before it
//! compresses anew. So the base image's own blobs are put there while the image builds.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::book::{Claim, Seen};
use super::events::ImageEvent;
use super::ports::{Anatomy, Brought, BuiltImage, Door, Ecr, Engine, Layer, Registry, ServiceError, Source};
use super::stage::Piece;
use super::steps::Steps;
use crate::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName};
use crate::plan::{BaseImage, ImagePlan};

/// The least size of a blob that is brought beforehand, in bytes. Docker asks for what it remembers only of layers over
/// 10 MB; what is smaller is compressed and sent in less time than it takes to ask.
///
/// Source: moby, `distribution/push_v2.go`, `getMaxMountAndExistenceCheckAttempts`.
const SMALLEST: u64 = 1024 * 1024;

/// How many blobs of one image are on their way at once.
const AT_ONCE: usize = 4;

/// How many images that the tags of a run name are read for the names of their layers.
const MOST_EARLIER: usize = 3;

/// How long the base image's registry may take to say what the image is made of.
const LIMIT: Duration = Duration::from_secs(20);

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Brings into the image's repository what its base image is made of, and reads what earlier images there are made
    /// of. What goes wrong is told, and is no failure: the push sends what is missing.
    pub(super) async fn seed(&self, piece: &Piece<'_>) {
        let carriage = self.services.engine.carriage(piece.build).await.unwrap_or_default();
        if !carriage.seeds {
            return;
        }
        let base = piece.build.base.as_ref();
        let platform = piece.build.platform.as_ref().or(base.map(|base| &base.platform));
        let based = async {
            let Some(base) = base else { return };
            if let Err(error) = self.seed_base(piece, base).await {
                self.own.say(&piece.name, ImageEvent::NotSeeded(error.cause));
            }
        };
        tokio::join!(based, self.recall(piece.image, platform));
    }

    /// Reads what the images are made of that the tags of this image name now.
    async fn recall(&self, image: &ImagePlan, platform: Option<&Platform>) {
        let mut earlier: Vec<&Digest> = Vec::new();
        // A tag that moves with every release says most about what was there before.
        for digest in image.tags.iter().rev().filter_map(|planned| image.taken.get(&planned.tag)) {
            if !earlier.contains(&digest) && earlier.len() < MOST_EARLIER {
                earlier.push(digest);
            }
        }
        let read = stream::iter(earlier).map(async |digest| {
            let reference = ImageRef::digested(self.own.host, &image.repository, digest);
            let layers = self.own.with_credential(async |credential| {
                self.own.registry.layers(&reference, platform, Some(credential)).await
            });
            // An image that cannot be read is one that nothing can be taken from.
            if let Ok(layers) = layers.await {
                let remembered = self.services.engine.holds(&reference).await;
                self.book.note(&layers, &Seen::Here(&image.repository), remembered);
            }
        });
        read.buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    async fn seed_base(&self, piece: &Piece<'_>, base: &BaseImage) -> Result<(), ServiceError> {
        let began = (self.services.elapsed)();
        let layers = tokio::time::timeout(LIMIT, self.read_base(base)).await;
        let Ok(layers) = layers else { return Ok(()) };
        let Some(mut layers) = layers? else { return Ok(()) };
        layers.retain(|layer| layer.blob.size >= SMALLEST);
        // The largest first, so that the last one to end is not the one that takes longest.
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.blob.size));
        self.take_stock(&layers, &piece.image.repository).await;
        let brought: Vec<_> = stream::iter(&layers)
            .map(async |layer| (layer.blob.size, self.bring(&layer.diff_id, &piece.image.repository).await))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (mut there, mut sent, mut bytes) = (0, 0, 0);
        for (size, brought) in brought {
            match brought? {
                Brought::ThereAlready | Brought::Mounted => there += 1,
                Brought::Sent => (sent, bytes) = (sent + 1, bytes + size),
            }
        }
        if there + sent > 0 {
            let took = (self.services.elapsed)().saturating_sub(began);
            let base = base.image.clone();
            self.own.say(&piece.name, ImageEvent::Seeded { base, there, sent, bytes, took });
        }
        Ok(())
    }

    /// Notes which of these layers a repository has already.
    async fn take_stock(&self, layers: &[Layer], repository: &RepositoryName) {
        let is_unknown =
            |layer: &&Layer| self.book.page(&layer.diff_id).is_some_and(|page| !page.here.contains(repository));
        let unknown: Vec<Digest> = layers.iter().filter(is_unknown).map(|layer| layer.blob.digest.clone()).collect();
        let there = self.own.ecr.there(repository, &unknown).await;
        for layer in layers.iter().filter(|layer| there.contains(&layer.blob.digest)) {
            self.book.arrived(&layer.diff_id, repository);
        }
    }

    /// The layers of a base image; `None` if there is no way to its registry.
    async fn read_base(&self, base: &BaseImage) -> Result<Option<Vec<Layer>>, ServiceError> {
        let (image, platform) = (&base.image, Some(&base.platform));
        if image.host == *self.own.host {
            let layers = self
                .own
                .with_credential(async |credential| self.own.registry.layers(image, platform, Some(credential)).await);
            let layers = layers.await?;
            self.book.note(&layers, &Seen::Here(&image.repository), true);
            return Ok(Some(layers));
        }
        let Some(door) = self.open(&image.host).await? else { return Ok(None) };
        let layers = door.registry.layers(image, platform, door.credential.as_ref()).await?;
        // The build has the engine pull it, if it has not yet.
        self.book.note(&layers, &Seen::Elsewhere(image), true);
        Ok(Some(layers))
    }

    async fn open(&self, host: &RegistryHost) -> Result<Option<Door<Reg>>, ServiceError> {
        match self.services.elsewhere {
            Some(elsewhere) => elsewhere.open(host).await.map(Some),
            None => Ok(None),
        }
    }

    /// Brings a layer that the book knows into a repository.
    async fn bring(&self, diff_id: &Digest, repository: &RepositoryName) -> Result<Brought, ServiceError> {
        let Some(page) = self.book.page(diff_id) else { return Ok(Brought::ThereAlready) };
        let _alone = self.book.begin_move(&page.blob.digest).await;
        // Others may have brought it somewhere in between.
        let page = self.book.page(diff_id).unwrap_or(page);
        if page.here.contains(repository) {
            return Ok(Brought::ThereAlready);
        }
        let target = ImageRef::digested(self.own.host, repository, &page.blob.digest);
        let door = match &page.elsewhere {
            Some(image) => self.open(&image.host).await?,
            None => None,
        };
        let brought = self.own.with_credential(async |credential| {
            let elsewhere = door.iter().zip(&page.elsewhere).map(|(door, image)| Source {
                registry: &*door.registry,
                credential: door.credential.as_ref(),
                image: image.clone(),
            });
            let here = page.here.iter().map(|repository| Source {
                registry: self.own.registry,
                credential: Some(credential),
                image: ImageRef::digested(self.own.host, repository, &page.blob.digest),
            });
            let sources: Vec<_> = elsewhere.chain(here).collect();
            self.own.registry.bring(&page.blob, &target, page.here.first(), &sources, credential).await
        });
        let brought = brought.await?;
        self.book.arrived(diff_id, repository);
        Ok(brought)
    }

    /// What a built image is made of, once each of its layers is either in its repository or this image's own to send.
    ///
    /// Layers that another image of the run sends are waited for and then named.
    pub(super) async fn settle(&self, piece: &Piece<'_>, built: &BuiltImage) -> Option<(Anatomy, Claim<'_>)> {
        let anatomy = self.services.engine.anatomy(built).await.ok()??;
        let claim = self.book.claim(&anatomy.diff_ids).await;
        let known = anatomy.diff_ids.iter().filter(|diff_id| {
            let page = self.book.page(diff_id);
            page.is_some_and(|page| page.blob.size >= SMALLEST && !page.here.contains(&piece.image.repository))
        });
        let brought = stream::iter(known)
            .map(async |diff_id| self.bring(diff_id, &piece.image.repository).await)
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        for error in brought.await.into_iter().filter_map(Result::err) {
            self.own.say(&piece.name, ImageEvent::NotSeeded(error.cause));
        }
        Some((anatomy, claim))
    }

    /// Notes what the layers of a pushed image are called, for the images that come after it.
    pub(super) async fn remember(&self, piece: &Piece<'_>, anatomy: &Anatomy, digest: &Digest) {
        if self.plan.images.len() < 2 {
            return;
        }
        let Ok(manifest) = self.own.manifest(piece.image, digest).await else { return };
        let blobs = manifest.layers();
        if blobs.len() == anatomy.diff_ids.len() {
            let layers = anatomy.diff_ids.iter().cloned().zip(blobs);
            let layers: Vec<Layer> = layers.map(|(diff_id, blob)| Layer { diff_id, blob }).collect();
            self.book.note(&layers, &Seen::Here(&piece.image.repository), true);
        }
    }
}
