//! What will be done in the registries that the images are copied to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use super::make::{around, guard};
use super::repository::{Told, plan_repository};
use super::{ImageAction, ImagePlan, RepositoryPlan, TagChange, change};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::{RegistryFacts, ReplicationRule, RepositoryFacts};
use crate::names::{AccountId, Digest, Region, RegistryHost, RepositoryName, Tag};
use crate::pipeline::{Image, Pipeline};

/// A registry that the images are copied to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplicaPlan {
    /// The registry.
    pub registry: RegistryHost,
    /// Its repositories in the order of their first use.
    pub repositories: Vec<RepositoryPlan>,
    /// The images in the order of the plan's.
    pub images: Vec<ReplicaImage>,
    /// How ECR's own replication is waited for, where images are not copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
}

/// Where ECR's own replication is to bring the images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The account, as far as it is known.
    pub account: Option<AccountId>,
    /// The region.
    pub region: Region,
    /// How long it may take for one image.
    #[serde(skip)]
    pub timeout: Duration,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{} of {account}", self.region),
            None => write!(f, "{}", self.region),
        }
    }
}

impl Wait {
    /// Whether a rule brings images of this repository there.
    fn is_served(&self, rules: &[ReplicationRule], repository: &RepositoryName) -> bool {
        let is_it = |(account, region): &(String, String)| {
            region == self.region.as_str() && self.account.as_ref().is_none_or(|it| it.as_str() == account)
        };
        rules.iter().any(|rule| rule.is_for(repository) && rule.destinations.iter().any(is_it))
    }
}

/// One of the plan's images, as it stands in a replica.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReplicaImage {
    /// What those of its tags name there that are taken, its staging tag among them.
    pub taken: BTreeMap<Tag, Digest>,
    /// The tag that it is copied under; its digest alone if not given.
    pub staging: Option<Tag>,
}

impl ReplicaImage {
    /// What will become of one of the image's tags in this replica.
    pub fn tag_change(&self, tag: &Tag, action: &ImageAction) -> TagChange {
        change(self.taken.get(tag), action)
    }
}

/// What was seen of one of these registries.
pub struct ReplicaSight<'a> {
    /// Where it is.
    pub registry: &'a RegistryHost,
    /// What was seen of it.
    pub seen: &'a RegistryFacts,
    /// How ECR's own replication is waited for, where images are not to be copied.
    pub wait: Option<Wait>,
    /// The replica as it was asked for.
    pub place: Option<&'a Place>,
}

impl ReplicaSight<'_> {
    /// The first of these images that no rule of the run's own registry brings there, which is then waited for in vain.
    pub(super) fn unserved(&self, own: &RegistryFacts, images: &[ImagePlan]) -> Option<Diagnostic> {
        let (wait, rules) = (self.wait.as_ref()?, own.replication.as_ref()?);
        let image = images.iter().find(|image| !wait.is_served(rules, &image.repository))?;
        let repository = &image.repository;
        let message = format!("ECR does not replicate `{repository}` to {wait}: no rule of the registry does");
        Some(
            Diagnostic::input(message)
                .at_maybe(self.place.cloned())
                .hint("`aws ecr describe-registry` shows the rules, `aws ecr put-replication-configuration` sets them all")
                .hint("leave out `wait`, and images are copied in place of being waited for"),
        )
    }
}

/// Plans one replica for images that are planned for the run's own registry; what is impossible or doubtful goes to `told`.
pub(super) fn plan_replica(
    pipeline: &Pipeline,
    images: &[ImagePlan],
    own: &RegistryFacts,
    sight: &ReplicaSight<'_>,
    now: OffsetDateTime,
    told: &mut Told,
) -> ReplicaPlan {
    told.problems.extend(sight.unserved(own, images));
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
    ReplicaPlan { registry: sight.registry.clone(), repositories, images: there, wait: sight.wait.clone() }
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
