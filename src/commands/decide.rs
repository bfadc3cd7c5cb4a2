//! The first three steps, which change nothing: read, look, decide.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::{Either, select, try_join_all};
use futures_util::stream::{self, StreamExt};

use super::builders::{self, Builders};
use super::read::Loaded;
use super::recipes::Recipes;
use super::registry::{AllWanted, Lookout};
use super::target::{self, Target};
use super::{World, key, local, look, read, recipes, registry};
use crate::cli::{BuildArgs, WorkArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::ecr::EcrClient;
use crate::effects::registry::{OwnRegistry, RegistryClient};
use crate::execute::ports::{Ecr as _, ServiceError};
use crate::explain::{Circumstances, explain};
use crate::facts::{ContentFacts, Facts, PartFacts, RegistryFacts, ReplicationRule, RepositoryFacts};
use crate::key::{AlwaysBuild, BaseImage, ContentKey, ImageKey, KeyRecord, PlatformKey};
use crate::local::Server;
use crate::names::{RegistryHost, RepositoryName};
use crate::pipeline::{Pipeline, Registry, Replica};
use crate::plan::tags::DerivedTags;
use crate::plan::{self, Plan, ReplicaSight, Scope, Sight};
use crate::report;

/// How many images are looked into at once.
const CONCURRENCY: usize = 20;

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

/// The way to one registry: its control plane, and itself.
pub(super) struct Way {
    pub(super) host: RegistryHost,
    pub(super) ecr: EcrClient,
    pub(super) registry: RegistryClient,
}

impl Way {
    pub(super) fn to(target: Target, world: &World) -> Result<Self, ServiceError> {
        let registry = client(&target.host, world)?;
        Ok(Way { host: target.host, ecr: target.ecr, registry })
    }

    /// What was seen of it as a replica that was asked for.
    pub(super) fn seen<'a>(
        &'a self,
        asked: &'a Replica,
        seen: &'a RegistryFacts,
        registry: &Registry,
        own: &Way,
    ) -> ReplicaSight<'a> {
        let wait = target::wait(asked, (&self.host, &self.ecr), registry, &own.host);
        ReplicaSight { registry: &self.host, seen, wait, place: asked.place.as_ref() }
    }

    /// What a plan has to know of the registry; of its replication only where that is waited for.
    pub(super) async fn look(&self, wanted: &AllWanted, registry: &Registry) -> Result<RegistryFacts, ServiceError> {
        let lookout = self.lookout();
        let (seen, replication) = tokio::try_join!(lookout.look(wanted), replication(&self.ecr, registry))?;
        Ok(RegistryFacts { replication, ..seen })
    }

    pub(super) fn lookout(&self) -> Lookout<'_> {
        Lookout { host: &self.host, ecr: &self.ecr, registry: &self.registry }
    }
}

fn client(host: &RegistryHost, world: &World) -> Result<RegistryClient, ServiceError> {
    RegistryClient::new(host, &world.variables, &world.retries)
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
    let Seen { pipeline, root, facts, tags, written, recipes } = seen;
    let pipeline = &pipeline;
    let opening = target::open(&pipeline.registry, &args.registry, server, world).await?;
    let named = registry::named(pipeline, &facts);
    // Boxed, because what waits for so much at once would be too large for the stack.
    let standing = Box::pin(async {
        let standing = registry::standing(&opening.ecr, &named);
        let (seen, replication) = tokio::try_join!(standing, replication(&opening.ecr, &pipeline.registry))
            .map_err(|error| told(&error, &facts))?;
        Ok::<_, Diagnostics>(RegistryFacts { replication, ..seen })
    });
    // Nothing here waits for anything that it does not need.
    let found = Box::pin(async {
        let (host, builders) =
            tokio::join!(Box::pin(opening.host(&pipeline.registry)), Box::pin(builders::find(pipeline, &root, world)));
        let host = host?;
        let registry = client(&host, world).map_err(|error| told(&error, &facts))?;
        let (platform, _) = builders.platform();
        let sight = key::Sight {
            root: &root,
            written: &written,
            platform: &platform,
            buildkit: builders.build_with_buildkit(),
            own: Some(OwnRegistry { host: &host, ecr: &opening.ecr }),
            variables: &world.variables,
            retries: &world.retries,
            warn: &|warnings| world.warn(warnings),
        };
        let names = pipeline.images.iter().map(|image| image.name.as_str()).collect();
        let lookout = Lookout { host: &host, ecr: &opening.ecr, registry: &registry };
        let looked = Box::pin(async {
            let replicas = replicas(pipeline, (&host, &opening.ecr), server, world);
            let (keys, ways) = in_order(Box::pin(key::keys(pipeline, &names, &sight)), Box::pin(replicas)).await?;
            let contents = contents(pipeline, &keys);
            let wanted = registry::wanted(pipeline, &tags, &contents, &facts);
            let there = try_join_all(ways.iter().map(async |way| way.lookout().look(&wanted).await));
            let (looked, there) = tokio::join!(lookout.tags(&wanted), there);
            Ok::<_, Diagnostics>((keys, contents, wanted, ways, looked, there))
        });
        let token = Box::pin(async { Ok(opening.ecr.credential().await.map(drop)) });
        let looked = Box::pin(async { tokio::try_join!(looked, token) });
        // Its answer is not waited for, since a run with nothing to do can go without.
        let (looked, answer) = match select(looked, Box::pin(lookout.ping())).await {
            Either::Left((looked, _)) => (looked?, None),
            Either::Right((answer, looked)) => (looked.await?, Some(answer)),
        };
        Ok((host, registry, builders, looked, answer))
    });
    let (found, standing) = in_order(found, standing).await?;
    let (host, registry, builders, (looked, token), answer) = found;
    let (keys, mut contents, wanted, replicas, looked, there) = looked;
    let there = token.and(there).map_err(|error| told(&error, &facts))?;
    let own = Way { host, ecr: opening.ecr, registry };
    let (platform, source) = builders.platform();
    let lookout = own.lookout();
    let seen = lookout.settle(standing, looked, &wanted).await.map_err(|error| told(&error, &facts))?;
    explain_changes(&mut contents, pipeline, &tags, &keys, &seen.repositories, &lookout).await;

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
        based_on_registry: &recipes.based_on(&own.host, pipeline),
        seen: &seen,
        replicas: &seen_there,
    };
    let plan = plan::make(pipeline, tags, &sight)?;
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

