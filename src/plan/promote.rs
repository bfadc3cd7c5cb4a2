//! Images that are in the registry, on their way to tags that others deploy.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::make::around;
use super::repository::{Told, plan_repository};
use super::{
    GatePlan, ImageAction, ImagePlan, Plan, PlannedTag, ReplicaImage, ReplicaPlan, ReplicaSight, RepositoryPlan,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::{RegistryFacts, RepositoryFacts};
use crate::key::ContentKey;
use crate::names::{Digest, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{Image, Pipeline};

/// What is promoted: one name for images of every repository of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A content key, as `longshore key` prints it.
    Key(ContentKey),
    /// A tag, that of a content key among them.
    Tag(Tag),
    /// A digest, which one repository has.
    Digest(Digest),
}

impl Source {
    /// The tag that is looked for.
    pub fn tag(&self) -> Option<Tag> {
        match self {
            Source::Key(key) => Some(key.tag()),
            Source::Tag(tag) => Some(tag.clone()),
            Source::Digest(_) => None,
        }
    }

    /// Whether at most one repository can have it, so that the others are not meant.
    fn is_of_one_image(&self) -> bool {
        match self {
            Source::Key(_) | Source::Digest(_) => true,
            Source::Tag(tag) => tag.as_str().starts_with("src-"),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Key(key) => key.fmt(f),
            Source::Tag(tag) => tag.fmt(f),
            Source::Digest(digest) => digest.fmt(f),
        }
    }
}

/// What was seen before a promotion.
pub struct Sight<'a> {
    /// The registry that has the images.
    pub registry: &'a RegistryHost,
    /// What was seen of it.
    pub seen: &'a RegistryFacts,
    /// The digest that the source has in each repository where it was found.
    pub found: &'a BTreeMap<RepositoryName, Digest>,
    /// The registries that the images are copied to.
    pub replicas: &'a [ReplicaSight<'a>],
    /// Whether the tags are written in `registry` too.
    pub here: bool,
    /// The time.
    pub now: OffsetDateTime,
}

