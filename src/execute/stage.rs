//! The first phase for one image: built, and pushed under its staging tag.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Goal;
use super::events::ImageEvent;
use super::index::index;
use super::order::{Needed, Ready};
use super::ports::{
    Anatomy, BuildInputs, BuiltImage, Destination, Ecr, Engine, Failure, Login, Registry, ServiceError,
};
use super::report::PartReport;
use super::road::Choice;
use super::steps::Steps;
use crate::names::{Digest, ImageRef, Tag};
use crate::plan::{BuildPlan, ImageAction, ImagePlan, PartAction, PartPlan, PushBy, Record};

/// How often an image is built again because its builder was lost before it was pushed.
const MOST_LOSSES: u32 = 3;

/// An image that is in its repository, but not released.
pub(super) struct Staged {
    pub(super) digest: Digest,
    /// Of an index, its images.
    pub(super) parts: Vec<PartReport>,
    pub(super) build_took: Option<Duration>,
    pub(super) push_took: Option<Duration>,
    /// Who pushed it, and why; of several parts, the first.
    pub(super) road: Option<Choice>,
}

impl Staged {
    /// What others may be built upon.
    pub(super) fn ready(&self) -> Ready {
        Ready { digest: self.digest.clone(), parts: self.parts.clone() }
    }
}

/// What is built and pushed as one: an image, or what it is for one platform.
pub(super) struct Piece<'a> {
    pub(super) image: &'a ImagePlan,
    /// How it is told of.
    pub(super) name: String,
    pub(super) build: &'a BuildPlan,
    staging: Option<&'a Tag>,
    record: Option<&'a Record>,
    /// The images that it needs, by their names.
    needed: &'a Needed,
}

/// Why it is not in the registry.
enum NotPushed {
    /// It was built, but its builder does not answer any more.
    Lost(ServiceError),
    Failed(ServiceError),
}

impl From<ServiceError> for NotPushed {
    fn from(error: ServiceError) -> Self {
        NotPushed::Failed(error)
    }
}

/// What came of it.
struct Pushed {
    digest: Digest,
    build_took: Option<Duration>,
    push_took: Option<Duration>,
    road: Option<Choice>,
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Builds and pushes an image; `needed` are those that it needs.
    pub(super) async fn stage(&self, image: &ImagePlan, needed: &Needed) -> Result<Staged, ServiceError> {
        let pushed = match &image.action {
            ImageAction::Assemble { parts, .. } => return self.stage_parts(image, parts, needed).await,
            ImageAction::Reuse { digest, .. } => Pushed::there_already(digest),
            ImageAction::Build { build, .. } => {
                let (staging, record) = (image.staging.as_ref(), image.record.as_ref());
                self.stage_piece(&Piece { image, name: image.name.clone(), build, staging, record, needed }).await?
            }
        };
        let Pushed { digest, build_took, push_took, road } = pushed;
        if image.single {
            self.check_single(image, &digest).await?;
        }
        Ok(Staged { digest, parts: Vec::new(), build_took, push_took, road })
    }

    /// Stages the image of every platform, and then the index of them all. One that fails lets the others finish.
    async fn stage_parts(
        &self,
        image: &ImagePlan,
        parts: &[PartPlan],
        needed: &Needed,
    ) -> Result<Staged, ServiceError> {
        let staged = join_all(parts.iter().map(async |part| match &part.action {
            PartAction::Reuse { digest, .. } => Ok(Pushed::there_already(digest)),
            PartAction::Build { build, .. } => {
                let (staging, record) = (part.staging.as_ref(), part.record.as_ref());
                self.stage_piece(&Piece { image, name: part.told_as(&image.name), build, staging, record, needed })
                    .await
            }
        }));
        let staged = staged.await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let reports = parts
            .iter()
            .zip(&staged)
            .map(|(part, pushed)| PartReport { platform: part.platform.clone(), digest: pushed.digest.clone() });
        let reports: Vec<PartReport> = reports.collect();
        let digest = match (self.services.goal, reports.first()) {
            // The index is for whoever has all parts.
            (Goal::Parts, Some(first)) => first.digest.clone(),
            _ => self.assemble(image, &reports).await?,
        };
        let longest = |took: fn(&Pushed) -> Option<Duration>| staged.iter().filter_map(took).max();
        Ok(Staged {
            digest,
            parts: reports,
            build_took: longest(|pushed| pushed.build_took),
            push_took: longest(|pushed| pushed.push_took),
            road: staged.iter().find_map(|pushed| pushed.road.clone()),
        })
    }

