//! Several engines as one: each build goes to the one that builds its platform natively and has the least to do.

use std::cell::Cell;
use std::future::Future;

use crate::execute::events::{BuildEvent, PushEvent};
use crate::execute::ports::{
    Anatomy, Archive, BuildInputs, BuiltImage, Carriage, Credential, Engine, Failure, ServiceError,
};
use crate::names::{Digest, ImageRef, Platform};
use crate::plan::BuildPlan;

/// An engine that can be asked whether it is still there.
pub trait Mortal {
    /// Whether it answers.
    fn answers(&self) -> impl Future<Output = bool>;
}

/// The engines of a run.
pub struct Fleet<E>(Vec<Member<E>>);

/// One engine.
pub struct Member<E> {
    name: String,
    engine: E,
    /// What it builds without emulation.
    platforms: Vec<Platform>,
    busy: Cell<usize>,
    is_lost: Cell<bool>,
}

impl<E> Member<E> {
    /// An engine under its name in the pipeline file. `platforms` are those that it builds natively.
    pub fn new(name: impl Into<String>, engine: E, platforms: &[Platform]) -> Self {
        let platforms = platforms.iter().map(Platform::normalized).collect();
        Member { name: name.into(), engine, platforms, busy: Cell::new(0), is_lost: Cell::new(false) }
    }
}

impl<E> Member<E> {
    fn told(&self) -> String {
        format!("builder `{}`", self.name)
    }
}

/// A turn at an engine, which counts as long as it lasts, also if it is dropped half-way.
struct Turn<'a>(&'a Cell<usize>);

impl<'a> Turn<'a> {
    fn at(busy: &'a Cell<usize>) -> Self {
        busy.set(busy.get() + 1);
        Turn(busy)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<E> Fleet<E> {
    /// A fleet of these.
    pub fn new(members: Vec<Member<E>>) -> Self {
        Fleet(members)
    }

    /// No engine, for plans that build nothing.
    pub fn none() -> Self {
        Fleet(Vec::new())
    }

    /// The platform that images are built for that name none: that of the first engine.
    pub fn platform(&self) -> Option<&Platform> {
        self.0.first()?.platforms.first()
    }

    /// The engine for a platform, and whether it has to emulate it.
    fn choose(&self, platform: Option<&Platform>) -> Option<(&Member<E>, bool)> {
        let platform = platform.or_else(|| self.platform()).map(Platform::normalized);
        let alive = || self.0.iter().filter(|member| !member.is_lost.get());
        let is_native =
            |member: &&Member<E>| platform.as_ref().is_none_or(|platform| member.platforms.contains(platform));
        // Of several with as much to do, the first: what it built last time is in its cache.
        let native = alive().filter(is_native).min_by_key(|member| member.busy.get());
        native.map(|member| (member, false)).or_else(|| {
            let member = alive().min_by_key(|member| member.busy.get())?;
            // Whose platforms nobody knows may well build this one.
            Some((member, !member.platforms.is_empty()))
        })
    }

    fn named(&self, name: Option<&str>) -> Option<&Member<E>> {
        match name {
            Some(name) => self.0.iter().find(|member| member.name == name),
            None => self.0.first(),
        }
    }

    fn nobody(&self, doing: String) -> ServiceError {
        if self.0.is_empty() {
            let cause = "the plan was said to build nothing, so no builder was looked for".to_owned();
            return ServiceError { failure: Failure::Unexpected, doing, cause };
        }
        let names: Vec<&str> = self.0.iter().map(|member| member.name.as_str()).collect();
        ServiceError {
            failure: Failure::EngineUnreachable { address: names.join(", "), forbidden: false },
            doing,
            cause: "no builder is left that answers".to_owned(),
        }
    }
}

impl<E: Engine + Mortal> Fleet<E> {
    /// Whether a failure is the engine's end rather than the build's. Of the last moments of a daemon, not every failure
    /// says what it comes from.
    async fn is_lost(&self, member: &Member<E>, error: &ServiceError) -> bool {
        match error.failure {
            // Whoever has but one keeps asking it: it may be back.
            _ if self.0.len() < 2 => false,
            Failure::EngineUnreachable { .. } => true,
            Failure::BuildFailed { .. } | Failure::Unexpected => !member.engine.answers().await,
            _ => false,
        }
    }
}

impl<E: Engine + Mortal> Engine for Fleet<E> {
    async fn build(
        &self,
        build: &BuildPlan,
        inputs: &BuildInputs,
        tell: &dyn Fn(BuildEvent),
    ) -> Result<BuiltImage, ServiceError> {
        let mut last: Option<ServiceError> = None;
        loop {
            let Some((member, emulates)) = self.choose(build.platform.as_ref()) else {
                return Err(last.unwrap_or_else(|| self.nobody(format!("build `{}`", build.context))));
            };
            if emulates && let Some(platform) = &build.platform {
                if !build.emulate {
                    return Err(not_native(platform, build));
                }
                tell(BuildEvent::Warning(format!(
                    "no builder builds {platform} natively: {} emulates it",
                    member.told()
                )));
            }
            let result = {
                let _turn = Turn::at(&member.busy);
                member.engine.build(build, inputs, tell).await
            };
            match result {
                Ok(built) => return Ok(BuiltImage { builder: Some(member.name.clone()), ..built }),
                Err(error) if self.is_lost(member, &error).await => {
                    member.is_lost.set(true);
                    let cause = error.cause.lines().next().unwrap_or_default();
                    tell(BuildEvent::Warning(format!("{} is lost, its work moves to another: {cause}", member.told())));
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn push(
        &self,
        image: &BuiltImage,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
    ) -> Result<Digest, ServiceError> {
        let Some(member) = self.named(image.builder.as_deref()) else {
            return Err(self.nobody(format!("push `{target}`")));
        };
        let result = {
            let _turn = Turn::at(&member.busy);
            member.engine.push(image, target, credential, tell).await
        };
        match result {
            Err(error) if self.is_lost(member, &error).await => {
                member.is_lost.set(true);
                let address = member.name.clone();
                Err(ServiceError { failure: Failure::EngineUnreachable { address, forbidden: false }, ..error })
            }
            result => result,
        }
    }
    async fn carriage(&self, build: &BuildPlan) -> Result<Carriage, ServiceError> {
        match self.choose(build.platform.as_ref()) {
            Some((member, _)) => member.engine.carriage(build).await,
            None => Err(self.nobody(format!("build `{}`", build.context))),
        }
    }

    async fn anatomy(&self, image: &BuiltImage) -> Result<Option<Anatomy>, ServiceError> {
        match self.named(image.builder.as_deref()) {
            Some(member) => member.engine.anatomy(image).await,
            None => Err(self.nobody(format!("look at image `{}`", image.id))),
        }
    }
    async fn holds(&self, image: &ImageRef) -> bool {
        for member in self.0.iter().filter(|member| !member.is_lost.get()) {
            if !member.engine.holds(image).await {
                return false;
            }
        }
        !self.0.is_empty()
    }

    async fn hand_out(&self, image: &BuiltImage) -> Result<Archive, ServiceError> {
        match self.named(image.builder.as_deref()) {
            Some(member) => member.engine.hand_out(image).await,
            None => Err(self.nobody(format!("read image `{}`", image.id))),
        }
    }
}

fn not_native(platform: &Platform, build: &BuildPlan) -> ServiceError {
    ServiceError {
        failure: Failure::PlatformMissing { platform: platform.clone() },
        doing: format!("build `{}` for {platform}", build.context),
        cause: "`emulate` is off, and no builder has this platform".to_owned(),
    }
}