/// Plans to put these tags on the images that the source names. Each tag comes with what asked for it.
///
/// # Errors
/// Everything at once that makes it impossible: images that are not there, tags that are taken and cannot move.
pub fn promote(
    pipeline: &Pipeline,
    source: &Source,
    tags: &[(Tag, &'static str)],
    sight: &Sight<'_>,
) -> Result<Plan, Diagnostics> {
    let (found, missing): (Vec<&Image>, Vec<&Image>) =
        pipeline.images.iter().partition(|image| sight.found.contains_key(&image.repository.name));
    if found.is_empty() || (!missing.is_empty() && !source.is_of_one_image()) {
        return Err(not_there(source, &missing, sight).into());
    }
    let mut told = Told::default();
    let mut images = Vec::new();
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    for image in found {
        let name = &image.repository.name;
        let (Some(repository), Some(digest)) = (sight.seen.repositories.get(name), sight.found.get(name)) else {
            continue;
        };
        if !repositories.iter().any(|known| known.name() == name) {
            repositories.push(RepositoryPlan::kept(name.clone()));
        }
        if sight.here {
            told.problems.extend(stuck(image, tags, digest, repository, sight.registry));
        }
        images.push(plan_image(image, source, tags, digest, repository, sight.now));
    }
    let replicas = sight.replicas.iter();
    let replicas = replicas.map(|replica| plan_replica(pipeline, &images, tags, sight.seen, replica, &mut told));
    let replicas = replicas.collect();
    Diagnostics::check(told.problems)?;
    Ok(Plan {
        registry: sight.registry.clone(),
        repositories,
        images,
        replicas,
        release_here: sight.here,
        outputs: pipeline.outputs.clone(),
        // What its repositories are like is the matter of runs.
        doubts: Vec::new(),
    })
}

fn plan_image(
    image: &Image,
    source: &Source,
    tags: &[(Tag, &'static str)],
    digest: &Digest,
    repository: &RepositoryFacts,
    now: OffsetDateTime,
) -> ImagePlan {
    let planned = tags.iter().map(|(tag, rule)| PlannedTag {
        tag: tag.clone(),
        rule: (*rule).to_owned(),
        why: format!("promoted from {source}"),
    });
    ImagePlan {
        single: false,
        name: image.name.clone(),
        container: image.container.clone(),
        repository: image.repository.name.clone(),
        needs: Vec::new(),
        action: ImageAction::Reuse { digest: digest.clone(), why: format!("{source} names it") },
        staging: None,
        record: None,
        tags: planned.collect(),
        taken: taken(tags, repository),
        size: None,
        skipped: Vec::new(),
        gate: image.gate.clone().map(|policy| GatePlan { policy, today: now.date() }),
        signing: image.signing,
    }
}

fn plan_replica(
    pipeline: &Pipeline,
    images: &[ImagePlan],
    tags: &[(Tag, &'static str)],
    own: &RegistryFacts,
    sight: &ReplicaSight<'_>,
    told: &mut Told,
) -> ReplicaPlan {
    told.problems.extend(sight.unserved(own, images));
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    let mut there = Vec::with_capacity(images.len());
    for planned in images {
        let Some(image) = pipeline.images.iter().find(|image| image.name == planned.name) else { continue };
        let around = around(&planned.repository, sight.registry, sight.seen, None);
        match around.there {
            Some(there) => repositories.push(RepositoryPlan::kept(there.name.clone())),
            None => repositories.extend(plan_repository(&image.repository, &around, told)),
        }
        let (ImageAction::Reuse { digest, .. }, Some(repository)) = (&planned.action, around.there) else {
            there.push(ReplicaImage::default());
            continue;
        };
        told.problems.extend(stuck(image, tags, digest, repository, sight.registry));
        there.push(ReplicaImage { taken: taken(tags, repository), staging: None });
    }
    ReplicaPlan { registry: sight.registry.clone(), repositories, images: there, wait: sight.wait.clone() }
}

fn taken(tags: &[(Tag, &'static str)], repository: &RepositoryFacts) -> BTreeMap<Tag, Digest> {
    tags.iter().filter_map(|(tag, _)| Some((tag.clone(), repository.taken.get(tag)?.digest.clone()))).collect()
}

/// A tag that names another image and cannot move.
fn stuck(
    image: &Image,
    tags: &[(Tag, &'static str)],
    digest: &Digest,
    repository: &RepositoryFacts,
    registry: &RegistryHost,
) -> Option<Diagnostic> {
    let stuck = |tag: &&Tag| {
        repository.is_frozen(tag) && repository.taken.get(*tag).is_some_and(|stored| stored.digest != *digest)
    };
    let tag = tags.iter().map(|(tag, _)| tag).find(stuck)?;
    let diagnostic = Diagnostic::input(format!(
        "tag `{tag}` is taken in `{}` of {registry}, and that repository's tags are immutable",
        repository.name
    ));
    Some(
        diagnostic
            .at_maybe(image.repository.place.clone())
            .caused_by(format!("{tag} is {}", repository.taken[tag].digest))
            .caused_by(format!("it should be {digest}"))
            .hint(
                "nothing was promoted; choose another tag, or except this one from immutability under `tag_mutability`",
            ),
    )
}

fn not_there(source: &Source, missing: &[&Image], sight: &Sight<'_>) -> Diagnostic {
    let names: Vec<String> = missing.iter().map(|image| format!("`{}`", image.name)).collect();
    let what = match source {
        Source::Key(key) => format!("no image has the content key {key} (tag {})", key.tag()),
        Source::Digest(digest) => format!("no repository of the pipeline has {digest}"),
        Source::Tag(tag) => format!("there is no tag `{tag}` of {}", names.join(", ")),
    };
    let diagnostic = Diagnostic::input(format!("cannot promote `{source}`: {what}"))
        .caused_by(format!("looked for in {}", sight.registry));
    match source {
        Source::Tag(_) if missing.len() < sight.found.len() + missing.len() && !sight.found.is_empty() => {
            diagnostic.hint("name the images that are meant, as in `longshore promote TAG web --to prod`")
        }
        _ => diagnostic
            .hint("`longshore run --no-tag` pushes images without releasing them; check the registry and region too"),
    }
}
