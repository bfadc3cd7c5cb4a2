//! How images are built, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::{BuildOptions, Cache, ContextSource, NamedContext};
use crate::diagnostic::Place;
use crate::names::Platform;

/// An engine that images are built with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Builder {
    /// Its key in the file.
    #[serde(skip)]
    pub name: String,
    /// Where its Docker daemon answers: a URL with `unix`, `tcp` or `ssh`, or the name of a docker context.
    pub endpoint: String,
    /// What it builds without emulation; its own platform if none is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`, for TLS with both sides' certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
    /// Where it stands in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// What kind of manifest an image has in the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// An index for several platforms, else whatever the builder makes.
    #[default]
    Auto,
    /// An index, also of a single platform.
    Index,
    /// One plain manifest, which is what AWS Lambda takes.
    Single,
}

impl ManifestKind {
    pub(super) fn is_auto(&self) -> bool {
        *self == ManifestKind::Auto
    }
}

/// How an image is built; the names are those of the Compose build specification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Build {
    /// The context.
    pub context: ContextSource,
    /// The Dockerfile, relative to the context, or its text.
    #[serde(flatten)]
    pub dockerfile: Dockerfile,
    /// The stage to build; the last one if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments. Never a place for secrets: they stay in the image's history.
    pub args: BTreeMap<String, String>,
    /// The arguments that look like secrets and are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub public_args: BTreeSet<String>,
    /// Labels of the user's own; they win over the standard ones.
    pub labels: BTreeMap<String, String>,
    /// The platforms to build for; the builder's own if none is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// Build for a platform that no builder has by emulating it.
    #[serde(skip_serializing_if = "is_true")]
    pub emulate: bool,
    /// Build without the daemon's layer cache.
    pub no_cache: bool,
    /// Ask the registries for newer base images.
    pub pull: bool,
    /// The network of RUN steps: `default`, `none`, `host`, or a network's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Lines for the hosts file of RUN steps, host name to address.
    pub extra_hosts: BTreeMap<String, String>,
    /// The size of `/dev/shm` in RUN steps, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<u64>,
    /// Names that the Dockerfile may use in `FROM` and `--from`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_contexts: BTreeMap<String, NamedContext>,
    /// A cache of layers that is kept in the registry with the images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// What else the builder is told and given.
    #[serde(flatten)]
    pub options: BuildOptions,
    /// Where the build is described in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

impl Build {
    /// What gives its image more than one manifest, in words.
    pub(super) fn more_than_one_manifest(&self) -> Option<String> {
        let attested = [("provenance", &self.options.provenance), ("sbom", &self.options.sbom)];
        match self.platforms.len() {
            0 | 1 => {
                let (name, _) = attested.into_iter().find(|(_, attributes)| attributes.is_some())?;
                Some(format!("`{name}` puts an attestation beside it"))
            }
            several => Some(format!("it is built for {several} platforms")),
        }
    }
}

fn is_true(value: &bool) -> bool {
    *value
}

/// The recipe of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Dockerfile {
    /// A file, relative to the context.
    #[serde(rename = "dockerfile")]
    File(PathBuf),
    /// Its text, written in the pipeline file.
    #[serde(rename = "dockerfile_inline")]
    Inline(String),
}
