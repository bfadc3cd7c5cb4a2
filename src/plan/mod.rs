//! Exactly what will be done: pure, with no clock, no environment and no I/O.

pub mod cache;
pub mod endpoints;
pub mod environment;
pub mod labels;
pub mod lifecycle;
mod make;
mod moving;
pub mod permissions;
pub mod promote;
mod replicas;
mod repository;
mod reuse;
mod scope;
mod settings;
pub mod tags;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use time::Date;

use crate::access::Document;
use crate::diagnostic::Diagnostic;

pub use crate::key::BaseImage;
use crate::lifecycle::Policy;
use crate::names::{Digest, Platform, RegistryHost, RepositoryName, Tag};
pub use crate::pipeline::{
    BuildOptions, Compression, ContextSource, Dockerfile, NamedContext, PushBy, Signing, Transport,
};
use crate::pipeline::{Encryption, Outputs, TagMutability};
use crate::scan::Policy as GatePolicy;

pub use cache::CachePlan;
pub use make::{Sight, builds, make};
pub use moving::doubt as moving_tags;
pub use replicas::{ReplicaImage, ReplicaPlan, ReplicaSight, Wait};
pub use repository::{Guard, Manner, RepositorySight, Told, plan_repository};
pub use scope::Scope;
pub use settings::{Change, Difference, Setting};

/// What a run will do. Made before anything is built or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The registry that everything goes to.
    pub registry: RegistryHost,
    /// The repositories in the order of their first use.
    pub repositories: Vec<RepositoryPlan>,
    /// The images in the order of the file.
    pub images: Vec<ImagePlan>,
    /// The registries that the images are copied to, before anything is released.
    pub replicas: Vec<ReplicaPlan>,
    /// Whether the release tags are written in `registry` as well as in the replicas; not where images are promoted
    /// out of it.
    pub release_here: bool,
    /// The files that are written at the end.
    pub outputs: Outputs,
    /// What may go wrong, and need not.
    #[serde(skip)]
    pub doubts: Vec<Diagnostic>,
}

/// What will be done about one repository.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum RepositoryPlan {
    /// It is there.
    Keep {
        /// Its name.
        name: RepositoryName,
        /// What is not as it is stated, and stays so.
        #[serde(skip)]
        drift: Vec<Difference>,
    },
    /// It is there, and its settings will be changed.
    Change {
        /// Its name.
        name: RepositoryName,
        /// Its ARN.
        arn: String,
        /// What will be set.
        #[serde(skip)]
        changes: Vec<Difference>,
        /// What is not as it is stated, and stays so.
        #[serde(skip)]
        drift: Vec<Difference>,
    },
    /// It is missing, and ECR creates it when somebody pushes, by a template of the registry.
    OnPush {
        /// Its name.
        name: RepositoryName,
        /// The template's prefix.
        template: String,
    },
    /// It is missing and will be created.
    Create(RepositorySpec),
}

impl RepositoryPlan {
    /// A repository that is as it should be.
    pub fn kept(name: RepositoryName) -> Self {
        RepositoryPlan::Keep { name, drift: Vec::new() }
    }

    /// Whether something will be done about it.
    pub fn changes_anything(&self) -> bool {
        match self {
            RepositoryPlan::Create(_) | RepositoryPlan::Change { .. } => true,
            RepositoryPlan::Keep { .. } | RepositoryPlan::OnPush { .. } => false,
        }
    }

    /// What is not as it is stated, and stays so.
    pub fn drift(&self) -> &[Difference] {
        match self {
            RepositoryPlan::Keep { drift, .. } | RepositoryPlan::Change { drift, .. } => drift,
            RepositoryPlan::Create(_) | RepositoryPlan::OnPush { .. } => &[],
        }
    }

    /// The repository's name.
    pub fn name(&self) -> &RepositoryName {
        match self {
            RepositoryPlan::Keep { name, .. }
            | RepositoryPlan::Change { name, .. }
            | RepositoryPlan::OnPush { name, .. } => name,
            RepositoryPlan::Create(spec) => &spec.name,
        }
    }
}

/// A repository to create.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepositorySpec {
    /// Its name.
    pub name: RepositoryName,
    /// Scan on push, where the pipeline says so.
    pub scan_on_push: Option<bool>,
    /// How its images are encrypted.
    pub encryption: Encryption,
    /// Which tags may move.
    pub tag_mutability: TagMutability,
    /// Its resource tags.
    pub resource_tags: BTreeMap<String, String>,
    /// Its lifecycle policy, in ECR's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Policy>,
    /// Its own policy: who else may do what with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Document>,
}

