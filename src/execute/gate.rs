//! Between the phases: no release tag is written before it is known that what scans found is good enough.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt};

use super::events::{ImageEvent, ScanEvent};
use super::ports::{Ecr, Engine, Failure, Registry, ServiceError};
use super::report::{GateReport, Outcome, Report};
use super::stage::Staged;
use super::steps::Steps;
use crate::names::{Digest, RepositoryName};
use crate::plan::{GatePlan, ImagePlan};
use crate::scan::{
    Child, Contents, End, ImageScan, NoScan, Objection, Policy, Scanning, Step, Unknown, Waiter, contents, judge,
};

/// How often in a row a service may fail before the wait is given up; the SDK has tried several times by then.
const FAILURES: u32 = 3;
/// The pause after each of them.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What holds for each repository that has a gate.
pub(super) type AllScanning = BTreeMap<RepositoryName, Scanning>;

/// Asks what holds for the repositories that have a gate, before anything is built. An image that nobody will ever
/// scan fails now.
pub(super) async fn look<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
) -> AllScanning {
    let gated = || steps.plan.images.iter().filter(|image| image.gate.is_some());
    let mut all = AllScanning::new();
    for image in gated() {
        if all.contains_key(&image.repository) {
            continue;
        }
        match steps.own.ecr.scanning(&image.repository).await {
            Ok(scanning) => drop(all.insert(image.repository.clone(), scanning)),
            Err(error) => report.failures.push(error),
        }
    }
    for (image, told) in steps.plan.images.iter().zip(&mut report.images) {
        let is_off = image.gate.is_some() && all.get(&image.repository).is_some_and(|it| it.is_off());
        if is_off {
            let why = Unknown::NeverScanned(NoScan::NoFilter);
            let of = image.repository.to_string();
            told.outcome = Outcome::Failed(closed(image, vec![Objection::Unknown { of, why }]));
        }
    }
    all
}

/// Waits for the scans of all images that have a gate, and judges what they found; whether all may be released. One
/// that may not lets the others be judged too, so that everything is told at once.
pub(super) async fn gate_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    scanning: &AllScanning,
    staged: &[Staged],
    report: &mut Report,
) -> bool {
    let images = steps.plan.images.iter().zip(staged).map(async |(image, staged)| match &image.gate {
        Some(gate) => Some(gate_one(steps, image, gate, &staged.digest, scanning).await),
        None => None,
    });
    // The wait costs nothing; all images wait at once.
    let results: Vec<_> = stream::iter(images).buffered(steps.plan.images.len().max(1)).collect().await;
    let mut all = true;
    for ((image, told), result) in steps.plan.images.iter().zip(&mut report.images).zip(results) {
        match result {
            None => {}
            Some(Err(error)) => {
                told.outcome = Outcome::Failed(error);
                all = false;
            }
            Some(Ok(gate)) => {
                if !gate.judgement.is_open() {
                    told.outcome = Outcome::Failed(closed(image, gate.judgement.objections.clone()));
                    all = false;
                }
                told.gate = Some(gate);
            }
        }
    }
    all
}

async fn gate_one<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    image: &ImagePlan,
    gate: &GatePlan,
    digest: &Digest,
    scanning: &AllScanning,
) -> Result<GateReport, ServiceError> {
    let manifest = steps.own.manifest(image, digest).await?;
    let targets = targets(digest, &manifest.bytes)?;
    let scanning = scanning.get(&image.repository).copied().unwrap_or_default();
    let say = |event| steps.own.say(&image.name, ImageEvent::Scan(event));
    let site = Scanner { ecr: steps.own.ecr, repository: &image.repository, scanning, elapsed: steps.services.elapsed };
    let scans = site.scan(&targets, &gate.policy, &say).await?;
    let judgement = judge(&gate.policy, gate.today, &scans);
    let blocking = judgement.findings.iter().filter(|one| one.judged.blocks()).count();
    say(ScanEvent::Judged {
        open: judgement.is_open(),
        counts: judgement.counts().into_iter().rev().collect(),
        blocking,
        notices: judgement.notices.clone(),
    });
    Ok(GateReport { digest: digest.clone(), scans, judgement })
}

fn closed(image: &ImagePlan, objections: Vec<Objection>) -> ServiceError {
    let fail_on = image.gate.as_ref().map(|gate| gate.policy.fail_on).unwrap_or(Policy::default().fail_on);
    ServiceError {
        failure: Failure::GateClosed { fail_on, objections, released: false },
        doing: format!("release `{}`", image.name),
        cause: String::new(),
    }
}

/// What of a manifest is scanned: itself, or each image that it lists.
///
/// # Errors
/// If it cannot be read.
pub fn targets(digest: &Digest, manifest: &[u8]) -> Result<Vec<Child>, ServiceError> {
    match contents(manifest) {
        Ok(Contents::Image) => Ok(vec![Child { digest: digest.clone(), platform: None }]),
        Ok(Contents::Index(children)) => Ok(children),
        Err(cause) => {
            let doing = format!("read the manifest of {}", digest.short());
            Err(ServiceError { failure: Failure::Unexpected, doing, cause })
        }
    }
}

/// Waits for scans in one repository.
pub struct Scanner<'a, Ctl> {
    /// The control plane.
    pub ecr: &'a Ctl,
    /// The repository.
    pub repository: &'a RepositoryName,
    /// What holds for it.
    pub scanning: Scanning,
    /// The time that has passed since some fixed moment.
    pub elapsed: &'a dyn Fn() -> Duration,
}

impl<Ctl: Ecr> Scanner<'_, Ctl> {
    /// Waits for the findings of all these manifests at once. `tell` hears of what is waited for, where it changes.
    ///
    /// # Errors
    /// Whatever keeps ECR from answering.
    pub async fn scan(
        &self,
        targets: &[Child],
        policy: &Policy,
        tell: &dyn Fn(ScanEvent),
    ) -> Result<Vec<ImageScan>, ServiceError> {
        try_join_all(targets.iter().map(async |target| {
            let end = self.wait(target, policy, tell).await?;
            Ok(ImageScan { digest: target.digest.clone(), platform: target.platform.clone(), end })
        }))
        .await
    }

    async fn wait(&self, target: &Child, policy: &Policy, tell: &dyn Fn(ScanEvent)) -> Result<End, ServiceError> {
        let mut waiter = Waiter::new(policy, self.scanning, (self.elapsed)());
        let told = Cell::new(None);
        let mut failures = 0;
        loop {
            let answer = match self.ecr.scan_findings(self.repository, &target.digest).await {
                Ok(answer) => answer,
                Err(error) if is_passing(&error.failure) && failures < FAILURES => {
                    failures += 1;
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            let mut step = waiter.next(answer, (self.elapsed)());
            if step == Step::Start {
                let started = self.ecr.start_scan(self.repository, &target.digest).await?;
                tell(ScanEvent::Started { platform: target.platform.clone(), started: started.clone() });
                step = waiter.started(started, (self.elapsed)());
            }
            match step {
                Step::Done(end) => return Ok(end),
                Step::Pause(pause, waiting) => {
                    if told.replace(Some(waiting)) != Some(waiting) {
                        tell(ScanEvent::Waiting { platform: target.platform.clone(), waiting });
                    }
                    tokio::time::sleep(pause).await;
                }
                // The waiter asks for one start only, and not in answer to one.
                Step::Start => return Ok(End::NeverScanned(NoScan::DidNotBegin)),
            }
        }
    }
}

fn is_passing(failure: &Failure) -> bool {
    matches!(failure, Failure::Throttled | Failure::ServiceBroken | Failure::Unreachable { .. })
}
