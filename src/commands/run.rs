//! `longshore run`: read, look, decide, do, tell.

use std::path::Path;

use super::World;
use super::decide::{self, Decided, decide, told};
use crate::cli::{self, RunArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::docker::{Docker, DockerSettings};
use crate::effects::{clock, program};
use crate::execute::report::{Outcome, Report};
use crate::execute::{self, Services};
use crate::explain::{Circumstances, explain};
use crate::facts::Facts;
use crate::local::Server;
use crate::names::Tag;
use crate::plan::{ImageAction, Plan};
use crate::report::json::JsonReport;
use crate::report::progress::{Progress, Style};
use crate::report::{self, files};

/// What a run came to, as far as it got.
#[derive(Default)]
struct Finished {
    plan: Option<Plan>,
    report: Option<Report>,
}

pub(super) async fn run(args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    let server = decide::server(&args.work, world).await?;
    let mut finished = Finished::default();
    let result = five_steps(args, world, server.as_ref(), &mut finished).await;
    if let Some(server) = server {
        server.stop().await;
    }
    let problems = result.as_ref().err();
    let json = JsonReport::new(finished.plan.as_ref(), finished.report.as_ref(), problems);
    if args.json {
        report::print_json(&json);
    } else if let (Some(plan), Some(report), true) = (&finished.plan, &finished.report, result.is_ok()) {
        report::print_references(plan, report);
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
    let Decided { plan, facts, root, ecr, registry } = decide(&args.work, server, world).await?;
    let plan = finished.plan.insert(plan);
    let docker = match plan.builds_anything() {
        true => Some(connect_to_docker(&facts, world).await?),
        false => None,
    };

    let names: Vec<&str> = plan.images.iter().map(|image| image.name.as_str()).collect();
    let progress = Progress::new(style(args.progress, world), world.colors, &names);
    let began = clock::instant();
    let services = Services {
        engine: &docker,
        ecr: &ecr,
        registry: &registry,
        elapsed: &|| began.elapsed(),
        jobs: args.jobs.map_or_else(program::cores, usize::from),
        release: !args.no_tag,
    };
    let report = execute::run(plan, &services, &|event| progress.tell(&event)).await;
    progress.end();
    let report = finished.report.insert(report);

    Diagnostics::check(failures(report, &facts))?;
    match args.no_tag {
        true => Ok(()),
        false => tell(plan, report, &root),
    }
}

/// Asks the daemon whether it is there, so that a dead one is known before anything is changed.
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
        Outcome::Failed(error) => {
            let written: Vec<Tag> = image.moves.iter().map(|written| written.tag.clone()).collect();
            Some(explain(error, Circumstances { image: Some(&image.name), ci: facts.ci, written: &written }))
        }
        Outcome::Published(_) | Outcome::Staged(_) | Outcome::Stopped => None,
    });
    general.chain(images).collect()
}

fn style(asked: cli::Progress, world: &World) -> Style {
    match asked {
        cli::Progress::Auto => Style::fitting(world.variables.get("TERM").map(String::as_str)),
        cli::Progress::Tty => Style::Tty,
        cli::Progress::Plain => Style::Plain,
        cli::Progress::Quiet => Style::Quiet,
    }
}
