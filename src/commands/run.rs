//! `longshore run`: read, look, decide, do, tell.

use std::path::PathBuf;
use std::time::Instant;

use super::decide::{self, Decided, Wish, circumstances, decide};
use super::finish::{self, Finished, failures};
use super::progress::progress;
use super::timeline::Pending;
use super::{World, blame, defect, fork, scanned, timeline, unless_interrupted};
use crate::cli::{self, MannerArgs, ResultArgs, RunArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::fleet::Fleet;
use crate::effects::registry::{OwnRegistry, Registries};
use crate::execute::events::Event;
use crate::execute::{self, Goal, Replica, Services};
use crate::local::Server;
use crate::plan::{ImageAction, ImagePlan, PartAction, PartPlan, Plan};
use crate::report;
use crate::report::timeline::End;

pub(super) async fn run(args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    finish::prepare(&args.results, args.manner.timeline.as_deref(), world)?;
    let mut finished = Finished::default();
    let result = unless_interrupted(with_registry(args, world, &mut finished)).await;
    finished.tell(&args.results, result, world)
}

/// The five steps, around them the small ECR where that was asked for.
async fn with_registry(args: &RunArgs, world: &World, finished: &mut Finished) -> Result<(), Diagnostics> {
    let Some(server) = decide::server(&args.work, world).await? else {
        return five_steps(args, world, None, finished).await;
    };
    let result = five_steps(args, world, Some(&server), finished).await;
    server.stop().await;
    result
}

async fn five_steps(
    args: &RunArgs,
    world: &World,
    server: Option<&Server>,
    finished: &mut Finished,
) -> Result<(), Diagnostics> {
    if !args.build.platform.is_empty() && !args.stage_only {
        return Err(half_a_release().into());
    }
    let started = clock::instant();
    let written: Vec<PathBuf> = args.results.files().chain(&args.manner.timeline).cloned().collect();
    let seen = decide::see(&args.work, &written, world)?;
    if !args.stage_only {
        finish::prepare_deploy(&seen.pipeline.outputs, &seen.root)?;
    }
    finished.dockerfiles = scanned::dockerfiles(&seen.pipeline, &seen.root);
    if let Some(fork) = seen.facts.fork.as_ref().filter(|_| server.is_none()) {
        return fork::run(fork, &seen, args, started, world).await;
    }
    let mut decided = decide(seen, &args.work, &Wish::of(&args.build), server, world).await?;
    if args.manner.no_gate {
        decided.plan = decided.plan.without_gates();
    }
    let goal = match (args.stage_only, args.build.platform.is_empty()) {
        (true, false) => Goal::Parts,
        (true, true) => Goal::Staged,
        (false, _) => Goal::Released,
    };
    let manner = Manner { goal, wanted: &args.manner, results: &args.results, started };
    carry_out(decided, &manner, world, finished).await
}

/// How a plan is carried out.
pub(super) struct Manner<'a> {
    pub(super) goal: Goal,
    pub(super) wanted: &'a MannerArgs,
    pub(super) results: &'a ResultArgs,
    pub(super) started: Instant,
}

/// The last two steps: does what was decided, and writes the deploy files.
pub(super) async fn carry_out(
    decided: Decided,
    manner: &Manner<'_>,
    world: &World,
    finished: &mut Finished,
) -> Result<(), Diagnostics> {
    let Decided { plan, facts, root, own, replicas, builders } = decided;
    let plan = finished.plan.insert(plan);
    finish::check_names(manner.results, plan)?;
    let releases = manner.goal == Goal::Released;
    let template = if releases { finish::template(plan, &root, world)? } else { None };
    let jobs = manner.wanted.jobs.map_or_else(|| builders.jobs(), usize::from);
    let engine = match plan.builds_anything() {
        true => builders.engine(&facts, world)?,
        false => Fleet::none(),
    };

    tell_reuse(plan, manner.wanted.progress);
    let names: Vec<String> = plan.images.iter().flat_map(ImagePlan::told_as).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let progress = progress(manner.wanted.progress, &names, world);
    let file = manner.wanted.timeline.as_ref().map(|file| world.folder.join(file));
    finished.timeline = file.map(|file| Pending::begin(file, manner.started, &facts));
    let began = clock::instant();
    let ours = OwnRegistry { host: &own.host, ecr: &own.ecr };
    let elsewhere = Registries::new(&world.variables, Some(ours), &world.retries);
    let services = Services {
        engine: &engine,
        ecr: &own.ecr,
        registry: &own.registry,
        elsewhere: Some(&elsewhere),
        replicas: replicas.iter().map(|way| Replica { ecr: &way.ecr, registry: &way.registry }).collect(),
        retries: &world.retries,
        elapsed: &|| began.elapsed(),
        jobs,
        goal: manner.goal,
    };
    let show = |event| {
        finished.timeline.iter().for_each(|timeline| timeline.hear(&event));
        finished.spans.note(&event, began.elapsed());
        progress.tell(&event);
    };
    let work = execute::run(plan, &services, &show);
    let report = world.telling(&|retry| show(Event::Retried(retry.clone())), work).await;
    progress.end();
    defect::provoke("run", || world.variables.clone());
    let report = finished.report.insert(report);
    if let Some(runner) = world.listening_runner() {
        runner.warn(&blame::warnings(&finished.spans.warnings(), &blame::builds(plan), world), &world.folder);
    }
    if finished.timeline.is_some() {
        let layers = timeline::layers(plan, report, &own).await;
        let (ends, succeeded) = (End::of(plan, Some(report)), report.is_success());
        let timeline = finished.timeline.take();
        timeline.map_or(Ok(()), |timeline| timeline.write(plan.registry.to_string(), ends, layers, succeeded))?;
    }

    Diagnostics::check(failures(plan, report, circumstances(&facts), world))?;
    if releases {
        finished.deploy_files = finish::deploy(plan, report, template.as_ref(), &root, world)?;
    }
    Ok(())
}

/// Release tags of images for some platforms only would break whoever runs on the others.
fn half_a_release() -> Diagnostic {
    Diagnostic::input("`--platform` leaves images for other platforms to other runs, so that this one cannot release")
        .hint("add `--stage-only`, and run `longshore merge` when the runs for all platforms are over")
}

fn tell_reuse(plan: &Plan, progress: cli::Progress) {
    if progress == cli::Progress::Quiet {
        return;
    }
    for image in &plan.images {
        let reused = match &image.action {
            ImageAction::Reuse { why, .. } => vec![(image.name.clone(), why)],
            ImageAction::Build { .. } => Vec::new(),
            ImageAction::Assemble { parts, .. } => parts.iter().filter_map(|part| part_reuse(part, image)).collect(),
        };
        for (name, why) in reused {
            report::note(&format!("{name}: not built: {why}"));
        }
    }
}

fn part_reuse<'a>(part: &'a PartPlan, image: &ImagePlan) -> Option<(String, &'a String)> {
    match &part.action {
        PartAction::Reuse { why, .. } => Some((part.told_as(&image.name), why)),
        PartAction::Build { .. } => None,
    }
}