    async fn assemble(&self, image: &ImagePlan, parts: &[PartReport]) -> Result<Digest, ServiceError> {
        let mut manifests = Vec::with_capacity(parts.len());
        for part in parts {
            manifests.push((part.platform.clone(), self.own.manifest(image, &part.digest).await?));
        }
        let index = index(&manifests)?;
        let target = match &image.staging {
            Some(staging) => ImageRef::tagged(self.own.host, &image.repository, staging),
            None => ImageRef::digested(self.own.host, &image.repository, &index.digest),
        };
        // Tags that do not move are not written again, not even for the image that they name.
        if self.own.digest(&target).await?.as_ref() != Some(&index.digest)
            && let Err(error) = self.own.write_tag(&target, &index).await
        {
            let is_taken = matches!(error.failure, Failure::TagTaken { .. });
            // Another run was quicker with an index of the same content.
            let adopted = if is_taken { self.own.digest(&target).await? } else { None }.ok_or(error)?;
            self.own.say(&image.name, ImageEvent::Adopted(adopted.clone()));
            return Ok(adopted);
        }
        self.attach_record(image, &image.name, image.record.as_ref(), &index.digest).await;
        let event = ImageEvent::Assembled { reference: target, digest: index.digest.clone(), images: parts.len() };
        self.own.say(&image.name, event);
        Ok(index.digest)
    }

    /// Builds and pushes one piece. An image that was lost with its builder is built again.
    async fn stage_piece(&self, piece: &Piece<'_>) -> Result<Pushed, ServiceError> {
        let mut losses = 0;
        loop {
            match self.stage_piece_once(piece).await {
                Err(NotPushed::Lost(_)) if losses < MOST_LOSSES => losses += 1,
                Err(NotPushed::Lost(error) | NotPushed::Failed(error)) => return Err(error),
                Ok(pushed) => return Ok(pushed),
            }
        }
    }

