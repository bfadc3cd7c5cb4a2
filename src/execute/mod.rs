//! Carries out a plan through few ports, and says what happens as it happens.
//!
//! Two phases. First every image is built and pushed under its staging tag; one that fails lets the others finish, but
//! then nothing is released. Only when all are up, have passed the gates that are set, and are signed where they must be,
//! are the release tags written, which moves no layer.

mod book;
mod build_only;
mod direct;
pub mod events;
mod gate;
mod index;
mod order;
mod pace;
pub mod ports;
mod provision;
mod release;
mod renewal;
mod replicate;
mod replication;
pub mod report;
pub mod road;
mod seed;
mod signing;
mod site;
mod stage;
mod steps;

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::Semaphore;

use crate::names::Digest;
use crate::plan::{ImagePlan, Plan};
use crate::retry::Tally;
use book::Book;
pub use build_only::build_only;
use events::Event;
pub use gate::{Scanner, targets};
use order::Outcomes;
use ports::{Ecr, Elsewhere, Engine, Registry, ServiceError};
pub use provision::{Provisioned, provision};
pub use renewal::renewing;
use report::{ImageReport, Move, Outcome, Published, Report};
use site::Site;
use stage::Staged;
use steps::Steps;

/// ECR's quota of PutImage calls a second, for an account and region. Source: ECR user guide, "Service quotas".
const TAGS_A_SECOND: usize = 10;

/// How many images are on their way to a registry at once, for each that may be built: the network is not bound by cores.
const WAYS_A_JOB: usize = 3;

/// The ways to a registry that images are copied to.
pub struct Replica<'a, Ctl, Reg> {
    /// Creates repositories and gives the credential.
    pub ecr: &'a Ctl,
    /// Looks up digests and writes tags.
    pub registry: &'a Reg,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The image of each platform is staged, but no index: other runs have the other platforms.
    Parts,
    /// Every image is staged.
    Staged,
    /// The release tags are written.
    Released,
}

/// What a plan is carried out with.
pub struct Services<'a, Eng, Ctl, Reg> {
    /// Builds and pushes.
    pub engine: &'a Eng,
    /// Creates repositories and gives the credential.
    pub ecr: &'a Ctl,
    /// Looks up digests and writes tags.
    pub registry: &'a Reg,
    /// The same for each of the plan's replicas.
    pub replicas: Vec<Replica<'a, Ctl, Reg>>,
    /// The way to the registries of base images; without it nothing is taken from there.
    pub elsewhere: Option<&'a dyn Elsewhere<Reg>>,
    /// Hears of what is tried again.
    pub retries: &'a Tally,
    /// The time that has passed since some fixed moment.
    pub elapsed: &'a dyn Fn() -> Duration,
    /// How many images are worked on at once; at least 1.
    pub jobs: usize,
    /// Where to stop.
    pub goal: Goal,
}

/// Carries out the plan. Never fails as such: what failed is in the report.
pub async fn run<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    plan: &Plan,
    services: &Services<'_, Eng, Ctl, Reg>,
    tell: &dyn Fn(Event),
) -> Report {
    let began = (services.elapsed)();
    let site = |host, ecr, registry| Site::new(host, ecr, registry, services.elapsed, tell);
    let replicas = plan.replicas.iter().zip(&services.replicas);
    let steps = Steps {
        plan,
        services,
        own: site(&plan.registry, services.ecr, services.registry),
        turns: Semaphore::new(services.jobs.max(1)),
        ways: Semaphore::new(services.jobs.max(1) * WAYS_A_JOB),
        book: Book::default(),
        replicas: replicas.map(|(plan, ways)| site(&plan.registry, ways.ecr, ways.registry).into_replica()).collect(),
    };
    let mut report = Report {
        images: plan.images.iter().map(not_begun).collect(),
        created: Vec::new(),
        failures: Vec::new(),
        took: Duration::ZERO,
    };
    provide_repositories(&steps, &mut report, tell).await;
    let scanning = match services.goal {
        Goal::Released if report.failures.is_empty() => gate::look(&steps, &mut report).await,
        _ => gate::AllScanning::new(),
    };
    if report.failures().next().is_none()
        && let Some(staged) = stage_all(&steps, &mut report).await
        && services.goal != Goal::Parts
        && (services.goal != Goal::Released || gate::gate_all(&steps, &scanning, &staged, &mut report).await)
        && (services.goal != Goal::Released || signing::require_all(&steps, &staged, &mut report).await)
        && replicate_all(&steps, &staged, &mut report).await
        && services.goal == Goal::Released
    {
        release_all(&steps, &staged, &mut report).await;
        signing::report_all(&steps, &mut report).await;
    }
    report.took = (services.elapsed)().saturating_sub(began);
    report
}

async fn provide_repositories<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
    tell: &dyn Fn(Event),
) {
    let replicas = steps.plan.replicas.iter().zip(&steps.replicas).map(|(plan, site)| (&plan.repositories, site));
    for (repositories, site) in std::iter::once((&steps.plan.repositories, &steps.own)).chain(replicas) {
        let elsewhere = site.elsewhere();
        let done = provision(repositories, site.ecr, elsewhere.as_ref(), tell).await;
        if elsewhere.is_none() {
            report.created.extend(done.created);
        }
        report.failures.extend(done.failures);
    }
}

