//! Exactly what will be done: pure, with no clock, no environment and no I/O.

pub mod environment;
pub mod labels;
pub mod lifecycle;
mod make;
mod reuse;
pub mod tags;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::lifecycle::Policy;
use crate::names::{Digest, Platform, RegistryHost, RepositoryName, Tag};
pub use crate::pipeline::{BuildOptions, ContextSource, Dockerfile, NamedContext};
use crate::pipeline::{Encryption, Outputs, TagMutability};

pub use make::{Sight, builds, make};

/// What a run will do. Made before anything is built or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The registry that everything goes to.
    pub registry: RegistryHost,
    /// The repositories in the order of their first use.
    pub repositories: Vec<RepositoryPlan>,
    /// The images in the order of the file.
    pub images: Vec<ImagePlan>,
    /// The files that are written at the end.
    pub outputs: Outputs,
}

/// What will be done about one repository.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum RepositoryPlan {
    /// It is there.
    Keep {
        /// Its name.
        name: RepositoryName,
    },
    /// It is missing and will be created.
    Create(RepositorySpec),
}

impl RepositoryPlan {
    /// The repository's name.
    pub fn name(&self) -> &RepositoryName {
        match self {
            RepositoryPlan::Keep { name } => name,
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
    /// What will become of one of the image's tags. Of an image that is built, nobody knows its digest yet.
    pub fn tag_change(&self, tag: &Tag) -> TagChange {
        match (self.taken.get(tag), &self.action) {
            (None, _) => TagChange::New,
            (Some(before), ImageAction::Reuse { digest, .. }) if before == digest => TagChange::Keep,
            (Some(_), _) => TagChange::Move,
        }
    }
}

impl Plan {
    /// Whether carrying it out would change anything in the registry.
    pub fn changes_anything(&self) -> bool {
        let creates = self.repositories.iter().any(|repository| matches!(repository, RepositoryPlan::Create(_)));
        let moves =
            |image: &ImagePlan| image.tags.iter().any(|planned| image.tag_change(&planned.tag) != TagChange::Keep);
        creates || self.builds_anything() || self.images.iter().any(moves)
    }

    /// Whether a builder is needed.
    pub fn builds_anything(&self) -> bool {
        self.images.iter().any(|image| matches!(image.action, ImageAction::Build { .. }))
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
    /// What else the builder is told and given.
    #[serde(flatten)]
    pub options: BuildOptions,
    /// The time that reproducible builds give to what they make, in seconds since 1970: that of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<i64>,
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