    async fn stage_piece_once(&self, piece: &Piece<'_>) -> Result<Pushed, NotPushed> {
        let image = piece.image;
        let (built, build_took) = self.build_and_seed(piece).await?;
        let began = (self.services.elapsed)();
        let settled = self.settle(piece, &built).await;
        // As with the builds, the semaphore is never closed.
        let _way = self.ways.acquire().await;
        let target = ImageRef::tagged(self.own.host, &image.repository, &staging_tag(piece.staging, &built)?);
        let road = self.road(piece, settled.as_ref().map(|(anatomy, _)| anatomy)).await;
        let anatomy = settled.as_ref().map(|(anatomy, _)| anatomy).filter(|_| road.by == PushBy::Direct);
        let digest = match self.push(piece, &built, &target, anatomy).await {
            Ok(digest) => digest,
            // Tags of this repository do not move, and the same content was pushed before.
            Err(error) if matches!(error.failure, Failure::TagTaken { .. }) => {
                let digest = self.own.digest(&target).await?.ok_or(error)?;
                self.own.say(&piece.name, ImageEvent::Adopted(digest.clone()));
                digest
            }
            Err(error) if matches!(error.failure, Failure::EngineUnreachable { .. }) => {
                return Err(NotPushed::Lost(error));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some((anatomy, claim)) = settled {
            if road.by != PushBy::Direct {
                self.remember(piece, &anatomy, &digest).await;
            }
            drop(claim);
        }
        self.attach_record(image, &piece.name, piece.record, &digest).await;
        let cache_tag = piece.build.cache.as_ref().and_then(|cache| cache.to.as_ref()).filter(|_| built.holds_cache);
        if let Some(target) = cache_tag
            && let Err(error) = self.keep_cache(image, &digest, target).await
        {
            self.own.say(&piece.name, ImageEvent::CacheLost(error.cause));
        }
        let push_took = (self.services.elapsed)().saturating_sub(began);
        let event = ImageEvent::Pushed { reference: target, digest: digest.clone(), took: push_took };
        self.own.say(&piece.name, event);
        Ok(Pushed { digest, build_took: Some(build_took), push_took: Some(push_took), road: Some(road) })
    }

    /// Builds, and meanwhile brings into the repository what can be named already. The second is waited for as well: what
    /// it brings the push would have to compress and send.
    async fn build_and_seed(&self, piece: &Piece<'_>) -> Result<(BuiltImage, Duration), ServiceError> {
        let build = async {
            // The semaphore is never closed, and without a turn the build is merely one too many.
            let _turn = self.turns.acquire().await;
            let began = (self.services.elapsed)();
            let built = self.build(piece).await?;
            let took = (self.services.elapsed)().saturating_sub(began);
            self.own.say(&piece.name, ImageEvent::Built { id: built.id.clone(), took });
            Ok((built, took))
        };
        let seed = async {
            self.seed(piece).await;
            Ok(())
        };
        tokio::try_join!(build, seed).map(|(built, ())| built)
    }

    /// Keeps the record beside the image. It only explains later builds, so that its loss is no failure.
    async fn attach_record(&self, image: &ImagePlan, name: &str, record: Option<&Record>, digest: &Digest) {
        let Some(record) = record else { return };
        let subject = ImageRef::digested(&self.plan.registry, &image.repository, digest);
        if let Err(error) = self.own.attach(&subject, record).await {
            self.own.say(name, ImageEvent::RecordLost(error.cause));
        }
    }

    /// Has later builds find the image by the tag of the cache, in whose repository it may not be yet.
    async fn keep_cache(&self, image: &ImagePlan, digest: &Digest, target: &ImageRef) -> Result<(), ServiceError> {
        if target.repository == image.repository {
            let manifest = self.own.manifest(image, digest).await?;
            return self.own.write_tag(target, &manifest).await;
        }
        let source = ImageRef::digested(self.own.host, &image.repository, digest);
        let registry = self.own.registry;
        let copied = self.own.pushing(&target.repository, self.services.retries, async |credential| {
            let to = [Destination { registry, credential, image: target.clone(), stock: Some(self.own.ecr) }];
            registry.copy(&source, credential, &to, &|_| {}).await.into_iter().collect::<Result<(), _>>()
        });
        copied.await
    }

    async fn build(&self, piece: &Piece<'_>) -> Result<BuiltImage, ServiceError> {
        let login = match piece.build.login {
            true => {
                let credential = self.own.ecr.credential().await?;
                Some(Login { host: self.plan.registry.clone(), credential })
            }
            false => None,
        };
        let tell = |event| self.own.say(&piece.name, ImageEvent::Build(event));
        let inputs = BuildInputs { login, images: self.references(piece) };
        self.services.engine.build(piece.build, &inputs, &tell).await
    }

    /// Images of the run by the names under which a build finds them in the registry.
    fn references(&self, piece: &Piece<'_>) -> BTreeMap<String, ImageRef> {
        let images = self.plan.images.iter().filter_map(|image| Some((image, piece.needed.get(&image.name)?)));
        let reference = |(image, ready): (&ImagePlan, &Arc<Ready>)| {
            let digest = ready.on(piece.build.platform.as_ref());
            (image.name.clone(), ImageRef::digested(self.own.host, &image.repository, digest))
        };
        images.map(reference).collect()
    }

    /// Looks at what came out where only a plain manifest will do.
    async fn check_single(&self, image: &ImagePlan, digest: &Digest) -> Result<(), ServiceError> {
        let manifest = self.own.manifest(image, digest).await?;
        if !manifest.is_index() {
            return Ok(());
        }
        let doing = format!("check that {} is one manifest", digest.short());
        let cause = format!("the registry has it as `{}`", manifest.media_type);
        Err(ServiceError { failure: Failure::NotSingle, doing, cause })
    }

    /// Pushes; through our own hands if it is said what the image is made of.
    async fn push(
        &self,
        piece: &Piece<'_>,
        built: &BuiltImage,
        target: &ImageRef,
        direct: Option<&Anatomy>,
    ) -> Result<Digest, ServiceError> {
        let pushed = self.own.pushing(&piece.image.repository, self.services.retries, async |credential| {
            let tell = |event| self.own.say(&piece.name, ImageEvent::Push(event));
            match direct {
                Some(anatomy) => self.push_directly(piece, built, target, anatomy, credential).await,
                None => self.services.engine.push(built, target, credential, &tell).await,
            }
        });
        let told = match pushed.await {
            // What the engine handed out was not understood; it can push it itself.
            Err(ServiceError { failure: Failure::Unexpected, cause, .. })
                if direct.is_some() && piece.build.transport.by == PushBy::Auto =>
            {
                self.own.say(&piece.name, ImageEvent::Road(Choice { by: PushBy::Daemon, why: cause }));
                return Box::pin(self.push(piece, built, target, None)).await;
            }
            result => result?,
        };
        match self.own.digest(target).await? {
            Some(found) if found == told => Ok(told),
            found => Err(contradiction(target, &told, found.as_ref())),
        }
    }
}

impl Pushed {
    fn there_already(digest: &Digest) -> Self {
        Pushed { digest: digest.clone(), build_took: None, push_took: None, road: None }
    }
}

/// The tag of the image's content key; without a key, a tag that only this very image can have.
fn staging_tag(staging: Option<&Tag>, built: &BuiltImage) -> Result<Tag, ServiceError> {
    if let Some(tag) = staging {
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
