//! What the user asked for: `longshore.yaml` as written, and as meant.

mod beside;
mod build;
mod builders;
mod compose;
mod drift;
mod encryption;
mod fields;
mod file;
mod gate;
mod glob;
mod hosts;
mod image;
mod images;
mod interpolate;
mod lifecycle;
mod making;
pub mod moving;
mod mutability;
mod needs;
mod node;
mod order;
mod outputs;
mod pairs;
mod policy;
mod problems;
mod read;
mod recipe;
mod registry;
mod replicas;
mod repository;
mod reuse;
pub mod rule;
mod schema;
mod signing;
mod size;
mod span;
mod substitute;
mod syntax;
mod tags;
mod transport;
mod write;
mod yaml;

pub use beside::load_files;
pub use drift::{OnDrift, Stated};
pub use file::{PipelineFile, parse, parse_bytes};
pub use glob::glob;
pub use lifecycle::{Lifecycle, PolicyFile, declared_tags, parse_policy};
pub use making::{Build, Builder, Dockerfile, ManifestKind};
pub use policy::RepositoryPolicy;
pub use recipe::{
    BuildOptions, Cache, CacheEntry, CacheKind, CacheMode, ContextSource, NamedContext, Secret, SecretSource, Ssh,
    Ulimit, pinned_commit,
};
pub use reuse::seconds;
pub use schema::json_schema;
pub use signing::Signing;
pub use transport::{Compression, PushBy, Transport};
pub use write::to_yaml;
pub use yaml::MAX_BYTES;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::diagnostic::Place;
use crate::names::{AccountId, Region, RegistryHost, RepositoryName, RoleArn, Tag};
use crate::scan::Policy as GatePolicy;

/// The pipeline as meant: variables substituted, defaults merged, every name valid.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pipeline {
    /// The version of the file's format; always 1.
    pub version: u32,
    /// Where the images go.
    pub registry: Registry,
    /// The environments in the order of the file; the first that matches names the environment.
    #[serde(serialize_with = "write::environments")]
    pub environments: Vec<Environment>,
    /// The engines that images are built with; the one that the environment names, if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write::builders")]
    pub builders: Vec<Builder>,
    /// The images in the order of the file; at least one.
    #[serde(serialize_with = "write::images")]
    pub images: Vec<Image>,
    /// The files that are written at the end.
    pub outputs: Outputs,
}

/// The registry that the images go to; what is missing comes from the AWS configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Registry {
    /// Default: the account of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Default: the region of the AWS configuration chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The host to push to in place of the one that follows from account and region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<RegistryHost>,
    /// Through the FIPS 140 endpoint.
    pub fips: bool,
    /// Through the endpoint that also answers over IPv6.
    pub dual_stack: bool,
    /// The other registries that get the same images.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<Replica>,
}

/// A registry that the images are copied to. What is missing is as in the run's own registry.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Replica {
    /// Its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Its region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Its host, in place of the one that follows from account and region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<RegistryHost>,
    /// The role that is assumed to reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleArn>,
    /// The profile of the AWS configuration whose credentials reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How long ECR's own replication is waited for, where images are not to be copied.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "replicas::span")]
    pub wait: Option<Duration>,
    /// Where it stands in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// An environment, and the git refs that mean it. Both globs follow [`glob`](crate::pipeline::glob).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Environment {
    /// Its name, which is also the tag that the rule `env` gives.
    #[serde(skip)]
    pub name: Tag,
    /// A glob over branch names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// A glob over git tag names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One image of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    /// Its key in the file.
    #[serde(skip)]
    pub name: String,
    /// How it is built.
    pub build: Build,
    /// Where it goes.
    pub repository: Repository,
    /// Which tags it gets.
    pub tags: Vec<TagRule>,
    /// What holds for all of its tags.
    #[serde(skip_serializing_if = "FlavorLines::is_empty")]
    pub flavor: FlavorLines,
    /// What stands before the version in this image's git tags, in a repository of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_prefix: Option<String>,
    /// What kind of manifest it has.
    #[serde(skip_serializing_if = "ManifestKind::is_auto")]
    pub manifest: ManifestKind,
    /// Its name in the ECS task definition.
    pub container: String,
    /// Whether it is taken from the registry where its content did not change.
    pub reuse: Reuse,
    /// What its scan may find before its release tags are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GatePolicy>,
    /// What a run makes of ECR's managed signing.
    #[serde(skip_serializing_if = "Signing::is_ignored")]
    pub signing: Signing,
    /// How it gets to the registry.
    #[serde(flatten, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// The images, by their keys in the file, that must be there before it is built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// A repository as it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repository {
    /// Its name, without the registry's host.
    pub name: RepositoryName,
    /// Create it if it is missing.
    pub create: bool,
    /// Scan each image when it is pushed; ECR's registry-wide setting decides if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_on_push: Option<bool>,
    /// How its images are encrypted; fixed at creation.
    pub encryption: Encryption,
    /// Which tags may move.
    pub tag_mutability: TagMutability,
    /// Resource tags, for cost allocation and access control; at most 50.
    pub resource_tags: BTreeMap<String, String>,
    /// What it lets go of, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Who else may do what with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<RepositoryPolicy>,
    /// What a run does about settings that are not as they should be.
    #[serde(skip_serializing_if = "OnDrift::is_default")]
    pub on_drift: OnDrift,
    /// Which of the settings that ECR has defaults for are stated.
    #[serde(skip)]
    pub stated: Stated,
    /// Where its name stands in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// How a repository's images are encrypted at rest. Source: ECR user guide, "Encryption at rest".
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Encryption {
    /// With keys of ECR's own; free.
    #[default]
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key in AWS KMS: an alias, id or ARN; the AWS managed key `aws/ecr` if not given.
    #[serde(rename = "KMS")]
    Kms {
        /// The key.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Two layers of encryption with KMS; in GovCloud regions only.
    #[serde(rename = "KMS_DSSE")]
    KmsDsse {
        /// The key.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
}

/// Which tags of a repository may move. Source: ECR user guide, "Tag mutability".
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TagMutability {
    /// What holds for every tag that no exclusion matches.
    pub mode: Mutability,
    /// Patterns of the tags for which the opposite holds; at most 5, with at most 2 `*` each.
    pub except: Vec<String>,
}

/// Whether a tag may be moved to another image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mutability {
    /// It may.
    #[default]
    Mutable,
    /// It may not.
    Immutable,
}

/// A rule that gives an image tags, with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct TagRule {
    /// The rule.
    pub kind: TagRuleKind,
    /// Where it stands.
    pub place: Option<Place>,
}

