//! The first three steps, which change nothing: read, look, decide.

use std::path::PathBuf;

use super::registry::Lookout;
use super::target::{self, Target};
use super::{World, local, look, read, recipes};
use crate::cli::WorkArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::ecr::EcrClient;
use crate::effects::registry::RegistryClient;
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::facts::{ContentFacts, Facts};
use crate::local::Server;
use crate::pipeline::Pipeline;
use crate::plan::{self, Plan, Sight};

/// A plan, and what it takes to carry it out.
pub(super) struct Decided {
    pub(super) plan: Plan,
    pub(super) facts: Facts,
    /// The folder that the pipeline's paths start from.
    pub(super) root: PathBuf,
    pub(super) ecr: EcrClient,
    pub(super) registry: RegistryClient,
}

/// Reads the pipeline, looks at the checkout and the registry, and makes the plan.
pub(super) async fn decide(args: &WorkArgs, server: Option<&Server>, world: &World) -> Result<Decided, Diagnostics> {
    let mut loaded = read::pipeline(&args.pipeline, world)?;
    read::select(&mut loaded.pipeline, &args.images)?;
    let (pipeline, root) = (&loaded.pipeline, loaded.root);

    let facts = look::checkout(&args.facts, &root, world)?;
    let environment = look::environment(&args.facts, pipeline, &facts, world)?;
    let tags = look::tags(pipeline, &facts, &environment);
    let recipes = recipes::read(pipeline, &root)?;
    let Target { ecr, host } = target::connect(&pipeline.registry, &args.registry, server, world).await?;
    let registry = RegistryClient::new(&host, &world.variables).map_err(|error| told(&error, &facts))?;
    let contents = contents(pipeline);
    let lookout = Lookout { host: &host, ecr: &ecr, registry: &registry };
    let repositories = lookout.repositories(pipeline, &tags, &contents).await.map_err(|error| told(&error, &facts))?;

    let sight = Sight {
        root: &root,
        facts: &facts,
        registry: &host,
        contents: &contents,
        now: clock::now(),
        force: args.force,
        based_on_registry: &recipes.based_on(&host, pipeline),
        repositories: &repositories,
    };
    let plan = plan::make(pipeline, tags, &sight)?;
    Ok(Decided { plan, facts, root, ecr, registry })
}

/// The server of `--local`, if that is asked for.
pub(super) async fn server(args: &WorkArgs, world: &World) -> Result<Option<Server>, Diagnostic> {
    match args.local {
        true => Ok(Some(local::start(args.data.as_deref().map(|data| world.folder.join(data)), None, world).await?)),
        false => Ok(None),
    }
}

/// A failure outside of any image.
pub(super) fn told(error: &ServiceError, facts: &Facts) -> Diagnostic {
    explain(error, Circumstances { ci: facts.ci, ..Circumstances::default() })
}

/// Stand-in until the content key is in.
fn contents(pipeline: &Pipeline) -> Vec<ContentFacts> {
    let unknown = || ContentFacts { key: Err("no content key".to_owned()), record: None, changes: Vec::new() };
    pipeline.images.iter().map(|_| unknown()).collect()
}
