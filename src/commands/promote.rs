//! `longshore promote`: the second half of a run, later or elsewhere.

use std::collections::BTreeMap;

use super::finish::{self, Finished, failures};
use super::progress::progress;
use super::read::{self, Loaded};
use super::registry::AllWanted;
use super::way::Way;
use super::{World, scanned, target, unless_interrupted};
use crate::cli::PromoteArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::docker::Docker;
use crate::effects::fleet::Fleet;
use crate::effects::{clock, program};
use crate::execute::events::Event;
use crate::execute::ports::{Ecr as _, Registry as _, ServiceError};
use crate::execute::{self, Goal, Replica, Services};
use crate::explain::{Circumstances, explain};
use crate::facts::{Known, RepositoryFacts};
use crate::key::ContentKey;
use crate::names::{Digest, ImageRef, RepositoryName, Tag};
use crate::pipeline::{self, Pipeline};
use crate::plan::environment;
use crate::plan::promote::{Sight, Source, promote};

pub(super) async fn run(args: &PromoteArgs, world: &World) -> Result<(), Diagnostics> {
    finish::prepare(&args.results, None, world)?;
    let mut finished = Finished::default();
    let result = unless_interrupted(five_steps(args, world, &mut finished)).await;
    finished.tell(&args.results, result, world)
}

async fn five_steps(args: &PromoteArgs, world: &World, finished: &mut Finished) -> Result<(), Diagnostics> {
    let Loaded { mut pipeline, root } = read::pipeline(&args.pipeline, world)?;
    read::select_alone(&mut pipeline, &args.images)?;
    finished.dockerfiles = scanned::dockerfiles(&pipeline, &root);
    let source = source(&args.source)?;
    let tags = tags(args, &pipeline)?;

    let target = target::connect(&pipeline.registry, &args.registry, None, world).await?;
    let elsewhere = elsewhere(args);
    let here = elsewhere.is_none();
    if let Some(elsewhere) = elsewhere {
        pipeline.registry.replicas = vec![elsewhere];
    }
    let targets = target::replicas(&pipeline.registry, (&target.host, &target.ecr), world).await?;
    let own = Way::to(target, world).map_err(|error| told(&error))?;
    let replicas = targets.into_iter().map(|target| Way::to(target, world)).collect::<Result<Vec<_>, _>>();
    let replicas = replicas.map_err(|error| told(&error))?;

    let wanted = wanted(&pipeline, &source, &tags);
    let there = futures_util::future::try_join_all(replicas.iter().map(async |way| way.lookout().look(&wanted).await));
    let (seen, there) = tokio::try_join!(own.look(&wanted, &pipeline.registry), there).map_err(|error| told(&error))?;
    let found = find(&source, &seen.repositories, &own).await.map_err(|error| told(&error))?;
    let asked = replicas.iter().zip(&pipeline.registry.replicas);
    let seen_there: Vec<_> =
        asked.zip(&there).map(|((way, asked), seen)| way.seen(asked, seen, &pipeline.registry, &own)).collect();
    let sight =
        Sight { registry: &own.host, seen: &seen, found: &found, replicas: &seen_there, here, now: clock::now() };
    let plan = promote(&pipeline, &source, &tags, &sight)?;
    let plan = finished.plan.insert(if args.no_gate { plan.without_gates() } else { plan });
    finish::prepare_deploy(&plan.outputs, &root)?;
    finish::check_names(&args.results, plan)?;
    let template = finish::template(plan, &root, world)?;

    let names: Vec<&str> = plan.images.iter().map(|image| image.name.as_str()).collect();
    let progress = progress(args.progress, &names, world);
    let began = clock::instant();
    let services = Services {
        engine: &Fleet::<Docker>::none(),
        ecr: &own.ecr,
        registry: &own.registry,
        elsewhere: None,
        replicas: replicas.iter().map(|way| Replica { ecr: &way.ecr, registry: &way.registry }).collect(),
        retries: &world.retries,
        elapsed: &|| began.elapsed(),
        jobs: program::cores(),
        goal: Goal::Released,
    };
    let show = |event| {
        finished.spans.note(&event, began.elapsed());
        progress.tell(&event);
    };
    let work = execute::run(plan, &services, &show);
    let report = world.telling(&|retry| show(Event::Retried(retry.clone())), work).await;
    progress.end();
    let report = finished.report.insert(report);
    Diagnostics::check(failures(plan, report, Circumstances::default(), world))?;
    finished.deploy_files = finish::deploy(plan, report, template.as_ref(), &root, world)?;
    Ok(())
}

/// What the user names: 64 digits are a content key, since no tag of anybody's looks so by chance.
fn source(text: &str) -> Result<Source, Diagnostic> {
    if let Ok(key) = ContentKey::try_from(text.to_owned()) {
        return Ok(Source::Key(key));
    }
    if text.contains(':') {
        let digest = text.parse::<Digest>().map_err(|error| Diagnostic::input(error.to_string()))?;
        return Ok(Source::Digest(digest));
    }
    let tag = text.parse::<Tag>().map_err(|error| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))?;
    Ok(Source::Tag(tag))
}

/// The tags to write, each once and with what asked for it.
fn tags(args: &PromoteArgs, pipeline: &Pipeline) -> Result<Vec<(Tag, &'static str)>, Diagnostic> {
    let mut tags: Vec<(Tag, &'static str)> = args.to.iter().map(|tag| (tag.clone(), "--to")).collect();
    if let Some(name) = &args.env {
        let environment = environment::named(pipeline, &Known::new(name.clone(), "--env"))?;
        tags.push((environment.value, "--env"));
    }
    let mut seen = std::collections::BTreeSet::new();
    tags.retain(|(tag, _)| seen.insert(tag.clone()));
    Ok(tags)
}

/// The registry that the tags are written in, if it is another.
fn elsewhere(args: &PromoteArgs) -> Option<pipeline::Replica> {
    let to = &args.elsewhere;
    let replica = pipeline::Replica {
        account: to.to_account.clone(),
        region: to.to_region.clone(),
        host: to.to_registry.clone(),
        role: to.to_role.clone(),
        profile: to.to_profile.clone(),
        wait: None,
        place: None,
    };
    (replica != pipeline::Replica::default()).then_some(replica)
}

fn wanted(pipeline: &Pipeline, source: &Source, tags: &[(Tag, &'static str)]) -> AllWanted {
    let mut all = AllWanted::new();
    for image in &pipeline.images {
        let wanted = all.entry(image.repository.name.clone()).or_default();
        wanted.staging.extend(source.tag());
        wanted.release.extend(tags.iter().map(|(tag, _)| tag.clone()));
    }
    all
}

/// The digest that the source has in each repository that has it.
async fn find(
    source: &Source,
    repositories: &BTreeMap<RepositoryName, RepositoryFacts>,
    own: &Way,
) -> Result<BTreeMap<RepositoryName, Digest>, ServiceError> {
    let mut found = BTreeMap::new();
    for (name, repository) in repositories {
        let digest = match (source, source.tag()) {
            (Source::Digest(digest), _) => {
                let image = ImageRef::digested(&own.host, name, digest);
                own.registry.digest(&image, &own.ecr.credential().await?).await?
            }
            (_, Some(tag)) => repository.taken.get(&tag).map(|stored| stored.digest.clone()),
            (_, None) => None,
        };
        found.extend(digest.map(|digest| (name.clone(), digest)));
    }
    Ok(found)
}

fn told(error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default())
}