/// What a tag rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum TagRuleKind {
    /// A word with a meaning.
    Preset(Preset),
    /// A tag as it is written.
    Literal(Tag),
    /// A rule in the grammar of docker/metadata-action.
    Rule(Box<rule::Rule>),
}

/// A word that stands for tags derived from git and CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// `1.2.3`, `1.2` and `1` from a git tag `v1.2.3`; a pre-release gives only itself.
    Semver,
    /// The first 7 digits of the commit.
    Sha,
    /// The environment's name.
    Env,
    /// The branch.
    Branch,
    /// `pr-` and the number of the pull request.
    Pr,
    /// `latest`, on the highest stable version only.
    Latest,
    /// `nightly`, in a job that was started by a schedule.
    Schedule,
}

impl Preset {
    /// Every preset, in the order of the documentation.
    pub const ALL: [Preset; 7] =
        [Preset::Semver, Preset::Sha, Preset::Env, Preset::Branch, Preset::Pr, Preset::Latest, Preset::Schedule];

    /// The rules of the grammar that the word stands for; of `env` the environment's name decides.
    pub fn rules(self) -> &'static [&'static str] {
        match self {
            Preset::Semver => &[
                "type=semver,pattern={{version}}",
                "type=semver,pattern={{major}}.{{minor}}",
                "type=semver,pattern={{major}}",
            ],
            Preset::Sha => &["type=sha,prefix="],
            Preset::Branch => &["type=ref,event=branch"],
            Preset::Pr => &["type=ref,event=pr"],
            Preset::Schedule => &["type=schedule"],
            Preset::Latest => &["type=raw,value=latest"],
            Preset::Env => &[],
        }
    }

    /// The word itself.
    pub fn word(self) -> &'static str {
        match self {
            Preset::Semver => "semver",
            Preset::Sha => "sha",
            Preset::Env => "env",
            Preset::Branch => "branch",
            Preset::Pr => "pr",
            Preset::Latest => "latest",
            Preset::Schedule => "schedule",
        }
    }
}

impl std::fmt::Display for TagRuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TagRuleKind::Preset(preset) => f.write_str(preset.word()),
            TagRuleKind::Literal(tag) => tag.fmt(f),
            TagRuleKind::Rule(rule) => f.write_str(&rule.text),
        }
    }
}

/// A flavor, as written and as meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlavorLines {
    /// As written.
    pub lines: Vec<String>,
    /// As meant.
    pub flavor: rule::Flavor,
}

impl FlavorLines {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Serialize for FlavorLines {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lines.serialize(serializer)
    }
}

impl Serialize for TagRule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.kind)
    }
}

/// The files that a run writes for whatever deploys the images, relative to the pipeline file's folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outputs {
    /// The list of containers for CodePipeline's ECS deploy action. Two spellings by default, because the
    /// action looks for `imagedefinitions.json` while half of the world's pipelines say `imageDefinitions.json`.
    #[serde(serialize_with = "write::paths_or_false")]
    pub image_definitions: Vec<PathBuf>,
    /// The file for CodePipeline's ECS blue/green deploy action; it can name one image only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_detail: Option<PathBuf>,
    /// An ECS task definition with the images in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<TaskDefinition>,
    /// How the files name an image.
    pub image_uri: ImageUri,
}

/// An ECS task definition that is written, and what it is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskDefinition {
    /// The task definition as it is kept in git.
    pub template: PathBuf,
    /// The file that is written.
    pub file: PathBuf,
}

/// How a deploy file names an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageUri {
    /// `…@sha256:…`, which can never come to mean another image.
    #[default]
    Digest,
    /// `…:tag`, with the first of the image's tags.
    Tag,
}

/// Whether an image whose content did not change is taken from the registry in place of being built.
///
/// A RUN step that fetches packages is not pure, just as in the builder's own cache; the age bounds what it hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Always build.
    Never,
    /// Take an image that is not older.
    UpTo {
        /// In seconds.
        max_age: u64,
    },
}

impl Default for Reuse {
    fn default() -> Self {
        Reuse::UpTo { max_age: 7 * 24 * 60 * 60 }
    }
}