impl RepositorySpec {
    /// A repository with ECR's own defaults.
    pub fn plain(name: RepositoryName) -> Self {
        RepositorySpec {
            name,
            scan_on_push: None,
            encryption: Encryption::default(),
            tag_mutability: TagMutability::default(),
            resource_tags: BTreeMap::new(),
            lifecycle: None,
            policy: None,
        }
    }
}

/// What will be done for one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImagePlan {
    /// Its key in the pipeline file.
    pub name: String,
    /// Its name in the ECS task definition.
    pub container: String,
    /// Its repository.
    pub repository: RepositoryName,
    /// It must come out as one plain manifest.
    #[serde(skip)]
    pub single: bool,
    /// The images that must be staged before it is built, by their keys.
    pub needs: Vec<String>,
    /// Where its bytes come from.
    pub action: ImageAction,
    /// The tag of its content key, under which it is pushed before it is released; none where the key cannot be
    /// determined.
    pub staging: Option<Tag>,
    /// What is kept beside it, so that a later run can say what changed.
    #[serde(skip)]
    pub record: Option<Record>,
    /// Its tags, at least one; the first is its version.
    pub tags: Vec<PlannedTag>,
    /// What those of its tags name now that are taken.
    pub taken: BTreeMap<Tag, Digest>,
    /// Its size in bytes, where the registry has it already.
    pub size: Option<u64>,
    /// The rules that gave no tag.
    pub skipped: Vec<SkippedRule>,
    /// What its scan may find before its release tags are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GatePlan>,
    /// What is made of ECR's managed signing.
    #[serde(skip_serializing_if = "Signing::is_ignored")]
    pub signing: Signing,
}

/// The gate before an image's release tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatePlan {
    /// What it lets through.
    #[serde(flatten)]
    pub policy: GatePolicy,
    /// The day by which ignored findings are judged, in UTC.
    #[serde(skip)]
    pub today: Date,
}

/// What will become of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TagChange {
    /// It is free.
    New,
    /// It names another image now.
    Move,
    /// It names this image already.
    Keep,
}

impl ImagePlan {
    /// Its name, or those of its parts, as they are told of while they are worked on.
    pub fn told_as(&self) -> Vec<String> {
        match &self.action {
            ImageAction::Assemble { parts, .. } => {
                let parts = parts.iter().map(|part| part.told_as(&self.name));
                std::iter::once(self.name.clone()).chain(parts).collect()
            }
            ImageAction::Build { .. } | ImageAction::Reuse { .. } => vec![self.name.clone()],
        }
    }

    /// What will become of one of the image's tags. Of an image that is built, nobody knows its digest yet.
    pub fn tag_change(&self, tag: &Tag) -> TagChange {
        change(self.taken.get(tag), &self.action)
    }
}

fn change(taken: Option<&Digest>, action: &ImageAction) -> TagChange {
    match (taken, action) {
        (None, _) => TagChange::New,
        (Some(before), ImageAction::Reuse { digest, .. }) if before == digest => TagChange::Keep,
        (Some(_), _) => TagChange::Move,
    }
}

impl Plan {
    /// Whether carrying it out would change anything in the registry.
    pub fn changes_anything(&self) -> bool {
        let mut repositories = self.replicas.iter().flat_map(|replica| &replica.repositories).chain(&self.repositories);
        let creates = repositories.any(RepositoryPlan::changes_anything);
        let moves =
            |image: &ImagePlan| image.tags.iter().any(|planned| image.tag_change(&planned.tag) != TagChange::Keep);
        let there = self.replicas.iter().flat_map(|replica| self.images.iter().zip(&replica.images));
        let moves_there = |(image, there): (&ImagePlan, &ReplicaImage)| {
            image.tags.iter().any(|planned| there.tag_change(&planned.tag, &image.action) != TagChange::Keep)
        };
        creates
            || self.builds_anything()
            || (self.release_here && self.images.iter().any(moves))
            || there.into_iter().any(moves_there)
    }

    /// The same without a gate anywhere; a signature that would be waited for is only told of.
    #[must_use]
    pub fn without_gates(mut self) -> Self {
        for image in &mut self.images {
            image.gate = None;
            if image.signing == Signing::Require {
                image.signing = Signing::Report;
            }
        }
        self
    }

    /// Whether a builder is needed.
    pub fn builds_anything(&self) -> bool {
        self.images.iter().any(|image| image.action.builds())
    }
}

