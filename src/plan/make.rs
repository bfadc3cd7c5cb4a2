//! From what was asked for and what is there to what will be done.

use std::collections::BTreeMap;
use std::path::Path;

use super::tags::DerivedTags;
use super::{BuildPlan, ImageAction, ImagePlan, Plan, PlannedTag, RepositoryPlan, RepositorySpec, labels};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{Facts, RepositoryFacts};
use crate::names::{Digest, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{Build, Image, Pipeline, Repository};

/// What was seen before anything was decided.
pub struct Sight<'a> {
    /// The folder that the pipeline's paths start from.
    pub root: &'a Path,
    /// The checkout.
    pub facts: &'a Facts,
    /// The registry that the images go to.
    pub registry: &'a RegistryHost,
    /// The repositories of the pipeline that exist.
    pub repositories: &'a BTreeMap<RepositoryName, RepositoryFacts>,
}

/// Makes the plan. `tags` holds what the rules gave, one entry for each image of the pipeline.
///
/// # Errors
/// Everything at once that makes the run impossible: an image without a tag, a repository that is missing and
/// shall not be created, a tag that is taken and cannot move.
pub fn make(pipeline: &Pipeline, tags: Vec<DerivedTags>, sight: &Sight<'_>) -> Result<Plan, Diagnostics> {
    let mut problems = Vec::new();
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    let mut images = Vec::new();
    for (image, derived) in pipeline.images.iter().zip(tags) {
        let there = sight.repositories.get(&image.repository.name);
        match plan_repository(&image.repository, there, sight.registry) {
            Ok(planned) if repositories.iter().any(|known| known.name() == planned.name()) => {}
            Ok(planned) => repositories.push(planned),
            Err(problem) => problems.push(problem),
        }
        match plan_image(image, derived, there, sight) {
            Ok(planned) => images.push(planned),
            Err(problem) => problems.push(problem),
        }
    }
    Diagnostics::check(problems)?;
    Ok(Plan { registry: sight.registry.clone(), repositories, images, outputs: pipeline.outputs.clone() })
}

fn plan_repository(
    wanted: &Repository,
    there: Option<&RepositoryFacts>,
    registry: &RegistryHost,
) -> Result<RepositoryPlan, Diagnostic> {
    let name = wanted.name.clone();
    if there.is_some() {
        return Ok(RepositoryPlan::Keep { name });
    }
    if !wanted.create {
        let region = registry.as_ecr().map_or(String::new(), |ecr| format!(" --region {}", ecr.region));
        return Err(Diagnostic::input(format!("repository `{name}` does not exist in {registry}"))
            .at_maybe(wanted.place.clone())
            .hint(format!(
                "remove `create: false` to have it created, or create it with \
                 `aws ecr create-repository --repository-name {name}{region}`"
            )));
    }
    Ok(RepositoryPlan::Create(RepositorySpec {
        name,
        scan_on_push: wanted.scan_on_push,
        encryption: wanted.encryption.clone(),
        tag_mutability: wanted.tag_mutability.clone(),
        resource_tags: wanted.resource_tags.clone(),
    }))
}

fn plan_image(
    image: &Image,
    derived: DerivedTags,
    there: Option<&RepositoryFacts>,
    sight: &Sight<'_>,
) -> Result<ImagePlan, Diagnostic> {
    let Some(version) = derived.tags.first() else { return Err(no_tag(image, &derived)) };
    let action = match there.map_or(Ok(None), |repository| published(image, &derived.tags, repository, sight.facts))? {
        Some((digest, why)) => ImageAction::Reuse { digest, why },
        None => ImageAction::Build(plan_build(&image.build, Some(&version.tag), sight.root, sight.facts)),
    };
    Ok(ImagePlan {
        name: image.name.clone(),
        container: image.container.clone(),
        repository: image.repository.name.clone(),
        action,
        tags: derived.tags,
        skipped: derived.skipped,
    })
}

fn no_tag(image: &Image, derived: &DerivedTags) -> Diagnostic {
    let reasons = derived.skipped.iter().map(|skipped| format!("`{}` gives none: {}", skipped.rule, skipped.why));
    let mut diagnostic = Diagnostic::input(format!("image `{}` gets no tag", image.name))
        .at_maybe(image.tags.first().and_then(|rule| rule.place.clone()))
        .hint("add a rule that always gives a tag, such as `sha`, or state the fact that is missing: --commit, --branch, --git-tag or --pull-request");
    diagnostic.causes.extend(reasons);
    diagnostic
}

/// The image that a taken and frozen tag names, if it is the one that would be built: the same commit, clean.
///
/// The registry would refuse to move such a tag, so anything else ends the run before it has cost a build.
fn published(
    image: &Image,
    tags: &[PlannedTag],
    repository: &RepositoryFacts,
    facts: &Facts,
) -> Result<Option<(Digest, String)>, Diagnostic> {
    let mut frozen = tags
        .iter()
        .filter(|planned| repository.is_frozen(&planned.tag))
        .filter_map(|planned| Some((planned, repository.taken.get(&planned.tag)?)));
    let Some((first, stored)) = frozen.next() else { return Ok(None) };
    let commit = facts.commit.as_ref().map(|commit| commit.value.as_str());
    let same_commit = commit.is_some() && stored.revision.as_deref() == commit && !facts.dirty;
    if same_commit && frozen.all(|(_, other)| other.digest == stored.digest) {
        let why = format!("tag `{}` is immutable and names the image of this very commit", first.tag);
        return Ok(Some((stored.digest.clone(), why)));
    }
    let built_from = match &stored.revision {
        Some(revision) => format!(", built from commit {revision}"),
        None => String::new(),
    };
    let place = image.tags.iter().find(|rule| rule.kind.to_string() == first.rule);
    Err(Diagnostic::input(format!(
        "tag `{}` is taken in `{}`, and that repository's tags are immutable",
        first.tag, repository.name
    ))
    .at_maybe(place.and_then(|rule| rule.place.clone()))
    .caused_by(format!("{} is {}{built_from}", first.tag, stored.digest))
    .hint("nothing was built; tag a new version in git, or except the tag from immutability under `tag_mutability`"))
}

/// The builds of all images by their names, for a run that pushes nothing. `tags` is as for [`make`]; here an image
/// may have none.
pub fn builds(pipeline: &Pipeline, tags: &[DerivedTags], root: &Path, facts: &Facts) -> Vec<(String, BuildPlan)> {
    let planned = pipeline.images.iter().zip(tags).map(|(image, derived)| {
        let version = derived.tags.first().map(|planned| &planned.tag);
        (image.name.clone(), plan_build(&image.build, version, root, facts))
    });
    planned.collect()
}

fn plan_build(build: &Build, version: Option<&Tag>, root: &Path, facts: &Facts) -> BuildPlan {
    BuildPlan {
        context: root.join(&build.context),
        dockerfile: build.dockerfile.clone(),
        target: build.target.clone(),
        args: build.args.clone(),
        labels: labels::standard(facts, version, &build.labels),
        platform: build.platform.clone(),
        no_cache: build.no_cache,
        pull: build.pull,
        network: build.network.clone(),
        extra_hosts: build.extra_hosts.clone(),
        shm_size: build.shm_size,
    }
}
