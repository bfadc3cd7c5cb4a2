//! What a build starts from and what it is allowed, in the words of the Compose build specification.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::names::RepositoryName;
use crate::secrecy::{name_tells, value_tells, without_secrets};

/// Where the files of a build come from.
#[derive(Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// A folder; in a pipeline relative to the file's own, in a plan absolute.
    Folder(PathBuf),
    /// A tar archive, compressed or not; paths as for a folder.
    Archive(PathBuf),
    /// A tar archive, or a Dockerfile alone, on standard input.
    Stdin,
    /// A git repository or an archive behind a URL, which the builder fetches itself.
    Remote(String),
}

impl ContextSource {
    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&PathBuf> {
        match self {
            ContextSource::Folder(folder) => Some(folder),
            ContextSource::Archive(_) | ContextSource::Stdin | ContextSource::Remote(_) => None,
        }
    }
}

impl fmt::Debug for ContextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContextSource::Folder(path) => f.debug_tuple("Folder").field(path).finish(),
            ContextSource::Archive(path) => f.debug_tuple("Archive").field(path).finish(),
            ContextSource::Stdin => f.write_str("Stdin"),
            ContextSource::Remote(url) => f.debug_tuple("Remote").field(&without_secrets(url)).finish(),
        }
    }
}

impl fmt::Display for ContextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContextSource::Folder(path) | ContextSource::Archive(path) => path.display().fmt(f),
            ContextSource::Stdin => f.write_str("-"),
            ContextSource::Remote(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl Serialize for ContextSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ContextSource::Folder(path) | ContextSource::Archive(path) => path.serialize(serializer),
            ContextSource::Stdin | ContextSource::Remote(_) => serializer.collect_str(self),
        }
    }
}

/// The full commit that the URL of a git repository names, if it does: such a URL always gives the same files.
pub fn pinned_commit(url: &str) -> Option<&str> {
    let (_, fragment) = url.split_once('#')?;
    let commit = fragment.split(':').next()?;
    (matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(commit)
}

/// What a name means that a Dockerfile may use in `FROM` and `--from`.
#[derive(Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// Another image of the pipeline, by its key in the file.
    Planned(String),
    /// An image in a registry, as `docker-image://` names it.
    Image(String),
    /// A folder; in a pipeline relative to the file's own, in a plan absolute.
    Folder(PathBuf),
    /// A git repository or an archive behind a URL, which the builder fetches itself.
    Remote(String),
}

impl NamedContext {
    /// The image of the pipeline that it is, if it is one.
    pub fn planned(&self) -> Option<&str> {
        match self {
            NamedContext::Planned(image) => Some(image),
            NamedContext::Image(_) | NamedContext::Folder(_) | NamedContext::Remote(_) => None,
        }
    }
}

impl fmt::Debug for NamedContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamedContext::Planned(image) => f.debug_tuple("Planned").field(image).finish(),
            NamedContext::Image(reference) => f.debug_tuple("Image").field(reference).finish(),
            NamedContext::Folder(path) => f.debug_tuple("Folder").field(path).finish(),
            NamedContext::Remote(url) => f.debug_tuple("Remote").field(&without_secrets(url)).finish(),
        }
    }
}

impl fmt::Display for NamedContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamedContext::Planned(image) => write!(f, "image:{image}"),
            NamedContext::Image(reference) => write!(f, "docker-image://{reference}"),
            NamedContext::Folder(path) => path.display().fmt(f),
            NamedContext::Remote(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl Serialize for NamedContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a builder may be told and given besides the files: only BuildKit knows all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildOptions {
    /// The stages, by their names, that are built without the layer cache.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    /// What `RUN --mount=type=secret` may ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// What `RUN --mount=type=ssh` may ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<Ssh>,
    /// Where layers of earlier builds are looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<CacheEntry>,
    /// Where the layers of this build are kept for later ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_to: Vec<CacheEntry>,
    /// Limits of the processes of RUN steps.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "by_name")]
    pub ulimits: Vec<Ulimit>,
    /// Privileges that RUN steps may use, as in `security.insecure`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// The attributes of the provenance attestation, as in `mode=max`; none is made if not given.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "attributes_or_true")]
    pub provenance: Option<String>,
    /// The attributes of the SBOM attestation; none is made if not given.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "attributes_or_true")]
    pub sbom: Option<String>,
}

/// A secret of a build. Its value is read when the build begins, by whoever hands it to the builder, and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Secret {
    /// The name by which a Dockerfile asks for it.
    pub id: String,
    /// Where its value is.
    #[serde(flatten)]
    pub source: SecretSource,
}

