//! `longshore run`: read, look, decide, do, tell.

mod recipes;
pub(crate) mod target;

use std::path::{Path, PathBuf};

use super::{World, local, look, read, unless_interrupted};
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
use recipes::Recipes;
use target::Target;

/// What a run came to, as far as it got.
#[derive(Default)]
struct Finished {
    plan: Option<Plan>,
    report: Option<Report>,
}

pub(super) async fn run(args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    files::check(args.report.iter().map(|path| world.folder.join(path)))?;
    let mut finished = Finished::default();
    let result = unless_interrupted(with_registry(args, world, &mut finished)).await;
    tell_result(args, world, &finished, result)
}

/// The five steps, around them the small ECR where that was asked for.
async fn with_registry(args: &RunArgs, world: &World, finished: &mut Finished) -> Result<(), Diagnostics> {
    if !args.local {
        return five_steps(args, world, None, finished).await;
    }
    let server = local::start(args.data.as_deref().map(|data| world.folder.join(data)), None, world).await?;
    let result = five_steps(args, world, Some(&server), finished).await;
    server.stop().await;
    result
}

/// Prints and writes what the run came to, also if it failed; what went wrong first is told first.
fn tell_result(
    args: &RunArgs,
    world: &World,
    finished: &Finished,
    result: Result<(), Diagnostics>,
) -> Result<(), Diagnostics> {
    let json = JsonReport::new(finished.plan.as_ref(), finished.report.as_ref(), result.as_ref().err());
    let printed = match (&finished.report, args.json) {
        (_, true) => report::print_json(&json),
        (Some(report), false) if result.is_ok() => report::print_references(report),
        (_, false) => Ok(()),
    };
    let write = |path| files::write(&world.folder.join(path), report::json::text(&json).as_bytes());
    let written = args.report.as_ref().map_or(Ok(()), write);
    let mut problems: Vec<Diagnostic> = result.err().iter().flat_map(Diagnostics::iter).cloned().collect();
    problems.extend(printed.err().into_iter().chain(written.err()));
    Diagnostics::check(problems)
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
    let outputs = pipeline.outputs.image_definitions.iter().chain(&pipeline.outputs.image_detail);
    let mut results: Vec<PathBuf> = outputs.map(|path| loaded.root.join(path)).collect();
    files::check(results.iter().cloned())?;
    results.extend(args.report.iter().map(|path| world.folder.join(path)));

    let facts = look::checkout(&args.facts, &loaded.root, world)?;
    let environment = look::environment(&args.facts, pipeline, &facts, world)?;
    let tags = look::tags(pipeline, &facts, &environment);
    let recipes = Recipes::read(pipeline, &loaded.root)?;
    let docker = connect_to_docker(&facts, world).await?;
    let Target { ecr, host } = target::connect(&pipeline.registry, &args.registry, server, world).await?;
    let registry = RegistryClient::new(&host, &world.variables).map_err(|error| told(&error, &facts))?;
    let repositories =
        look::repositories(pipeline, &tags, &host, &ecr, &registry).await.map_err(|e| told(&e, &facts))?;

    let sight = Sight {
        root: &loaded.root,
        results: &results,
        facts: &facts,
        registry: &host,
        based_on_registry: &recipes.based_on(&host, pipeline),
        repositories: &repositories,
    };
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
        // Where lines cannot change in place, `tty` would show nothing at all.
        cli::Progress::Auto | cli::Progress::Tty => Style::fitting(world.variable("TERM")),
        cli::Progress::Plain => Style::Plain,
        cli::Progress::Quiet => Style::Quiet,
    }
}
