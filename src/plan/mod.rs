//! Exactly what will be done: pure, with no clock, no environment and no I/O.

pub mod environment;
pub mod labels;
mod make;
pub mod tags;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::names::{Digest, Platform, RegistryHost, RepositoryName, Tag};
pub use crate::pipeline::Dockerfile;
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
    /// Where its bytes come from.
    pub action: ImageAction,
    /// Its tags, at least one; the first is its version.
    pub tags: Vec<PlannedTag>,
    /// The rules that gave no tag.
    pub skipped: Vec<SkippedRule>,
}

/// Where an image's bytes come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ImageAction {
    /// It is built and pushed.
    Build(BuildPlan),
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
    /// The context's folder.
    pub context: PathBuf,
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