/// Where the value of a secret is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// In a file; in a pipeline relative to the file's folder, in a plan absolute.
    File(PathBuf),
    /// In a variable of the environment.
    #[serde(rename = "environment")]
    Variable(String),
}

/// An SSH agent, or keys, that a build may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ssh {
    /// The name by which a Dockerfile asks for it; `default` unless it says otherwise.
    pub id: String,
    /// The agent's socket, or private keys; the agent of `SSH_AUTH_SOCK` if there is none. Paths as of secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathBuf>,
}

/// A place for the layers of a build cache. Its attributes may be keys to it, which are shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CacheEntry {
    /// BuildKit's word for the kind of place, as in `registry`, `inline`, `local`, `gha`, `s3`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its attributes, as in `ref` and `mode`.
    #[serde(flatten, serialize_with = "without_keys")]
    pub attributes: BTreeMap<String, String>,
}

impl fmt::Debug for CacheEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheEntry").field("kind", &self.kind).field("attributes", &shown(&self.attributes)).finish()
    }
}

fn shown(attributes: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let shown = |(name, value): (&'_ String, &'_ String)| name_tells(name) || value_tells(value);
    let each = attributes.iter().map(|pair| (pair.0.as_str(), if shown(pair) { "…" } else { pair.1.as_str() }));
    each.collect()
}

fn without_keys<S: Serializer>(attributes: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    shown(attributes).serialize(serializer)
}

/// A cache of layers in the registry that the images go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// None, also where one would be kept without being asked for.
    Off,
    /// One.
    On {
        /// Where the layers are.
        kind: CacheKind,
        /// Which of them are kept.
        mode: CacheMode,
        /// A repository of its own; the image's if not given.
        repository: Option<RepositoryName>,
    },
}

/// Where the layers of a cache are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// Under a tag of their own.
    #[default]
    Registry,
    /// In the image itself.
    Inline,
}

/// Which layers a cache keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// Those of all stages.
    #[default]
    Max,
    /// Those of the image.
    Min,
}

impl Serialize for Cache {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Cache::On { kind, mode, repository } = self else { return serializer.serialize_bool(false) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", kind)?;
        map.serialize_entry("mode", mode)?;
        if let Some(repository) = repository {
            map.serialize_entry("repository", repository)?;
        }
        map.end()
    }
}

/// A limit of a process, as `setrlimit(2)` knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    /// As in `nofile`.
    #[serde(skip)]
    pub name: String,
    /// What a process begins with; -1 is no limit.
    pub soft: i64,
    /// How far it may raise that; -1 is no limit.
    pub hard: i64,
}

fn by_name<S: Serializer>(ulimits: &[Ulimit], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ulimits.iter().map(|ulimit| (&ulimit.name, ulimit)))
}

/// An attestation without attributes is asked for with `true`.
fn attributes_or_true<S: Serializer>(attributes: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match attributes.as_deref() {
        Some("") => serializer.serialize_bool(true),
        attributes => attributes.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_in_urls() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(pinned_commit(&format!("https://host/a.git#{commit}:dir")), Some(commit));
        assert_eq!(pinned_commit("https://host/a.git#main"), None);
        assert_eq!(pinned_commit("https://host/a.git"), None);
    }
}
