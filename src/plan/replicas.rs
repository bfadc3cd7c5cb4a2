//! What will be done in the registries that the images are copied to.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::make::{around, guard};
use super::repository::{Told, plan_repository};
use super::{ImageAction, ImagePlan, ReplicaImage, ReplicaPlan, RepositoryPlan};
use crate::diagnostic::Diagnostic;
use crate::facts::{RegistryFacts, RepositoryFacts};
use crate::names::{RegistryHost, Tag};
use crate::pipeline::{Image, Pipeline};

/// What was seen of one of these registries.
pub struct ReplicaSight<'a> {
    /// Where it is.
    pub registry: &'a RegistryHost,
    /// What was seen of it.
    pub seen: &'a RegistryFacts,
}

/// Plans one replica for images that are planned for the run's own registry; what is impossible or doubtful goes to `told`.
pub(super) fn plan_replica(
    pipeline: &Pipeline,
    images: &[ImagePlan],
    sight: &ReplicaSight<'_>,
    now: OffsetDateTime,
    told: &mut Told,
) -> ReplicaPlan {
    let mut repositories: Vec<RepositoryPlan> = Vec::new();
    let mut there = Vec::with_capacity(images.len());
    for planned in images {
        let Some(image) = pipeline.images.iter().find(|image| image.name == planned.name) else { continue };
        let name = &planned.repository;
        let guard = guard(pipeline, now, sight.seen, name);
        let around = around(name, sight.registry, sight.seen, Some(guard));
        repositories.extend(plan_repository(&image.repository, &around, told));
        let (image, problem) = stand(image, planned, around.there, sight.registry);
        told.problems.extend(problem);
        there.push(image);
    }
    ReplicaPlan { registry: sight.registry.clone(), repositories, images: there }
}

/// How an image stands in a replica, and a tag there that is taken by another and cannot move.
fn stand(
    image: &Image,
    planned: &ImagePlan,
    found: Option<&RepositoryFacts>,
    registry: &RegistryHost,
) -> (ReplicaImage, Option<Diagnostic>) {
    let Some(repository) = found else {
        return (ReplicaImage { taken: BTreeMap::new(), staging: planned.staging.clone() }, None);
    };
    let wanted = match &planned.action {
        ImageAction::Reuse { digest, .. } => Some(digest),
        ImageAction::Build { .. } | ImageAction::Assemble { .. } => None,
    };
    let tags = planned.tags.iter().map(|planned| &planned.tag);
    let taken: BTreeMap<_, _> = tags
        .clone()
        .chain(&planned.staging)
        .filter_map(|tag| Some((tag.clone(), repository.taken.get(tag)?.digest.clone())))
        .collect();
    let is_stuck = |tag: &Tag| repository.is_frozen(tag) && taken.get(tag).is_some_and(|named| Some(named) != wanted);
    let staging = planned.staging.clone().filter(|staging| !is_stuck(staging));
    let problem = tags.clone().find(|tag| is_stuck(tag)).map(|tag| {
        Diagnostic::input(format!(
            "tag `{tag}` is taken in `{}` of {registry}, and that repository's tags are immutable",
            planned.repository
        ))
        .at_maybe(image.repository.place.clone())
        .caused_by(format!("{tag} is {}", taken[tag]))
        .hint("nothing was built; tag a new version in git, or except the tag from immutability under `tag_mutability`")
    });
    (ReplicaImage { taken, staging }, problem)
}