/// Both at once. A failure of the first ends it at once; one of the second is told when the first has gone well, so that of
/// two failures it is always the same that is told.
async fn in_order<A, B, E>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
) -> Result<(A, B), E> {
    let (first, second) = tokio::try_join!(first, async { Ok(second.await) })?;
    Ok((first, second?))
}

/// The rules of the registry's own replication, where that is waited for.
async fn replication(ecr: &EcrClient, registry: &Registry) -> Result<Option<Vec<ReplicationRule>>, ServiceError> {
    match registry.replicas.iter().any(|replica| replica.wait.is_some()) {
        true => ecr.replication_rules().await,
        false => Ok(None),
    }
}

/// The ways to the pipeline's replicas. The small ECR of `--local` stands alone.
async fn replicas(
    pipeline: &Pipeline,
    own: (&RegistryHost, &EcrClient),
    server: Option<&Server>,
    world: &World,
) -> Result<Vec<Way>, Diagnostics> {
    if server.is_some() {
        if !pipeline.registry.replicas.is_empty() {
            report::note("`registry.replicas` are left out with --local");
        }
        return Ok(Vec::new());
    }
    let targets = target::replicas(&pipeline.registry, own, world).await?;
    let ways = targets.into_iter().map(|target| Way::to(target, world));
    Ok(ways.collect::<Result<_, _>>().map_err(|error| explain(&error, Circumstances::default()))?)
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

/// What is known of each image's content, in the order of the pipeline.
fn contents(pipeline: &Pipeline, keys: &[ImageKey]) -> Vec<ContentFacts> {
    let of = |name: &str| keys.iter().find(|key| key.name == name);
    let facts = pipeline.images.iter().map(|image| match of(&image.name) {
        Some(ImageKey { key, record, base, platforms, .. }) => {
            let parts = platforms.iter().map(|PlatformKey { platform, key, record, base }| PartFacts {
                platform: platform.clone(),
                content: content(key, record, base.as_ref(), Vec::new()),
            });
            content(key, record, base.as_ref(), parts.collect())
        }
        None => ContentFacts {
            key: Err("its content was not looked at".to_owned()),
            fresh_bases: false,
            record: None,
            base: None,
            changes: Vec::new(),
            parts: Vec::new(),
        },
    });
    facts.collect()
}

fn content(
    key: &Result<ContentKey, AlwaysBuild>,
    record: &KeyRecord,
    base: Option<&BaseImage>,
    parts: Vec<PartFacts>,
) -> ContentFacts {
    ContentFacts {
        base: base.cloned(),
        key: key.clone().map_err(|always| always.reason),
        fresh_bases: key.is_ok() && record.bases.keys().any(|base| !base.contains('@')),
        record: serde_json::to_vec(record).ok(),
        changes: Vec::new(),
        parts,
    }
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
