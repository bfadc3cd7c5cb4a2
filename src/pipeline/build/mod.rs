//! `build:`, with the names of the Compose build specification; those of bake and build-push-action mean the same.

mod attest;
mod attributes;
mod cache;
mod context;
mod guard;
mod limits;
mod options;
mod secrets;
mod ssh;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use context::NamedPart;
use options::OptionsPart;
pub(super) use secrets::{Definitions, definitions};

/// What the readers of a build know, for its schema.
pub(super) mod tables {
    pub(in crate::pipeline) use super::SCHEMA as BUILD;
    pub(in crate::pipeline) use super::cache::{CACHE, KINDS as CACHE_KINDS};
    pub(in crate::pipeline) use super::limits::LIMITS;
    pub(in crate::pipeline) use super::secrets::{DEFINITION as SECRET, ITEM as SECRET_ITEM};
    pub(in crate::pipeline) use super::ssh::ITEM as SSH_ITEM;
}

use super::fields::{Fields, Schema};
use super::interpolate::Environment;
use super::needs::Needed;
use super::node::Value;
use super::pairs::{self, Pairs};
use super::problems::Problems;
use super::read::Field;
use super::span::Span;
use super::{Build, ContextSource, Dockerfile, hosts, size};
use crate::names::Platform;

/// What is given to every build of a file.
#[derive(Clone, Copy)]
pub(super) struct Given<'e> {
    /// Looks variables up.
    pub environment: Environment<'e>,
    /// The secrets that are defined at the top of the file.
    pub secrets: &'e Definitions,
}

pub(super) const SCHEMA: Schema = Schema {
    expected: "the path of a context, or a map",
    fields: &[
        ("context", &[]),
        ("dockerfile", &["file"]),
        ("dockerfile_inline", &["dockerfile-inline"]),
        ("target", &[]),
        ("args", &["build-args", "build_args"]),
        ("public_args", &["public-args"]),
        ("labels", &[]),
        ("platforms", &["platform"]),
        ("emulate", &[]),
        ("no_cache", &["no-cache"]),
        ("pull", &[]),
        ("network", &[]),
        ("extra_hosts", &["extra-hosts", "add-hosts", "add_hosts"]),
        ("shm_size", &["shm-size"]),
        ("additional_contexts", &["contexts", "additional-contexts", "build-contexts", "build_contexts"]),
        ("no_cache_filter", &["no-cache-filter", "no-cache-filters", "no_cache_filters"]),
        ("secrets", &["secret"]),
        ("secret_files", &["secret-files"]),
        ("secret_envs", &["secret-envs"]),
        ("ssh", &[]),
        ("cache_from", &["cache-from"]),
        ("cache_to", &["cache-to"]),
        ("cache", &[]),
        ("ulimits", &["ulimit"]),
        ("entitlements", &["allow"]),
        ("privileged", &[]),
        ("provenance", &[]),
        ("sbom", &[]),
        ("attest", &["attests"]),
        ("isolation", &[]),
        ("tags", &[]),
    ],
    unsupported: &[
        "annotations",
        "call",
        "cgroup-parent",
        "cgroup_parent",
        "inherits",
        "load",
        "matrix",
        "output",
        "outputs",
        "policy",
        "push",
        "resources",
    ],
};

/// The build as one place of the file gives it.
#[derive(Debug, Clone)]
pub(super) struct BuildPart {
    at: Span,
    context: Option<ContextSource>,
    dockerfile: Option<Dockerfile>,
    target: Option<String>,
    /// `None` where the environment has no value for a key that stands alone.
    args: Pairs,
    public_args: BTreeSet<String>,
    labels: BTreeMap<String, String>,
    platforms: Option<Vec<Platform>>,
    emulate: Option<bool>,
    no_cache: Option<bool>,
    pull: Option<bool>,
    network: Option<String>,
    extra_hosts: BTreeMap<String, String>,
    shm_size: Option<u64>,
    contexts: BTreeMap<String, NamedPart>,
    options: OptionsPart,
}

impl BuildPart {
    /// Reads a context, or a map.
    pub fn read(field: &Field<'_>, given: &Given<'_>, problems: &mut Problems) -> Self {
        let mut part = BuildPart {
            at: field.key,
            context: None,
            dockerfile: None,
            target: None,
            args: Pairs::new(),
            public_args: BTreeSet::new(),
            labels: BTreeMap::new(),
            platforms: None,
            emulate: None,
            no_cache: None,
            pull: None,
            network: None,
            extra_hosts: BTreeMap::new(),
            shm_size: None,
            contexts: BTreeMap::new(),
            options: OptionsPart::default(),
        };
        if matches!(field.node.value, Value::Text(_)) {
            part.context = context::source(field, problems);
            return part;
        }
        let Some(fields) = SCHEMA.read(field, problems) else { return part };
        part.context = fields.read("context", problems, context::source);
        let file = fields.read("dockerfile", problems, path).map(Dockerfile::File);
        let inline = fields.read("dockerfile_inline", problems, Field::owned).map(Dockerfile::Inline);
        if let (Some(_), Some(inline)) = (fields.get("dockerfile"), fields.get("dockerfile_inline")) {
            let message = format!("`{}` stands beside a `dockerfile`; an image has one recipe", inline.path);
            problems.error(inline.key, message);
        }
        part.dockerfile = file.or(inline);
        part.target = fields.read("target", problems, Field::owned);
        part.args = fields.read("args", problems, pairs::read).unwrap_or_default();
        for (key, value) in part.args.iter_mut().filter(|(_, value)| value.is_none()) {
            *value = (given.environment)(key);
        }
        part.public_args = fields.read("public_args", problems, names).unwrap_or_default();
        if let Some(args) = fields.get("args") {
            guard::check(args, &part.args, &part.public_args, problems);
        }
        let labels = fields.read("labels", problems, pairs::read).unwrap_or_default();
        part.labels = labels.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
        part.platforms = fields.read("platforms", problems, platforms);
        part.emulate = fields.read("emulate", problems, Field::flag);
        part.no_cache = fields.read("no_cache", problems, Field::flag);
        part.pull = fields.read("pull", problems, Field::flag);
        part.network = fields.read("network", problems, Field::owned);
        part.extra_hosts = fields.read("extra_hosts", problems, hosts::read).unwrap_or_default();
        part.shm_size = fields.read("shm_size", problems, size::read);
        part.contexts = fields.read("additional_contexts", problems, context::named).unwrap_or_default();
        part.options = OptionsPart::read(&fields, given, problems);
        report_out_of_place(&fields, problems);
        part
    }