/// Where an image's bytes come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ImageAction {
    /// It is built and pushed.
    Build {
        /// Why it is not taken from the registry.
        why: Vec<String>,
        /// How.
        build: Box<BuildPlan>,
    },
    /// The registry has it; only tags are written.
    Reuse {
        /// Which image.
        digest: Digest,
        /// Why it is the right one.
        why: String,
    },
    /// It is an index of an image for each platform, each of which is built or there already.
    Assemble {
        /// Why the index is not taken from the registry.
        why: Vec<String>,
        /// The images, in the order of the file.
        parts: Vec<PartPlan>,
    },
}

impl ImageAction {
    /// Whether a builder is needed.
    pub fn builds(&self) -> bool {
        match self {
            ImageAction::Build { .. } => true,
            ImageAction::Reuse { .. } => false,
            ImageAction::Assemble { parts, .. } => {
                parts.iter().any(|part| matches!(part.action, PartAction::Build { .. }))
            }
        }
    }
}

/// What will be done for one platform of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartPlan {
    /// The platform.
    pub platform: Platform,
    /// Where its bytes come from.
    pub action: PartAction,
    /// The tag of its own content key.
    pub staging: Option<Tag>,
    /// What is kept beside it.
    #[serde(skip)]
    pub record: Option<Record>,
}

/// Where the bytes of one platform of an image come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PartAction {
    /// It is built and pushed.
    Build {
        /// Why it is not taken from the registry.
        why: Vec<String>,
        /// How.
        build: Box<BuildPlan>,
    },
    /// The registry has it.
    Reuse {
        /// Which image.
        digest: Digest,
        /// Why it is the right one.
        why: String,
    },
}

/// Everything that the builder needs to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BuildPlan {
    /// The Dockerfile speaks of the registry, so the builder is given its credential for the base images there.
    pub login: bool,
    /// The context.
    pub context: ContextSource,
    /// What names of `FROM` and `--from` mean.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, NamedContext>,
    /// Files that are no part of the context: those that a run itself writes.
    pub left_out: Vec<PathBuf>,
    /// The Dockerfile, relative to the context, or its text.
    #[serde(flatten)]
    pub dockerfile: Dockerfile,
    /// The stage to build.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// All labels, the standard ones included.
    pub labels: BTreeMap<String, String>,
    /// The platform to build for.
    pub platform: Option<Platform>,
    /// Whether that may be done by emulating it.
    pub emulate: bool,
    /// Build without the layer cache.
    pub no_cache: bool,
    /// Look for newer base images.
    pub pull: bool,
    /// The network of RUN steps.
    pub network: Option<String>,
    /// Host names and addresses for RUN steps.
    pub extra_hosts: BTreeMap<String, String>,
    /// The size of `/dev/shm`, in bytes.
    pub shm_size: Option<u64>,
    /// A cache of layers in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CachePlan>,
    /// What else the builder is told and given.
    #[serde(flatten)]
    pub options: BuildOptions,
    /// How the image gets to the registry.
    #[serde(flatten, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// The image that it is built on in the end, if that is known: its layers need not be made again.
    #[serde(skip)]
    pub base: Option<BaseImage>,
    /// The time that reproducible builds give to what they make, in seconds since 1970: that of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<i64>,
}

impl BuildPlan {
    /// The build of a context of which nothing else is said.
    pub fn plain(context: ContextSource, dockerfile: Dockerfile) -> Self {
        BuildPlan {
            login: false,
            context,
            contexts: BTreeMap::new(),
            left_out: Vec::new(),
            dockerfile,
            target: None,
            args: BTreeMap::new(),
            labels: BTreeMap::new(),
            platform: None,
            emulate: true,
            no_cache: false,
            pull: false,
            network: None,
            extra_hosts: BTreeMap::new(),
            shm_size: None,
            cache: None,
            options: BuildOptions::default(),
            transport: Transport::default(),
            base: None,
            source_date_epoch: None,
        }
    }
}

/// The media type of the record of what an image was built from.
pub const RECORD_TYPE: &str = "application/vnd.longshore.content-record.v1+json";

/// A small document that is kept beside an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its media type, which is also the artifact's type.
    pub media_type: String,
    /// Its bytes, 256 KiB at most.
    pub bytes: Vec<u8>,
}

/// A tag that an image will get, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTag {
    /// The tag.
    pub tag: Tag,
    /// The rule, as it stands in the file.
    pub rule: String,
    /// What the rule made it from.
    pub why: String,
}

/// A rule that gave no tag, and why not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SkippedRule {
    /// The rule, as it stands in the file.
    pub rule: String,
    /// What it lacked.
    pub why: String,
}
