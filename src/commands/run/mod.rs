//! `longshore run`: read, look, decide, do, tell.

mod fork;
pub(crate) mod target;

use std::path::Path;

use super::{World, local, look, read};
use crate::cli::{self, RunArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::docker::{Docker, DockerSettings};
use crate::effects::registry::RegistryClient;
use crate::effects::{clock, program};
use crate::execute::ports::ServiceError;
use crate::execute::report::{Outcome, Report};
use crate::execute::{self, Services};
use crate::explain::{Circumstances, explain};
use crate::facts::Facts;
use crate::local::Server;
use crate::plan::{self, ImageAction, Plan, Sight};
use crate::report::json::JsonReport;
use crate::report::progress::{Progress, Style};
use crate::report::{self, files};
use target::Target;

/// What a run came to, as far as it got.
#[derive(Default)]
struct Finished {
    plan: Option<Plan>,
    report: Option<Report>,
}

pub(super) async fn run(args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    let server = match args.local {
        true => Some(local::start(args.data.as_deref().map(|data| world.folder.join(data)), None, world).await?),
        false => None,
    };
    let mut finished = Finished::default();
    let result = five_steps(args, world, server.as_ref(), &mut finished).await;
    if let Some(server) = server {
        server.stop().await;
    }
    let problems = result.as_ref().err();
    let json = JsonReport::new(finished.plan.as_ref(), finished.report.as_ref(), problems);
    if args.json {
        report::print_json(&json);
    } else if let (Some(report), true) = (&finished.report, result.is_ok()) {
        report::print_references(report);
    }
    if let Some(path) = &args.report {
        files::write(&world.folder.join(path), report::json::text(&json).as_bytes())?;
    }
    result
}

async fn five_steps(
    args: &RunArgs,
    world: &World,
    server: Option<&Server>,
    finished: &mut Finished,
) -> Result<(), Diagnostics> {
    let mut loaded = read::pipeline(&args.pipeline, world)?;
    read::select(&mut loaded.pipeline, &args.images)?;
    let pipeline = &loaded.pipeline;

    let facts = look::checkout(&args.facts, &loaded.root, world)?;
    look::warn_of_changes(&facts, world);
    let environment = look::environment(&args.facts, pipeline, &facts, world)?;
    let tags = look::tags(pipeline, &facts, &environment)?;
    let fork = facts.fork.as_ref().filter(|_| server.is_none());
    if let Some(fork) = fork.filter(|_| args.require_push) {
        return Err(fork::refused(fork).into());
    }
    let docker = connect_to_docker(&facts, world).await?;
    if let Some(fork) = fork {
        let builds = plan::builds(pipeline, &tags, &loaded.root, &facts);
        return fork::build(fork, &builds, &docker, args, &facts, world).await;
    }
    let Target { ecr, host } = target::connect(&pipeline.registry, &args.registry, server, world).await?;
    let registry = RegistryClient::new(&host, &world.variables).map_err(|error| told(&error, &facts))?;
    let repositories =
        look::repositories(pipeline, &tags, &host, &ecr, &registry).await.map_err(|e| told(&e, &facts))?;

    let sight = Sight { root: &loaded.root, facts: &facts, registry: &host, repositories: &repositories };
    let plan = finished.plan.insert(plan::make(pipeline, tags, &sight)?);

    let names: Vec<&str> = plan.images.iter().map(|image| image.name.as_str()).collect();
    let progress = Progress::new(style(args.progress, world), world.colors, &names);
    let began = clock::instant();
    let services = Services {
        engine: &docker,
        ecr: &ecr,
        registry: &registry,
        elapsed: &|| began.elapsed(),
        jobs: args.jobs.map_or_else(program::cores, usize::from),
    };
    let report = execute::run(plan, &services, &|event| progress.tell(&event)).await;
    progress.end();
    let report = finished.report.insert(report);

    Diagnostics::check(failures(report, &facts))?;
    tell(plan, report, &loaded.root)
}

/// Asks the daemon whether it is there, so that a dead one is known in the first second.
async fn connect_to_docker(facts: &Facts, world: &World) -> Result<Docker, Diagnostics> {
    let settings = DockerSettings::from_environment(&world.variables);
    let docker = Docker::connect(&settings).map_err(|error| told(&error, facts))?;
    docker.look().await.map_err(|error| told(&error, facts))?;
    Ok(docker)
}

fn tell(plan: &Plan, report: &Report, root: &Path) -> Result<(), Diagnostics> {
    for image in &plan.images {
        if let ImageAction::Reuse { why, .. } = &image.action {
            report::note(&format!("{}: not built: {why}", image.name));
        }
    }
    files::write_deploy_files(plan, report, root)?;
    Ok(())
}

fn failures(report: &Report, facts: &Facts) -> Vec<Diagnostic> {
    let general = report.failures.iter().map(|error| told(error, facts));
    let images = report.images.iter().filter_map(|image| match &image.outcome {
        Outcome::Failed(error) => Some(explain(error, Circumstances { image: Some(&image.name), ci: facts.ci })),
        Outcome::Published(_) | Outcome::Stopped => None,
    });
    general.chain(images).collect()
}

fn told(error: &ServiceError, facts: &Facts) -> Diagnostic {
    explain(error, Circumstances { image: None, ci: facts.ci })
}

fn style(asked: cli::Progress, world: &World) -> Style {
    match asked {
        cli::Progress::Auto => Style::fitting(world.variables.get("TERM").map(String::as_str)),
        cli::Progress::Tty => Style::Tty,
        cli::Progress::Plain => Style::Plain,
        cli::Progress::Quiet => Style::Quiet,
    }
}