    /// This part, with the other for whatever it leaves open; maps are merged key by key.
    #[must_use]
    pub fn over(self, base: Option<&BuildPart>) -> Self {
        let Some(base) = base.cloned() else { return self };
        BuildPart {
            at: self.at,
            context: self.context.or(base.context),
            dockerfile: self.dockerfile.or(base.dockerfile),
            target: self.target.or(base.target),
            args: merged(base.args, self.args),
            public_args: base.public_args.into_iter().chain(self.public_args).collect(),
            labels: merged(base.labels, self.labels),
            platforms: self.platforms.or(base.platforms),
            emulate: self.emulate.or(base.emulate),
            no_cache: self.no_cache.or(base.no_cache),
            pull: self.pull.or(base.pull),
            network: self.network.or(base.network),
            extra_hosts: merged(base.extra_hosts, self.extra_hosts),
            shm_size: self.shm_size.or(base.shm_size),
            contexts: merged(base.contexts, self.contexts),
            options: self.options.over(base.options),
        }
    }

    /// The images that its contexts name.
    pub fn needs(&self) -> impl Iterator<Item = &Needed> {
        self.contexts.values().filter_map(|part| part.needed.as_ref())
    }

    /// The build, with defaults for what nobody gave.
    pub fn finish(self, problems: &Problems) -> Build {
        Build {
            context: self.context.unwrap_or_else(|| ContextSource::Folder(PathBuf::from("."))),
            dockerfile: self.dockerfile.unwrap_or_else(|| Dockerfile::File(PathBuf::from("Dockerfile"))),
            target: self.target,
            args: self.args.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            public_args: self.public_args,
            labels: self.labels,
            platforms: self.platforms.unwrap_or_default(),
            emulate: self.emulate.unwrap_or(true),
            no_cache: self.no_cache.unwrap_or(false),
            pull: self.pull.unwrap_or(false),
            network: self.network,
            extra_hosts: self.extra_hosts,
            shm_size: self.shm_size,
            additional_contexts: self.contexts.into_iter().map(|(name, part)| (name, part.meaning)).collect(),
            cache: self.options.cache.clone(),
            options: self.options.finish(),
            place: Some(problems.place(self.at)),
        }
    }
}

/// Fields that people know from elsewhere, and that say something which is said in another place here, or cannot be done.
fn report_out_of_place(fields: &Fields<'_>, problems: &mut Problems) {
    if let Some(tags) = fields.get("tags") {
        let hint = "write `tags` beside `build`, under the image; they are rules or tags, without a repository";
        problems.error_with_hint(
            tags.key,
            format!("`{}`: the tags are the image's and not its build's", tags.path),
            hint,
        );
    }
    if let Some(isolation) = fields.get("isolation")
        && let Some(kind) = isolation.text(problems).filter(|kind| *kind != "default")
    {
        let message = format!("`{}`: `{kind}` exists only where Windows containers are built", isolation.path);
        problems.error_with_hint(isolation.key, message, "leave it out; images for Linux are built here");
    }
}

/// The first map with the second's entries in place of its own.
pub(super) fn merged<V>(mut base: BTreeMap<String, V>, over: BTreeMap<String, V>) -> BTreeMap<String, V> {
    base.extend(over);
    base
}

/// A path, relative or not; it may leave the file's folder.
pub(super) fn path(field: &Field<'_>, problems: &mut Problems) -> Option<PathBuf> {
    field.text(problems).map(PathBuf::from)
}

/// Names, one or several.
fn names(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeSet<String>> {
    Some(field.items_or_single(problems)?.iter().filter_map(|item| item.owned(problems)).collect())
}

/// A list, or texts with commas between, as build-push-action takes them. None twice, however it is spelled.
fn platforms(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Platform>> {
    let items = field.items_or_single(problems)?;
    if items.is_empty() {
        problems.error(field.span(), format!("`{}` is empty", field.path));
        return None;
    }
    let mut all: Vec<Platform> = Vec::new();
    for item in items {
        let Some(text) = item.text(problems) else { continue };
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.parse::<Platform>() {
                Ok(platform) if all.iter().any(|known| known.normalized() == platform.normalized()) => {
                    problems.error(item.span(), format!("`{}` names {platform} again", item.path));
                }
                Ok(platform) => all.push(platform),
                Err(invalid) => problems.error(item.span(), format!("`{}`: {invalid}", item.path)),
            }
        }
    }
    Some(all)
}
