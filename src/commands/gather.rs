//! The second step: the builders, the contents and the registries are looked at, and nothing waits for anything that it
//! does not need.

use futures_util::future::{Either, select, try_join_all};

use super::builders::{self, Builders};
use super::contents::contents;
use super::decide::{Seen, told};
use super::registry::{self, AllLooked, AllWanted, Lookout};
use super::target::{self, Opening};
use super::way::{Way, client, replication};
use super::{World, key};
use crate::diagnostic::Diagnostics;
use crate::effects::ecr::EcrClient;
use crate::effects::registry::OwnRegistry;
use crate::execute::ports::{Ecr as _, ServiceError};
use crate::explain::{Circumstances, explain};
use crate::facts::{ContentFacts, RegistryFacts};
use crate::key::ImageKey;
use crate::local::Server;
use crate::names::RegistryHost;
use crate::pipeline::Pipeline;
use crate::report;

/// What a plan is made from besides the checkout, and the ways that it was found by.
pub(super) struct Gathered {
    /// The way to the registry that everything is pushed to.
    pub(super) own: Way,
    /// Those to its replicas.
    pub(super) replicas: Vec<Way>,
    pub(super) builders: Builders,
    /// The content keys of the images.
    pub(super) keys: Vec<ImageKey>,
    /// What is known of their contents.
    pub(super) contents: Vec<ContentFacts>,
    /// What the registry has.
    pub(super) registry: RegistryFacts,
    /// What its replicas have.
    pub(super) there: Vec<RegistryFacts>,
    /// What the registry itself said, if it did meanwhile.
    pub(super) answer: Option<Result<(), ServiceError>>,
}

/// What was found about the images.
struct Images {
    keys: Vec<ImageKey>,
    contents: Vec<ContentFacts>,
    wanted: AllWanted,
    replicas: Vec<Way>,
    looked: AllLooked,
    there: Result<Vec<RegistryFacts>, ServiceError>,
}

/// Looks everywhere.
pub(super) async fn gather(
    seen: &Seen,
    opening: Opening,
    server: Option<&Server>,
    world: &World,
) -> Result<Gathered, Diagnostics> {
    let Seen { pipeline, root, facts, .. } = seen;
    let named = registry::named(pipeline, facts);
    // Boxed, because what waits for so much at once would be too large for the stack.
    let standing = Box::pin(async {
        let standing = registry::standing(&opening.ecr, &named);
        let (seen, replication) = tokio::try_join!(standing, replication(&opening.ecr, &pipeline.registry))
            .map_err(|error| told(&error, facts))?;
        Ok::<_, Diagnostics>(RegistryFacts { replication, ..seen })
    });
    let found = Box::pin(async {
        let (host, builders) =
            tokio::join!(Box::pin(opening.host(&pipeline.registry)), Box::pin(builders::find(pipeline, root, world)));
        let host = host?;
        let registry = client(&host, world).map_err(|error| told(&error, facts))?;
        let lookout = Lookout { host: &host, ecr: &opening.ecr, registry: &registry };
        let images = Box::pin(images(seen, &lookout, &builders, server, world));
        let token = Box::pin(async { Ok(opening.ecr.credential().await.map(drop)) });
        let looked = Box::pin(async { tokio::try_join!(images, token) });
        // Its answer is not waited for, since a run with nothing to do can go without.
        let (looked, answer) = match select(looked, Box::pin(lookout.ping())).await {
            Either::Left((looked, _)) => (looked?, None),
            Either::Right((answer, looked)) => (looked.await?, Some(answer)),
        };
        Ok((host, registry, builders, looked, answer))
    });
    let (found, standing) = in_order(found, standing).await?;
    let (host, registry, builders, (images, token), answer) = found;
    let Images { keys, contents, wanted, replicas, looked, there } = images;
    let there = token.and(there).map_err(|error| told(&error, facts))?;
    let own = Way { host, ecr: opening.ecr, registry };
    let registry = own.lookout().settle(standing, looked, &wanted).await.map_err(|error| told(&error, facts))?;
    Ok(Gathered { own, replicas, builders, keys, contents, registry, there, answer })
}

/// Computes the content keys, and looks up at all registries what they and the tags name.
async fn images(
    seen: &Seen,
    lookout: &Lookout<'_>,
    builders: &Builders,
    server: Option<&Server>,
    world: &World,
) -> Result<Images, Diagnostics> {
    let Seen { pipeline, root, facts, tags, written, .. } = seen;
    let (platform, _) = builders.platform();
    let sight = key::Sight {
        root,
        written,
        platform: &platform,
        buildkit: builders.build_with_buildkit(),
        own: Some(OwnRegistry { host: lookout.host, ecr: lookout.ecr }),
        variables: &world.variables,
        retries: &world.retries,
        warn: &|warnings| world.warn(warnings),
    };
    let names = pipeline.images.iter().map(|image| image.name.as_str()).collect();
    let replicas = replicas(pipeline, (lookout.host, lookout.ecr), server, world);
    let (keys, replicas) = in_order(Box::pin(key::keys(pipeline, &names, &sight)), Box::pin(replicas)).await?;
    let contents = contents(pipeline, &keys);
    let wanted = registry::wanted(pipeline, tags, &contents, facts);
    let there = try_join_all(replicas.iter().map(async |way| way.lookout().look(&wanted).await));
    let (looked, there) = tokio::join!(lookout.tags(&wanted), there);
    Ok(Images { keys, contents, wanted, replicas, looked, there })
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
