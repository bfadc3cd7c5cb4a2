//! The first three steps, which change nothing: read, look, decide.

use std::path::PathBuf;

use super::builders::Builders;
use super::contents::explain_changes;
use super::gather::{Gathered, gather};
use super::read::Loaded;
use super::recipes::Recipes;
use super::way::Way;
use super::{World, key, local, look, read, recipes, target};
use crate::cli::{BuildArgs, WorkArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::facts::Facts;
use crate::local::Server;
use crate::pipeline::Pipeline;
use crate::plan::tags::DerivedTags;
use crate::plan::{self, Plan, Scope, Sight};

/// A plan, and what it takes to carry it out.
pub(super) struct Decided {
    pub(super) plan: Plan,
    pub(super) facts: Facts,
    /// The folder that the pipeline's paths start from.
    pub(super) root: PathBuf,
    /// The registry that everything is pushed to.
    pub(super) own: Way,
    /// Those that it is copied to, in the order of the plan.
    pub(super) replicas: Vec<Way>,
    /// The builders.
    pub(super) builders: Builders,
}

/// A pipeline and the checkout that it is in: all that can be seen without asking anybody.
pub(super) struct Seen {
    pub(super) pipeline: Pipeline,
    /// The folder that the pipeline's paths start from.
    pub(super) root: PathBuf,
    pub(super) facts: Facts,
    /// One entry for each image.
    pub(super) tags: Vec<DerivedTags>,
    /// The files that the run will write.
    pub(super) written: Vec<PathBuf>,
    recipes: Recipes,
}

/// Reads the pipeline and looks at the checkout. `files` are those that the run will write besides the pipeline's own.
pub(super) fn see(args: &WorkArgs, files: &[PathBuf], world: &World) -> Result<Seen, Diagnostics> {
    let Loaded { mut pipeline, root } = read::pipeline(&args.pipeline, world)?;
    read::select(&mut pipeline, &args.images)?;
    let facts = look::checkout(&args.facts, &root, world)?;
    look::warn_of_changes(&facts, world);
    let environment = look::environment(&args.facts, &pipeline, &facts, world)?;
    let tags = look::tags(&pipeline, &facts, &environment)?;
    let recipes = recipes::read(&pipeline, &root)?;
    let mut written = key::written(&pipeline, &root);
    written.extend(files.iter().map(|path| world.folder.join(path)));
    Ok(Seen { pipeline, root, facts, tags, written, recipes })
}

/// What the user wishes to have done.
pub(super) struct Wish<'a> {
    pub(super) force: bool,
    pub(super) scope: Scope<'a>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(args: &'a BuildArgs) -> Self {
        let scope = if args.platform.is_empty() { Scope::Whole } else { Scope::Platforms(&args.platform) };
        Wish { force: args.force, scope }
    }
}

/// Looks at the registry, and makes the plan.
pub(super) async fn decide(
    seen: Seen,
    args: &WorkArgs,
    wish: &Wish<'_>,
    server: Option<&Server>,
    world: &World,
) -> Result<Decided, Diagnostics> {
    let opening = target::open(&seen.pipeline.registry, &args.registry, server, world).await?;
    let Gathered { own, replicas, builders, keys, mut contents, registry, there, answer } =
        Box::pin(gather(&seen, opening, server, world)).await?;
    let Seen { pipeline, root, facts, tags, written, recipes } = seen;
    let lookout = own.lookout();
    explain_changes(&mut contents, &pipeline, &tags, &keys, &registry.repositories, &lookout).await;

    let (platform, source) = builders.platform();
    let asked = &pipeline.registry.replicas;
    let seen_there: Vec<_> = replicas
        .iter()
        .zip(asked)
        .zip(&there)
        .map(|((way, asked), seen)| way.seen(asked, seen, &pipeline.registry, &own))
        .collect();
    let sight = Sight {
        root: &root,
        written: &written,
        facts: &facts,
        registry: &own.host,
        contents: &contents,
        now: clock::now(),
        force: wish.force,
        scope: wish.scope,
        native: &platform,
        based_on_registry: &recipes.based_on(&own.host, &pipeline),
        seen: &registry,
        replicas: &seen_there,
    };
    let plan = plan::make(&pipeline, tags, &sight)?;
    if plan.changes_anything() {
        let answer = match answer {
            Some(answer) => answer,
            None => lookout.ping().await,
        };
        answer.map_err(|error| told(&error, &facts))?;
    }
    world.warn(&plan.doubts);
    // Whoever builds hears of the daemon soon enough.
    if !plan.builds_anything() {
        source.tell(&platform);
    }
    Ok(Decided { plan, facts, root, own, replicas, builders })
}

/// The server of `--local`, if that is asked for.
pub(super) async fn server(args: &WorkArgs, world: &World) -> Result<Option<Server>, Diagnostic> {
    match args.local {
        true => {
            let data = args.data.as_deref().map(|data| world.folder.join(data));
            Ok(Some(local::start(local::settings(data, None, world)?).await?))
        }
        false => Ok(None),
    }
}

/// A failure outside of any image.
pub(super) fn told(error: &ServiceError, facts: &Facts) -> Diagnostic {
    explain(error, circumstances(facts))
}

/// What is known of where this runs.
pub(super) fn circumstances(facts: &Facts) -> Circumstances<'static> {
    Circumstances { ci: facts.ci, machine: facts.machine, ..Circumstances::default() }
}
