//! From what was asked for and what is there to what will be done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::cache::{self, Ground};
use super::labels::Labels;
use super::lifecycle::MAX_EXPIRE;
use super::moving;
use super::replicas::{ReplicaSight, plan_replica};
use super::repository::{Guard, Manner, RepositorySight, Told, plan_cache_repository, plan_repository};
use super::reuse::{Case, Verdict};
use super::scope::{Scope, not_staged};
use super::tags::DerivedTags;
use super::told::told_as;
use super::{
    BuildPlan, GatePlan, ImageAction, ImagePlan, PartAction, PartPlan, Plan, PlannedTag, RECORD_TYPE, Record,
    RepositoryPlan, labels,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{ContentFacts, Facts, RegistryFacts, RepositoryFacts};
use crate::key::ContentKey;
use crate::names::{Digest, Platform, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{BuildOptions, ContextSource, Image, ManifestKind, NamedContext, Pipeline, SecretSource};

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
    /// What this run does of the work.
    pub scope: Scope<'a>,
    /// What images are built for that name no platform.
    pub native: &'a Platform,
    /// What was seen of that registry.
    pub seen: &'a RegistryFacts,
    /// The registries that the images are copied to.
    pub replicas: &'a [ReplicaSight<'a>],
}

/// Makes the plan. `tags` holds what the rules gave, one entry for each image of the pipeline.
///
/// # Errors
/// Everything at once that makes the run impossible: an image without a tag, a repository that is missing and
/// shall not be created, a tag that is taken and cannot move, an image that other runs should have staged.
pub fn make(pipeline: &Pipeline, tags: Vec<DerivedTags>, sight: &Sight<'_>) -> Result<Plan, Diagnostics> {
    let mut told = Told::default();
    let ours = sight.scope.images(pipeline, sight.native)?;
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    let (mut images, mut caches) = (Vec::new(), BTreeMap::new());
    for ((image, derived), content) in pipeline.images.iter().zip(tags).zip(sight.contents) {
        if !ours.contains(image.name.as_str()) {
            continue;
        }
        let name = &image.repository.name;
        let there = sight.seen.repositories.get(name);
        told.problems.extend(sight.scope.refusal(image, content));
        let around = around(name, sight.registry, sight.seen, Some(guard(pipeline, sight.now, sight.seen, name)));
        repositories.extend(plan_repository(&image.repository, &around, &mut told));
        caches.extend(cache::own_repository(image, sight.facts).map(|name| (name, image.repository.create)));
        told.doubts.extend(moving::doubt(image, &pipeline.environments, Some(&derived.tags)));
        match plan_image(image, derived, content, there, sight) {
            Ok(planned) => images.push(planned),
            Err(problem) => told.problems.push(problem),
        }
    }
    for (name, create) in caches {
        if !repositories.iter().any(|known| known.name() == name) {
            let around = around(name, sight.registry, sight.seen, None);
            repositories.extend(plan_cache_repository(name, create, &around, &mut told));
        }
    }
    let replicas = sight.replicas.iter();
    let replicas =
        replicas.map(|replica| plan_replica(pipeline, &images, sight.seen, replica, sight.now, &mut told)).collect();
    Diagnostics::check(told.problems)?;
    Ok(Plan {
        registry: sight.registry.clone(),
        repositories,
        images,
        replicas,
        release_here: true,
        outputs: pipeline.outputs.clone(),
        doubts: told.doubts,
    })
}

/// What was seen around a repository of a run.
pub(super) fn around<'a>(
    name: &RepositoryName,
    registry: &'a RegistryHost,
    seen: &'a RegistryFacts,
    guard: Option<Guard<'a>>,
) -> RepositorySight<'a> {
    let (there, templates) = (seen.repositories.get(name), seen.templates.as_slice());
    RepositorySight { registry, there, templates, manner: Manner::default(), guard }
}

/// What a run holds against a lifecycle policy; there nobody can say `--yes`.
pub(super) fn guard<'a>(
    pipeline: &'a Pipeline,
    now: OffsetDateTime,
    seen: &'a RegistryFacts,
    name: &RepositoryName,
) -> Guard<'a> {
    let images = seen.images.get(name).map(Vec::as_slice);
    Guard { images, at: now.into(), environments: &pipeline.environments, max_expire: MAX_EXPIRE }
}

fn plan_image(
    image: &Image,
    derived: DerivedTags,
    content: &ContentFacts,
    there: Option<&RepositoryFacts>,
    sight: &Sight<'_>,
) -> Result<ImagePlan, Diagnostic> {
    let Some(version) = derived.tags.first() else { return Err(no_tag(image, &derived)) };
    let (force, any_age) = (sight.force, sight.scope == Scope::Merge);
    let case = Case { image, tags: &derived.tags, content, there, facts: sight.facts, now: sight.now, force, any_age };
    let mut released: Vec<Digest> = Vec::new();
    for digest in taken(&derived.tags, there).into_values() {
        if !released.contains(&digest) {
            released.push(digest);
        }
    }
    let cache_there = cache::own_repository(image, sight.facts).and_then(|name| sight.seen.repositories.get(name));
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
        let planned = plan_build(image, platform, labels, sight.root, sight.written, sight.facts);
        BuildPlan { login, pull, cache, base: content.base.clone(), ..planned }
    };
    let action = match case.decide()? {
        Verdict::Reuse { digest, why } => ImageAction::Reuse { digest, why },
        Verdict::Build { why } if content.parts.is_empty() && any_age => {
            return Err(not_staged(image, None, &content.key, &why));
        }
        Verdict::Build { why } if content.parts.is_empty() => {
            ImageAction::Build { why, build: Box::new(build(content, None)) }
        }
        Verdict::Build { why } => {
            let parts = sight.scope.parts(&content.parts).into_iter().map(|part| {
                Ok(PartPlan {
                    platform: part.platform.clone(),
                    action: match (Case { content: &part.content, ..case }).by_content()? {
                        Verdict::Reuse { digest, why } => PartAction::Reuse { digest, why },
                        Verdict::Build { why } if any_age => {
                            return Err(not_staged(image, Some(&part.platform), &part.content.key, &why));
                        }
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
        single: image.manifest == ManifestKind::Single,
        size: size(content, there),
        taken: taken(&derived.tags, there),
        tags: derived.tags,
        skipped: derived.skipped,
        gate: image.gate.clone().map(|policy| GatePlan { policy, today: sight.now.date() }),
        signing: image.signing,
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
    let planned = pipeline.images.iter().zip(tags).flat_map(|(image, derived)| {
        let version = derived.tags.first().map(|planned| &planned.tag);
        let labels = labels::standard(facts, version, &image.build.labels);
        let platforms = &image.build.platforms;
        let build = move |platform| plan_build(image, platform, labels.clone(), root, written, facts);
        match platforms.as_slice() {
            [] | [_] => vec![(image.name.clone(), build(None))],
            several => several.iter().map(|one| (told_as(&image.name, one), build(Some(one)))).collect(),
        }
    });
    planned.collect()
}

fn plan_build(
    image: &Image,
    platform: Option<&Platform>,
    labels: Labels,
    root: &Path,
    written: &[PathBuf],
    facts: &Facts,
) -> BuildPlan {
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
        platform: platform.cloned().or_else(|| build.platforms.first().cloned()),
        emulate: build.emulate,
        no_cache: build.no_cache,
        pull: build.pull,
        network: build.network.clone(),
        extra_hosts: build.extra_hosts.clone(),
        shm_size: build.shm_size,
        cache: None,
        options: located_options(&build.options, root),
        transport: image.transport,
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
