//! Carries out a plan through few ports, and says what happens as it happens.
//!
//! Two phases. First every image is built and pushed under its staging tag; one that fails lets the others finish, but
//! then nothing is released. Only when all are up are the release tags written, which moves no layer.

mod build_only;
pub mod events;
mod order;
mod pace;
pub mod ports;
mod release;
pub mod report;
mod stage;
mod steps;

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::plan::{ImagePlan, Plan, RepositoryPlan};
pub use build_only::build_only;
use events::Event;
use order::Outcomes;
use pace::Pace;
use ports::{Creation, Ecr, Engine, Registry, ServiceError};
use report::{ImageReport, Outcome, Report};
use stage::Staged;
use steps::Steps;

/// ECR's quota of PutImage calls a second, for an account and region. Source: ECR user guide, "Service quotas".
const TAGS_A_SECOND: usize = 10;

/// What a plan is carried out with.
pub struct Services<'a, Eng, Ctl, Reg> {
    /// Builds and pushes.
    pub engine: &'a Eng,
    /// Creates repositories and gives the credential.
    pub ecr: &'a Ctl,
    /// Looks up digests and writes tags.
    pub registry: &'a Reg,
    /// The time that has passed since some fixed moment.
    pub elapsed: &'a dyn Fn() -> Duration,
    /// How many images are worked on at once; at least 1.
    pub jobs: usize,
    /// Go on to the release tags when every image is up.
    pub release: bool,
}

/// Carries out the plan. Never fails as such: what failed is in the report.
pub async fn run<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    plan: &Plan,
    services: &Services<'_, Eng, Ctl, Reg>,
    tell: &dyn Fn(Event),
) -> Report {
    let began = (services.elapsed)();
    let steps = Steps { plan, services, tell, pace: Pace::new(TAGS_A_SECOND) };
    let mut report = Report {
        images: plan.images.iter().map(not_begun).collect(),
        created: Vec::new(),
        failures: Vec::new(),
        took: Duration::ZERO,
    };
    create_repositories(&steps, &mut report).await;
    if report.failures.is_empty()
        && let Some(staged) = stage_all(&steps, &mut report).await
        && services.release
    {
        release_all(&steps, staged, &mut report).await;
    }
    report.took = (services.elapsed)().saturating_sub(began);
    report
}

async fn create_repositories<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
) {
    for repository in &steps.plan.repositories {
        let RepositoryPlan::Create(spec) = repository else { continue };
        match steps.services.ecr.create_repository(spec).await {
            Ok(Creation::Created) => {
                (steps.tell)(Event::RepositoryCreated(spec.name.clone()));
                report.created.push(spec.name.clone());
            }
            Ok(Creation::ThereAlready) => (steps.tell)(Event::RepositoryThereAlready(spec.name.clone())),
            Err(error) => report.failures.push(error),
        }
    }
}

/// The first phase. The images go on to the second only if none failed.
async fn stage_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
) -> Option<Vec<Staged>> {
    let jobs = steps.services.jobs.max(1);
    let outcomes = Outcomes::of(&steps.plan.images);
    // An image that waits holds a job, but what it waits for has begun before it.
    let images = stream::iter(order::dependencies_first(&steps.plan.images))
        .map(|at| stage_one(steps, at, &outcomes))
        .buffered(jobs)
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
    outcomes.note(&image.name, result.as_ref().and_then(|result| Some(&result.as_ref().ok()?.digest)));
    (at, result)
}

/// The second phase: one image after the other, so that a failure stops at a place that can be told.
async fn release_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    staged: Vec<Staged>,
    report: &mut Report,
) {
    for ((image, staged), told) in steps.plan.images.iter().zip(staged).zip(&mut report.images) {
        match steps.release(image, &staged, &mut told.moves).await {
            Ok(published) => told.outcome = Outcome::Published(published),
            Err(error) => {
                told.outcome = Outcome::Failed(error);
                return;
            }
        }
    }
}

fn not_begun(image: &ImagePlan) -> ImageReport {
    ImageReport {
        name: image.name.clone(),
        outcome: Outcome::Stopped,
        moves: Vec::new(),
        build_took: None,
        push_took: None,
    }
}
