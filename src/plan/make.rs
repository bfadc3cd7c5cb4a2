//! From what was asked for and what is there to what will be done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::cache::{self, Ground};
use super::labels::Labels;
use super::replicas::{ReplicaSight, plan_replica};
use super::reuse::{Case, Verdict};
use super::tags::DerivedTags;
use super::{
    BuildPlan, ImageAction, ImagePlan, PartAction, PartPlan, Plan, PlannedTag, RECORD_TYPE, Record, RepositoryPlan,
    RepositorySpec, labels,
};
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::facts::{ContentFacts, Facts, RepositoryFacts};
use crate::key::ContentKey;
use crate::lifecycle::Policy;
use crate::names::{Digest, Platform, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{
    BuildOptions, ContextSource, Image, Lifecycle, NamedContext, Pipeline, Repository, SecretSource,
};

/// What was seen before anything was decided.
pub struct Sight<'a> {
    /// The folder that the pipeline's paths start from.
    pub root: &'a Path,
    /// The files that a run itself writes.
    pub written: &'a [PathBuf],
    /// The checkout.
    pub facts: &'a Facts,
    /// The registry that the images go to.
    pub registry: &'a RegistryHost,
    /// The images whose Dockerfiles speak of that registry, by their keys in the pipeline file.
    pub based_on_registry: &'a BTreeSet<String>,
    /// What is known of the images' content, one entry for each image of the pipeline.
    pub contents: &'a [ContentFacts],
    /// The time.
    pub now: OffsetDateTime,
    /// Build whatever the registry has.
    pub force: bool,
    /// The repositories of the pipeline that exist.
    pub repositories: &'a BTreeMap<RepositoryName, RepositoryFacts>,
    /// The registries that the images are copied to.
    pub replicas: &'a [ReplicaSight<'a>],
}

