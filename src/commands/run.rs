//! `longshore run`: read, look, decide, do, tell.

use std::path::PathBuf;

use super::decide::{self, Decided, decide};
use super::engine::{connect_to_docker, progress};
use super::finish::{self, Finished, failures};
use super::{World, fork, scan, timeline, unless_interrupted};
use crate::cli::{self, RunArgs};
use crate::diagnostic::Diagnostics;
use crate::effects::registry::{OwnRegistry, Registries};
use crate::effects::{clock, program};
use crate::execute::events::Event;
use crate::execute::{self, Goal, Replica, Services};
use crate::local::Server;
use crate::plan::{ImageAction, ImagePlan, Plan};
use crate::report::{self, files};

pub(super) async fn run(args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    files::check(args.timeline.iter().map(|path| world.folder.join(path)))?;
    finish::prepare(&args.results, world)?;
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
    let started = clock::instant();
    let written: Vec<PathBuf> = args.results.files().chain(&args.timeline).cloned().collect();
    let seen = decide::see(&args.work, &written, world)?;
    if !args.no_tag {
        finish::prepare_deploy(&seen.pipeline.outputs, &seen.root)?;
    }
    finished.dockerfiles = scan::dockerfiles(&seen.pipeline);
    if let Some(fork) = seen.facts.fork.as_ref().filter(|_| server.is_none()) {
        return fork::run(fork, &seen, args, world).await;
    }
    let Decided { plan, facts, root, own, replicas } = decide(seen, &args.work, server, world).await?;
    let plan = finished.plan.insert(if args.no_gate { plan.without_gates() } else { plan });
    finish::check_names(&args.results, plan)?;
    let template = if args.no_tag { None } else { finish::template(plan, &root, world)? };
    let docker = match plan.builds_anything() {
        true => Some(connect_to_docker(&facts, world).await?),
        false => None,
    };

    tell_reuse(plan, args.progress);
    let names: Vec<String> = plan.images.iter().flat_map(ImagePlan::told_as).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let progress = progress(args.progress, &names, world);
    let recorder = args.timeline.as_ref().map(|_| timeline::recorder(started.elapsed()));
    let began = clock::instant();
    let elsewhere = Registries::new(&world.variables, Some(OwnRegistry { host: &own.host, ecr: &own.ecr }));
    let services = Services {
        engine: &docker,
        ecr: &own.ecr,
        registry: &own.registry,
        elsewhere: Some(&elsewhere),
        replicas: replicas.iter().map(|way| Replica { ecr: &way.ecr, registry: &way.registry }).collect(),
        retries: &world.retries,
        elapsed: &|| began.elapsed(),
        jobs: args.jobs.map_or_else(program::cores, usize::from),
        goal: if args.no_tag { Goal::Staged } else { Goal::Released },
    };
    let show = |event| {
        recorder.iter().for_each(|recorder| recorder.hear(started.elapsed(), &event));
        finished.spans.note(&event, began.elapsed());
        progress.tell(&event);
    };
    let work = execute::run(plan, &services, &show);
    let report = world.telling(&|retry| show(Event::Retried(retry.clone())), work).await;
    progress.end();
    let took = started.elapsed();
    let report = finished.report.insert(report);
    if let (Some(recorder), Some(file)) = (recorder, &args.timeline) {
        timeline::write(recorder, &world.folder.join(file), plan, report, &own, &facts, took).await?;
    }

    Diagnostics::check(failures(plan, report, facts.ci, world))?;
    if !args.no_tag {
        finished.deploy_files = finish::deploy(plan, report, template.as_ref(), &root, world)?;
    }
    Ok(())
}

fn tell_reuse(plan: &Plan, progress: cli::Progress) {
    let reused = plan.images.iter().filter_map(|image| match &image.action {
        ImageAction::Reuse { why, .. } if progress != cli::Progress::Quiet => Some((&image.name, why)),
        _ => None,
    });
    for (name, why) in reused {
        report::note(&format!("{name}: not built: {why}"));
    }
}
