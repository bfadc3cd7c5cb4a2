//! What a builder is told and given besides the files.

use std::collections::BTreeSet;

use super::attest::{self, Attestation};
use super::limits::{self, Ulimits};
use super::secrets::{self, Secrets};
use super::ssh::{self, Ssh};
use super::{Given, attributes, cache, merged};
use crate::pipeline::fields::Fields;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;
use crate::pipeline::{self, BuildOptions, Cache, CacheEntry, SecretSource, Ulimit};

/// The options as one place of the file gives them.
#[derive(Debug, Clone, Default)]
pub(super) struct OptionsPart {
    no_cache_filter: Option<Vec<String>>,
    secrets: Secrets,
    ssh: Ssh,
    cache_from: Option<Vec<CacheEntry>>,
    cache_to: Option<Vec<CacheEntry>>,
    pub cache: Option<Cache>,
    ulimits: Ulimits,
    entitlements: Option<BTreeSet<String>>,
    privileged: Option<bool>,
    provenance: Option<Attestation>,
    sbom: Option<Attestation>,
}

impl OptionsPart {
    /// Reads them from among the fields of a build.
    pub fn read(fields: &Fields<'_>, given: &Given<'_>, problems: &mut Problems) -> Self {
        let attest = fields.read("attest", problems, attest::list).unwrap_or_default();
        OptionsPart {
            no_cache_filter: fields.read("no_cache_filter", problems, stages),
            secrets: all_secrets(fields, given, problems),
            ssh: fields.read("ssh", problems, ssh::read).unwrap_or_default(),
            cache_from: fields.read("cache_from", problems, cache::entries),
            cache_to: fields.read("cache_to", problems, cache::entries),
            cache: fields.read("cache", problems, cache::cache),
            ulimits: fields.read("ulimits", problems, limits::ulimits).unwrap_or_default(),
            entitlements: fields.read("entitlements", problems, limits::entitlements),
            privileged: fields.read("privileged", problems, Field::flag),
            provenance: fields.read("provenance", problems, attest::one).or(attest.provenance),
            sbom: fields.read("sbom", problems, attest::one).or(attest.sbom),
        }
    }

    /// These, with the others for whatever they leave open; what has names is merged name by name.
    #[must_use]
    pub fn over(self, base: OptionsPart) -> Self {
        OptionsPart {
            no_cache_filter: self.no_cache_filter.or(base.no_cache_filter),
            secrets: merged(base.secrets, self.secrets),
            ssh: merged(base.ssh, self.ssh),
            cache_from: self.cache_from.or(base.cache_from),
            cache_to: self.cache_to.or(base.cache_to),
            cache: self.cache.or(base.cache),
            ulimits: merged(base.ulimits, self.ulimits),
            entitlements: self.entitlements.or(base.entitlements),
            privileged: self.privileged.or(base.privileged),
            provenance: self.provenance.or(base.provenance),
            sbom: self.sbom.or(base.sbom),
        }
    }

    /// The options, with defaults for what nobody gave.
    pub fn finish(self) -> BuildOptions {
        let mut entitlements = self.entitlements.unwrap_or_default();
        if self.privileged == Some(true) {
            entitlements.insert(limits::INSECURE.to_owned());
        }
        let ulimits = self.ulimits.into_iter().map(|(name, (soft, hard))| Ulimit { name, soft, hard });
        BuildOptions {
            no_cache_filter: self.no_cache_filter.unwrap_or_default(),
            secrets: self.secrets.into_iter().map(|(id, source)| pipeline::Secret { id, source }).collect(),
            ssh: self.ssh.into_iter().map(|(id, paths)| pipeline::Ssh { id, paths }).collect(),
            cache_from: self.cache_from.unwrap_or_default(),
            cache_to: self.cache_to.unwrap_or_default(),
            ulimits: ulimits.collect(),
            entitlements: entitlements.into_iter().collect(),
            provenance: self.provenance.flatten(),
            sbom: self.sbom.flatten(),
        }
    }
}

/// Those of all three fields that can hold secrets.
fn all_secrets(fields: &Fields<'_>, given: &Given<'_>, problems: &mut Problems) -> Secrets {
    let mut all = Secrets::new();
    let mut add = |name: &str, found: Option<Secrets>, problems: &mut Problems| {
        let Some((field, found)) = fields.get(name).zip(found) else { return };
        found.into_iter().for_each(|(id, source)| secrets::add(&mut all, id, source, field, problems));
    };
    let written = fields.read("secrets", problems, |field, problems| secrets::read(field, given, problems));
    add("secrets", written, problems);
    let files = fields.read("secret_files", problems, |field, problems| {
        secrets::short(field, |path| SecretSource::File(path.into()), problems)
    });
    add("secret_files", files, problems);
    let variables =
        fields.read("secret_envs", problems, |field, problems| secrets::short(field, SecretSource::Variable, problems));
    add("secret_envs", variables, problems);
    all
}

/// Names of stages: a list, or with commas between them.
fn stages(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for item in attributes::items(field, problems)? {
        match item {
            attributes::Item::Line(line) => {
                let names = line.text.split(',').map(str::trim).filter(|name| !name.is_empty());
                all.extend(names.map(str::to_owned));
            }
            attributes::Item::Other(field) => field.wrong_kind("a text", problems),
        }
    }
    Some(all)
}
