//! Carries out a plan through few ports, and says what happens as it happens.
//!
//! Every image is built before the first is pushed, and every image is pushed before the further tags are written:
//! a build that fails leaves the registry as it was.

mod build_only;
pub mod events;
pub mod ports;
pub mod report;
mod steps;

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::plan::{ImagePlan, Plan, RepositoryPlan};
pub use build_only::build_only;
use events::Event;
use ports::{Creation, Ecr, Engine, Registry};
use report::{ImageReport, Outcome, Report};
use steps::{Built, Pushed, Steps};

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
}

/// Carries out the plan. Never fails as such: what failed is in the report.
pub async fn run<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    plan: &Plan,
    services: &Services<'_, Eng, Ctl, Reg>,
    tell: &dyn Fn(Event),
) -> Report {
    let began = (services.elapsed)();
    let steps = Steps { plan, services, tell };
    let mut report = Report {
        images: plan.images.iter().map(not_begun).collect(),
        created: Vec::new(),
        failures: Vec::new(),
        took: Duration::ZERO,
    };
    go(&steps, &mut report).await;
    report.took = (services.elapsed)().saturating_sub(began);
    report
}

/// The phases in order; returns early where the next one must not begin.
async fn go<Eng: Engine, Ctl: Ecr, Reg: Registry>(steps: &Steps<'_, Eng, Ctl, Reg>, report: &mut Report) {
    create_repositories(steps, report).await;
    if !report.failures.is_empty() {
        return;
    }
    // The credential is fetched while the builds run; whoever needs it next finds it there.
    let (credential, built) = tokio::join!(steps.services.ecr.credential(), all(steps, |image| steps.build(image)));
    let Some(built) = keep(report, built, |image, built: &Built| image.build_took = built.took) else { return };
    if let Err(error) = credential {
        report.failures.push(error);
        return;
    }
    let images = steps.plan.images.iter().zip(built).collect();
    let pushed = each(steps.services.jobs, images, |(image, built)| steps.push(image, built)).await;
    let Some(pushed) = keep(report, pushed, |image, pushed: &Pushed| image.push_took = pushed.took) else { return };
    let images = steps.plan.images.iter().zip(pushed).collect();
    // One after the other: ECR takes 10 PutImage a second for the whole account, and each image brings several.
    let tagged = each(1, images, |(image, pushed)| steps.tag(image, pushed)).await;
    for (image, outcome) in report.images.iter_mut().zip(tagged) {
        image.outcome = match outcome {
            Ok(published) => Outcome::Published(published),
            Err(error) => Outcome::Failed(error),
        };
    }
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

fn not_begun(image: &ImagePlan) -> ImageReport {
    ImageReport { name: image.name.clone(), outcome: Outcome::Stopped, build_took: None, push_took: None }
}

/// Does one step for every image of the plan, several at once, and keeps their order.
async fn all<'a, Eng: Engine, Ctl: Ecr, Reg: Registry, R, F>(
    steps: &Steps<'a, Eng, Ctl, Reg>,
    work: impl Fn(&'a ImagePlan) -> F,
) -> Vec<R>
where
    F: Future<Output = R>,
{
    each(steps.services.jobs, steps.plan.images.iter().collect(), work).await
}

async fn each<T, R, F: Future<Output = R>>(jobs: usize, items: Vec<T>, work: impl Fn(T) -> F) -> Vec<R> {
    stream::iter(items).map(work).buffered(jobs.max(1)).collect().await
}

/// Notes what a phase came to. The values go on to the next phase only if no image failed.
fn keep<T>(
    report: &mut Report,
    results: Vec<Result<T, ports::ServiceError>>,
    note: impl Fn(&mut ImageReport, &T),
) -> Option<Vec<T>> {
    let mut values = Vec::with_capacity(results.len());
    for (image, result) in report.images.iter_mut().zip(results) {
        match result {
            Ok(value) => {
                note(image, &value);
                values.push(value);
            }
            Err(error) => image.outcome = Outcome::Failed(error),
        }
    }
    (values.len() == report.images.len()).then_some(values)
}
