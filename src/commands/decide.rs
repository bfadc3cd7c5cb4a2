//! The first three steps, which change nothing: read, look, decide.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::stream::{self, StreamExt};

use super::read::Loaded;
use super::recipes::Recipes;
use super::registry::Lookout;
use super::target::{self, Target};
use super::{World, key, local, look, read, recipes};
use crate::cli::WorkArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::ecr::EcrClient;
use crate::effects::registry::{OwnRegistry, RegistryClient};
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::facts::{ContentFacts, Facts, RepositoryFacts};
use crate::key::ImageKey;
use crate::local::Server;
use crate::names::RepositoryName;
use crate::pipeline::Pipeline;
use crate::plan::tags::DerivedTags;
use crate::plan::{self, Plan, Sight};

/// How many images are looked into at once.
const CONCURRENCY: usize = 20;

/// A plan, and what it takes to carry it out.
pub(super) struct Decided {
    pub(super) plan: Plan,
    pub(super) facts: Facts,
    /// The folder that the pipeline's paths start from.
    pub(super) root: PathBuf,
    pub(super) ecr: EcrClient,
    pub(super) registry: RegistryClient,
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

/// Reads the pipeline and looks at the checkout. `report` is the file that the run will write besides the pipeline's own.
pub(super) fn see(args: &WorkArgs, report: Option<&Path>, world: &World) -> Result<Seen, Diagnostics> {
    let Loaded { mut pipeline, root } = read::pipeline(&args.pipeline, world)?;
    read::select(&mut pipeline, &args.images)?;
    let facts = look::checkout(&args.facts, &root, world)?;
    look::warn_of_changes(&facts, world);
    let environment = look::environment(&args.facts, &pipeline, &facts, world)?;
    let tags = look::tags(&pipeline, &facts, &environment)?;
    let recipes = recipes::read(&pipeline, &root)?;
    let mut written = key::written(&pipeline, &root);
    written.extend(report.map(|path| world.folder.join(path)));
    Ok(Seen { pipeline, root, facts, tags, written, recipes })
}

/// Looks at the registry, and makes the plan.
pub(super) async fn decide(
    seen: Seen,
    args: &WorkArgs,
    server: Option<&Server>,
    world: &World,
) -> Result<Decided, Diagnostics> {
    let Seen { pipeline, root, facts, tags, written, recipes } = seen;
    let pipeline = &pipeline;
    let Target { ecr, host } = target::connect(&pipeline.registry, &args.registry, server, world).await?;
    let registry = RegistryClient::new(&host, &world.variables).map_err(|error| told(&error, &facts))?;
    let (platform, source) = key::platform_of_daemon(world).await;
    let own = Some(OwnRegistry { host: &host, ecr: &ecr });
    let seen = key::Sight { root: &root, written: &written, platform: &platform, own, variables: &world.variables };
    let names = pipeline.images.iter().map(|image| image.name.as_str()).collect();
    let keys = key::keys(pipeline, &names, &seen).await?;
    let mut contents = contents(pipeline, &keys);
    let lookout = Lookout { host: &host, ecr: &ecr, registry: &registry };
    let (repositories, answer) = tokio::join!(lookout.repositories(pipeline, &tags, &contents), lookout.ping());
    let repositories = repositories.and_then(|found| answer.map(|()| found)).map_err(|error| told(&error, &facts))?;
    explain_changes(&mut contents, pipeline, &tags, &keys, &repositories, &lookout).await;

    let sight = Sight {
        root: &root,
        written: &written,
        facts: &facts,
        registry: &host,
        contents: &contents,
        now: clock::now(),
        force: args.force,
        based_on_registry: &recipes.based_on(&host, pipeline),
        repositories: &repositories,
    };
    let plan = plan::make(pipeline, tags, &sight)?;
    // Whoever builds hears of the daemon soon enough.
    if !plan.builds_anything() {
        source.tell(&platform);
    }
    Ok(Decided { plan, facts, root, ecr, registry })
}

/// The server of `--local`, if that is asked for.
pub(super) async fn server(args: &WorkArgs, world: &World) -> Result<Option<Server>, Diagnostic> {
    match args.local {
        true => {
            Ok(Some(local::start(args.data.as_deref().map(|data| world.folder.join(data)), None, None, world).await?))
        }
        false => Ok(None),
    }
}

/// A failure outside of any image.
pub(super) fn told(error: &ServiceError, facts: &Facts) -> Diagnostic {
    explain(error, Circumstances { ci: facts.ci, ..Circumstances::default() })
}

/// What is known of each image's content, in the order of the pipeline.
fn contents(pipeline: &Pipeline, keys: &[ImageKey]) -> Vec<ContentFacts> {
    let of = |name: &str| keys.iter().find(|key| key.name == name);
    let facts = pipeline.images.iter().map(|image| match of(&image.name) {
        Some(found) => ContentFacts {
            key: found.key.clone().map_err(|always| always.reason),
            fresh_bases: found.key.is_ok() && found.record.bases.keys().any(|base| !base.contains('@')),
            record: serde_json::to_vec(&found.record).ok(),
            changes: Vec::new(),
        },
        None => ContentFacts {
            key: Err("its content was not looked at".to_owned()),
            fresh_bases: false,
            record: None,
            changes: Vec::new(),
        },
    });
    facts.collect()
}

/// Adds to what is to be built in how far it differs from what is there.
async fn explain_changes(
    contents: &mut [ContentFacts],
    pipeline: &Pipeline,
    tags: &[DerivedTags],
    keys: &[ImageKey],
    repositories: &BTreeMap<RepositoryName, RepositoryFacts>,
    lookout: &Lookout<'_>,
) {
    let images = contents.iter_mut().zip(&pipeline.images).zip(tags);
    let explained = stream::iter(images).map(async |((content, image), tags)| {
        let Some(repository) = repositories.get(&image.repository.name) else { return };
        let is_there = content.key.as_ref().is_ok_and(|key| repository.taken.contains_key(&key.tag()));
        let record = keys.iter().find(|key| key.name == image.name).map(|key| &key.record);
        if let (false, Some(record)) = (is_there, record) {
            content.changes = lookout.changes(repository, tags, record).await;
        }
    });
    explained.buffer_unordered(CONCURRENCY).collect::<()>().await;
}
