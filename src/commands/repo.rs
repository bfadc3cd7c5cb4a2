//! `longshore repo`: the repositories alone, without their images.

use std::process::ExitCode;

use futures_util::future::try_join_all;

use super::registry::{AllWanted, Wanted, ask, guarded};
use super::target::{self, Target};
use super::way::Way;
use super::{World, read, unless_interrupted};
use crate::cli::repo::{RepoApplyArgs, RepoArgs, RepoCommand, RepoPlanArgs, WhichArgs};
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::execute::events::Event;
use crate::execute::ports::ServiceError;
use crate::execute::provision;
use crate::explain::{Circumstances, explain};
use crate::facts::RegistryFacts;
use crate::pipeline::{self, OnDrift, Pipeline};
use crate::plan::{Guard, Manner, RepositoryPlan, RepositorySight, Told, moving_tags, plan_repository};
use crate::report;
use crate::report::progress::{Progress, Style};
use crate::report::repository::Registry;

pub(super) async fn run(args: &RepoArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    match &args.command {
        RepoCommand::Plan(args) => plan(args, world).await,
        RepoCommand::Apply(args) => {
            unless_interrupted(apply(args, world)).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The repositories as they are planned, by registry; the run's own comes first.
struct Decided {
    registries: Vec<(Way, Vec<RepositoryPlan>)>,
    told: Told,
}

impl Decided {
    fn shown(&self) -> Vec<Registry<'_>> {
        self.registries
            .iter()
            .map(|(way, repositories)| Registry { host: way.host.to_string(), repositories })
            .collect()
    }

    fn differs(&self) -> bool {
        let mut all = self.registries.iter().flat_map(|(_, repositories)| repositories);
        all.any(|planned| planned.changes_anything() || !planned.drift().is_empty())
    }
}

async fn plan(args: &RepoPlanArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    let planned = async {
        let decided = decide(&args.which, false, world).await?;
        let shown = decided.shown();
        report::print(&match args.json {
            true => report::repository::all_json(&shown, world.retries.sum()),
            false => report::repository::text(&shown),
        })?;
        world.warn(&decided.told.doubts);
        let differs = decided.differs();
        Diagnostics::check(decided.told.problems)?;
        Ok(differs)
    };
    match planned.await {
        Ok(differs) if args.detailed_exitcode && differs => Ok(ExitCode::from(2)),
        Ok(_) => Ok(ExitCode::SUCCESS),
        // As in `longshore plan`.
        Err(problems) if args.detailed_exitcode => {
            report::errors(&problems, world.colors);
            Ok(ExitCode::from(1))
        }
        Err(problems) => Err(problems),
    }
}

async fn apply(args: &RepoApplyArgs, world: &World) -> Result<(), Diagnostics> {
    let decided = decide(&args.which, args.yes, world).await?;
    Diagnostics::check(decided.told.problems)?;
    world.warn(&decided.told.doubts);
    let began = clock::instant();
    let shown = Progress::new(Style::Plain, world.colors, &[], Box::new(move || began.elapsed()));
    let mut problems = Vec::new();
    for (at, (way, repositories)) in decided.registries.iter().enumerate() {
        let replica = (at > 0).then_some(&way.host);
        let tell = |event: Event| shown.tell(&event);
        let done = provision(repositories, &way.ecr, replica, &tell).await;
        problems.extend(done.failures.iter().map(told));
        let stuck = repositories.iter().filter(|planned| !planned.drift().is_empty());
        problems.extend(stuck.map(|planned| left(planned, &args.which)));
    }
    Diagnostics::check(problems)
}

/// A repository that is not as it is stated after all that may be done was done.
fn left(planned: &RepositoryPlan, which: &WhichArgs) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Blame::Input, format!("repository `{}` stays as it is", planned.name()));
    for difference in planned.drift() {
        let why = difference.change.as_ref().err().map(String::as_str).unwrap_or_default();
        diagnostic = diagnostic.caused_by(format!("{}: {why}", difference.words()));
    }
    match which.registry_wide {
        true => diagnostic,
        false => diagnostic.hint("settings of the whole registry are changed with --registry-wide only"),
    }
}

async fn decide(args: &WhichArgs, yes: bool, world: &World) -> Result<Decided, Diagnostics> {
    let mut pipeline = read::pipeline(&args.place.pipeline, world)?.pipeline;
    select(&mut pipeline, &args.repositories)?;
    for image in &mut pipeline.images {
        image.repository.on_drift = OnDrift::Fix;
    }
    let target = target::connect(&pipeline.registry, &args.place.registry, None, world).await?;
    let replicas: Vec<Target> = target::replicas(&pipeline.registry, (&target.host, &target.ecr), world).await?;
    let ways = std::iter::once(target).chain(replicas).map(|target| Way::to(target, world));
    let ways: Vec<Way> = ways.collect::<Result<_, _>>().map_err(|error| told(&error))?;
    let wanted = wanted(&pipeline);
    let looks = ways.iter().map(async |way| way.lookout().repositories(&wanted).await);
    let seen: Vec<RegistryFacts> = try_join_all(looks).await.map_err(|error| told(&error))?;
    let manner = Manner { prune_tags: args.prune_tags, registry_wide: args.registry_wide };
    let mut found = Told::default();
    found.doubts.extend(pipeline.images.iter().filter_map(|image| moving_tags(image, &pipeline.environments, None)));
    let mut registries = Vec::new();
    for (way, seen) in ways.into_iter().zip(&seen) {
        let mut planned = Vec::new();
        for image in &pipeline.images {
            let name = &image.repository.name;
            let guard = Guard {
                images: seen.images.get(name).map(Vec::as_slice),
                at: clock::now().into(),
                environments: &pipeline.environments,
                max_expire: args.guard.max_expire,
            };
            let sight = RepositorySight {
                registry: &way.host,
                there: seen.repositories.get(name),
                templates: &seen.templates,
                manner,
                guard: (!yes).then_some(guard),
            };
            planned.extend(plan_repository(&image.repository, &sight, &mut found));
        }
        registries.push((way, planned));
    }
    Ok(Decided { registries, told: found })
}

fn wanted(pipeline: &Pipeline) -> AllWanted {
    let one = |image: &pipeline::Image| {
        let repository = &image.repository;
        let wanted = Wanted { settings: ask(repository), lifecycle: guarded(repository), ..Wanted::default() };
        (repository.name.clone(), wanted)
    };
    pipeline.images.iter().map(one).collect()
}

/// Keeps only the repositories of these names, if any are given.
fn select(pipeline: &mut Pipeline, names: &[String]) -> Result<(), Diagnostics> {
    let known = |name: &str| pipeline.images.iter().any(|image| pipeline::glob(name, image.repository.name.as_str()));
    let unknown = names.iter().filter(|name| !known(name)).map(|name| {
        let all: Vec<String> = pipeline.images.iter().map(|image| format!("`{}`", image.repository.name)).collect();
        Diagnostic::input(format!("there is no repository `{name}` in the pipeline file"))
            .hint(format!("its repositories are {}", all.join(", ")))
    });
    Diagnostics::check(unknown.collect())?;
    let is_named = |name: &str| names.iter().any(|wanted| pipeline::glob(wanted, name));
    pipeline.images.retain(|image| names.is_empty() || is_named(image.repository.name.as_str()));
    Ok(())
}

fn told(error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default())
}