/// Makes the plan. `tags` holds what the rules gave, one entry for each image of the pipeline.
///
/// # Errors
/// Everything at once that makes the run impossible: an image without a tag, a repository that is missing and
/// shall not be created, a tag that is taken and cannot move.
pub fn make(pipeline: &Pipeline, tags: Vec<DerivedTags>, sight: &Sight<'_>) -> Result<Plan, Diagnostics> {
    let mut problems = Vec::new();
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    let (mut images, mut caches) = (Vec::new(), BTreeMap::new());
    for ((image, derived), content) in pipeline.images.iter().zip(tags).zip(sight.contents) {
        let there = sight.repositories.get(&image.repository.name);
        match plan_repository(&image.repository, there, sight.registry) {
            Ok(planned) if repositories.iter().any(|known| known.name() == planned.name()) => {}
            Ok(planned) => repositories.push(planned),
            Err(problem) => problems.push(problem),
        }
        caches.extend(cache::own_repository(image, sight.facts).map(|name| (name, image.repository.create)));
        match plan_image(image, derived, content, there, sight) {
            Ok(planned) => images.push(planned),
            Err(problem) => problems.push(problem),
        }
    }
    for (name, create) in caches {
        if !repositories.iter().any(|known| known.name() == name) {
            match plan_cache_repository(name, create, sight) {
                Ok(planned) => repositories.push(planned),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let replicas =
        sight.replicas.iter().map(|replica| plan_replica(pipeline, &images, replica, &mut problems)).collect();
    Diagnostics::check(problems)?;
    Ok(Plan {
        registry: sight.registry.clone(),
        repositories,
        images,
        replicas,
        release_here: true,
        outputs: pipeline.outputs.clone(),
    })
}

pub(super) fn plan_repository(
    wanted: &Repository,
    there: Option<&RepositoryFacts>,
    registry: &RegistryHost,
) -> Result<RepositoryPlan, Diagnostic> {
    let name = wanted.name.clone();
    if there.is_some() {
        return Ok(RepositoryPlan::Keep { name });
    }
    if !wanted.create {
        return Err(missing(&name, registry).at_maybe(wanted.place.clone()));
    }
    Ok(RepositoryPlan::Create(RepositorySpec {
        name,
        scan_on_push: wanted.scan_on_push,
        encryption: wanted.encryption.clone(),
        tag_mutability: wanted.tag_mutability.clone(),
        resource_tags: wanted.resource_tags.clone(),
        lifecycle: lifecycle(wanted)?,
    }))
}

fn missing(name: &RepositoryName, registry: &RegistryHost) -> Diagnostic {
    let region = registry.as_ecr().map_or(String::new(), |ecr| format!(" --region {}", ecr.region));
    Diagnostic::input(format!("repository `{name}` does not exist in {registry}")).hint(format!(
        "remove `create: false` to have it created, or create it with \
         `aws ecr create-repository --repository-name {name}{region}`"
    ))
}

/// A repository that only holds layers of the cache; one that is missing is created with ECR's own settings.
fn plan_cache_repository(name: &RepositoryName, create: bool, sight: &Sight<'_>) -> Result<RepositoryPlan, Diagnostic> {
    match sight.repositories.contains_key(name) {
        true => Ok(RepositoryPlan::Keep { name: name.clone() }),
        false if create => Ok(RepositoryPlan::Create(RepositorySpec::plain(name.clone()))),
        false => Err(missing(name, sight.registry)),
    }
}

fn lifecycle(wanted: &Repository) -> Result<Option<Policy>, Diagnostic> {
    match &wanted.lifecycle {
        None => Ok(None),
        Some(Lifecycle::Policy(policy)) => Ok(Some(policy.clone())),
        Some(Lifecycle::File { path, place }) => {
            let message = format!("the lifecycle policy `{}` was never read", path.display());
            Err(Diagnostic::new(Blame::Bug, message).at(place.clone()))
        }
    }
}

fn plan_image(
    image: &Image,
    derived: DerivedTags,
    content: &ContentFacts,
    there: Option<&RepositoryFacts>,
    sight: &Sight<'_>,
) -> Result<ImagePlan, Diagnostic> {
    let Some(version) = derived.tags.first() else { return Err(no_tag(image, &derived)) };
    let case =
        Case { image, tags: &derived.tags, content, there, facts: sight.facts, now: sight.now, force: sight.force };
    let mut released: Vec<Digest> = Vec::new();
    for digest in taken(&derived.tags, there).into_values() {
        if !released.contains(&digest) {
            released.push(digest);
        }
    }
    let cache_there = cache::own_repository(image, sight.facts).and_then(|name| sight.repositories.get(name));
    let ground = Ground { facts: sight.facts, registry: sight.registry, there, cache_there, released: &released };
    let build = |content: &ContentFacts, platform: Option<&Platform>| {
        let mut labels = labels::standard(sight.facts, Some(&version.tag), &image.build.labels);
        if let Ok(key) = &content.key {
            labels.insert(labels::CONTENT_KEY.to_owned(), key.to_string());
        }
        let planned = image.build.additional_contexts.values().any(|context| context.planned().is_some());
        let cache = cache::plan(image, platform, &ground);
        let login = planned || cache.is_some() || sight.based_on_registry.contains(&image.name);
        let pull = image.build.pull || content.fresh_bases;
        let planned = plan_build(image, labels, sight.root, sight.written, sight.facts);
        let platform = platform.cloned().or_else(|| planned.platform.clone());
        BuildPlan { login, pull, platform, cache, base: content.base.clone(), ..planned }
    };
    let action = match case.decide()? {
        Verdict::Reuse { digest, why } => ImageAction::Reuse { digest, why },
        Verdict::Build { why } if content.parts.is_empty() => {
            ImageAction::Build { why, build: Box::new(build(content, None)) }
        }
        Verdict::Build { why } => {
            let parts = content.parts.iter().map(|part| {
                Ok(PartPlan {
                    platform: part.platform.clone(),
                    action: match (Case { content: &part.content, ..case }).by_content()? {
                        Verdict::Reuse { digest, why } => PartAction::Reuse { digest, why },
                        Verdict::Build { why } => {
                            PartAction::Build { why, build: Box::new(build(&part.content, Some(&part.platform))) }
                        }
                    },
                    staging: part.content.key.as_ref().ok().map(ContentKey::tag),
                    record: record(&part.content),
                })
            });
            ImageAction::Assemble { why, parts: parts.collect::<Result<_, Diagnostic>>()? }
        }
    };
    Ok(ImagePlan {
        name: image.name.clone(),
        container: image.container.clone(),
        repository: image.repository.name.clone(),
        needs: image.needs().map(str::to_owned).collect(),
        action,
        staging: content.key.as_ref().ok().map(ContentKey::tag),
        record: record(content),
        size: size(content, there),
        taken: taken(&derived.tags, there),
        tags: derived.tags,
        skipped: derived.skipped,
    })
}

fn record(content: &ContentFacts) -> Option<Record> {
    content.record.clone().map(|bytes| Record { media_type: RECORD_TYPE.to_owned(), bytes })
}

fn size(content: &ContentFacts, there: Option<&RepositoryFacts>) -> Option<u64> {
    there?.taken.get(&content.key.as_ref().ok()?.tag())?.size
}

fn taken(tags: &[PlannedTag], there: Option<&RepositoryFacts>) -> BTreeMap<Tag, Digest> {
    let Some(repository) = there else { return BTreeMap::new() };
    let taken = tags.iter().filter_map(|planned| Some((&planned.tag, repository.taken.get(&planned.tag)?)));
    taken.map(|(tag, image)| (tag.clone(), image.digest.clone())).collect()
}

fn no_tag(image: &Image, derived: &DerivedTags) -> Diagnostic {
    let reasons = derived.skipped.iter().map(|skipped| format!("`{}` gives none: {}", skipped.rule, skipped.why));
    let state = "state the fact that is missing: --commit, --branch, --git-tag or --pull-request";
    let hint = match derived.skipped.iter().any(|skipped| skipped.rule == "sha") {
        true => state.to_owned(),
        false => format!("add a rule that gives a tag on every commit, such as `sha`, or {state}"),
    };
    let mut diagnostic = Diagnostic::input(format!("image `{}` gets no tag", image.name))
        .at_maybe(image.tags.first().and_then(|rule| rule.place.clone()))
        .hint(hint);
    diagnostic.causes.extend(reasons);
    diagnostic
}

/// The builds of all images by their names, for a run that pushes nothing. `tags` is as for [`make`]; here an image may
/// have none. `written` are the files that a run itself writes.
pub fn builds(
    pipeline: &Pipeline,
    tags: &[DerivedTags],
    root: &Path,
    written: &[PathBuf],
    facts: &Facts,
) -> Vec<(String, BuildPlan)> {
    let planned = pipeline.images.iter().zip(tags).map(|(image, derived)| {
        let version = derived.tags.first().map(|planned| &planned.tag);
        let labels = labels::standard(facts, version, &image.build.labels);
        (image.name.clone(), plan_build(image, labels, root, written, facts))
    });
    planned.collect()
}

fn plan_build(image: &Image, labels: Labels, root: &Path, written: &[PathBuf], facts: &Facts) -> BuildPlan {
    let build = &image.build;
    BuildPlan {
        left_out: written.to_vec(),
        login: false,
        context: located(&build.context, root),
        contexts: build.additional_contexts.iter().map(|(name, one)| (name.clone(), located_name(one, root))).collect(),
        dockerfile: build.dockerfile.clone(),
        target: build.target.clone(),
        args: build.args.clone(),
        labels,
        platform: build.platform.clone(),
        no_cache: build.no_cache,
        pull: build.pull,
        network: build.network.clone(),
        extra_hosts: build.extra_hosts.clone(),
        shm_size: build.shm_size,
        cache: None,
        options: located_options(&build.options, root),
        base: None,
        source_date_epoch: source_date_epoch(&build.args, facts),
    }
}

/// The time that the user gives, as the reproducible-builds.org specification spells it, else that of the image.
fn source_date_epoch(args: &BTreeMap<String, String>, facts: &Facts) -> Option<i64> {
    match args.get("SOURCE_DATE_EPOCH") {
        Some(given) => given.parse().ok(),
        None => facts.created.as_ref().map(|known| known.value.unix_timestamp()),
    }
}

/// A path from the root. Through its components, which leave out `.`: the path is shown to the user.
fn absolute(path: &Path, root: &Path) -> PathBuf {
    root.join(path).components().collect()
}

/// A context by its place in the file system.
fn located(context: &ContextSource, root: &Path) -> ContextSource {
    match context {
        ContextSource::Folder(folder) => ContextSource::Folder(absolute(folder, root)),
        ContextSource::Archive(file) => ContextSource::Archive(absolute(file, root)),
        ContextSource::Stdin | ContextSource::Remote(_) => context.clone(),
    }
}

fn located_name(context: &NamedContext, root: &Path) -> NamedContext {
    match context {
        NamedContext::Folder(folder) => NamedContext::Folder(absolute(folder, root)),
        NamedContext::Planned(_) | NamedContext::Image(_) | NamedContext::Remote(_) => context.clone(),
    }
}

/// Secrets, keys and local caches by their places in the file system.
fn located_options(options: &BuildOptions, root: &Path) -> BuildOptions {
    let mut located = options.clone();
    for secret in &mut located.secrets {
        if let SecretSource::File(file) = &mut secret.source {
            *file = absolute(file, root);
        }
    }
    for path in located.ssh.iter_mut().flat_map(|ssh| &mut ssh.paths) {
        *path = absolute(path, root);
    }
    for cache in located.cache_from.iter_mut().chain(&mut located.cache_to).filter(|cache| cache.kind == "local") {
        for (_, path) in cache.attributes.iter_mut().filter(|(key, _)| matches!(key.as_str(), "src" | "dest")) {
            *path = absolute(Path::new(path.as_str()), root).to_string_lossy().into_owned();
        }
    }
    located
}