/// The first phase. The images go on to the second only if none failed.
async fn stage_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
) -> Option<Vec<Staged>> {
    // Builds wait for their turn, so that those that are being pushed keep no other from being built.
    let at_once = steps.services.jobs.max(1) * (1 + WAYS_A_JOB);
    let outcomes = Outcomes::of(&steps.plan.images);
    // An image that waits holds a job, but what it waits for has begun before it.
    let images = stream::iter(order::dependencies_first(&steps.plan.images))
        .map(|at| stage_one(steps, at, &outcomes))
        .buffered(at_once)
        .collect::<Vec<_>>();
    // The credential is fetched while the builds run; whoever needs it next finds it there.
    let (credential, results) = tokio::join!(steps.services.ecr.credential(), images);
    if let Err(error) = credential {
        report.failures.push(error);
        return None;
    }
    let mut all = Vec::with_capacity(results.len());
    for (at, result) in results {
        let image = &mut report.images[at];
        match result {
            None => {}
            Some(Ok(staged)) => {
                (image.build_took, image.push_took) = (staged.build_took, staged.push_took);
                image.road.clone_from(&staged.road);
                image.parts.clone_from(&staged.parts);
                image.outcome = Outcome::Staged(staged.digest.clone());
                all.push((at, staged));
            }
            Some(Err(error)) => image.outcome = Outcome::Failed(error),
        }
    }
    all.sort_by_key(|(at, _)| *at);
    let all: Vec<Staged> = all.into_iter().map(|(_, staged)| staged).collect();
    (all.len() == report.images.len()).then_some(all)
}

/// Stages one image when all that it needs is staged; `None` if something that it needs failed.
async fn stage_one<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    at: usize,
    outcomes: &Outcomes,
) -> (usize, Option<Result<Staged, ServiceError>>) {
    let image = &steps.plan.images[at];
    let result = match outcomes.needs_of(image).await {
        Some(needed) => Some(steps.stage(image, &needed).await),
        None => None,
    };
    outcomes.note(&image.name, result.as_ref().and_then(|result| Some(result.as_ref().ok()?.ready())));
    (at, result)
}

/// Copies all images to the other registries; whether all arrived. One that does not lets the others finish.
async fn replicate_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    staged: &[Staged],
    report: &mut Report,
) -> bool {
    if steps.replicas.is_empty() {
        return true;
    }
    let copies = stream::iter(staged.iter().enumerate())
        .map(async |(at, staged)| steps.replicate(at, &staged.digest, staged.push_took.is_some()).await)
        .buffered(steps.services.jobs.max(1) * WAYS_A_JOB);
    let results: Vec<_> = copies.collect().await;
    let mut all = true;
    for (told, result) in report.images.iter_mut().zip(results) {
        if let Err(error) = result {
            told.outcome = Outcome::Failed(error);
            all = false;
        }
    }
    all
}

/// The second phase: one image after the other, so that a failure stops at a place that can be told. The run's own
/// registry comes first, because what is released there in the end is what the others follow.
async fn release_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    staged: &[Staged],
    report: &mut Report,
) {
    let mut released: Vec<Digest> = staged.iter().map(|staged| staged.digest.clone()).collect();
    if steps.plan.release_here {
        for (at, told) in report.images.iter_mut().enumerate() {
            match steps.own.release(steps.here(at), &released[at], &mut told.moves).await {
                Ok(published) => {
                    released[at] = published.digest.clone();
                    told.outcome = Outcome::Published(published);
                }
                Err(error) => {
                    told.outcome = Outcome::Failed(error);
                    return;
                }
            }
        }
    }
    for (replica, site) in steps.replicas.iter().enumerate() {
        for (at, told) in report.images.iter_mut().enumerate() {
            match release_there(steps, site, replica, at, &staged[at].digest, &released[at], &mut told.moves).await {
                Ok(published) if !matches!(told.outcome, Outcome::Published(_)) => {
                    told.outcome = Outcome::Published(published);
                }
                Ok(_) => {}
                Err(error) => {
                    told.outcome = Outcome::Failed(error);
                    return;
                }
            }
        }
    }
}

/// Releases one image in one replica.
async fn release_there<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    site: &Site<'_, Ctl, Reg>,
    replica: usize,
    at: usize,
    staged: &Digest,
    released: &Digest,
    moves: &mut Vec<Move>,
) -> Result<Published, ServiceError> {
    // Another run's image was released in its place; then that one has to be there first.
    if staged != released {
        steps.replicate(at, released, false).await?;
    }
    site.release(steps.there(at, replica), released, moves).await
}

fn not_begun(image: &ImagePlan) -> ImageReport {
    ImageReport {
        name: image.name.clone(),
        outcome: Outcome::Stopped,
        moves: Vec::new(),
        parts: Vec::new(),
        gate: None,
        signatures: None,
        build_took: None,
        push_took: None,
        road: None,
    }
}
