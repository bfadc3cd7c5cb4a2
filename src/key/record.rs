//! What was in a key, kept with the image so that a later run can say what changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::encode::Encoder;
use super::parts::{Checkout, KeyParts};
use super::{ContentKey, rollup};
use crate::names::{Digest, Platform};

/// A record of some version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Record {
    /// Of this version.
    Known(Box<KeyRecord>),
    /// Of a version that this program does not know.
    Other {
        /// Which.
        version: u64,
    },
}

/// The parts of a key, small enough to be kept with the image: below 256 KiB whatever the context, as long as
/// arguments, labels and base images are few.
///
/// Values of arguments and labels are in it as short digests only, each with the name hashed in. That keeps them from
/// being read by chance; it does not keep a value that can be guessed from being recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The version of this format and of the key's; 1.
    pub version: Version,
    /// The key; none if it could not be determined.
    pub key: Option<ContentKey>,
    /// The platform.
    pub platform: Platform,
    /// The Dockerfile's digest.
    pub dockerfile: Digest,
    /// The stage that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Short digests of the build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Short digests of the labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The network of RUN steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Lines of the hosts file of RUN steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_hosts: BTreeMap<String, String>,
    /// The size of `/dev/shm`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<u64>,
    /// The files of the context.
    pub files: FilesRecord,
    /// What stood for `.git`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout: Option<Checkout>,
    /// The base images and their digests.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, Digest>,
    /// The named contexts and the keys of their images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, ContentKey>,
    /// The keys of the images that it depends on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, ContentKey>,
    /// The ids of secrets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<String>,
    /// What stood for a context that is no folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What stood for the named contexts that are no images of the pipeline.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub named: BTreeMap<String, String>,
    /// The ids of agents.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ssh: BTreeSet<String>,
    /// Limits of RUN steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, String>,
    /// Privileges of RUN steps.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub entitlements: BTreeSet<String>,
    /// Attestations and their attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attestations: BTreeMap<String, String>,
}

/// The files of a context, as far as a record can hold them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilesRecord {
    /// The digest over all of them.
    pub digest: Digest,
    /// How many there are.
    pub count: usize,
    /// How deep paths go at most, if they were rolled up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Path to short digest; a path that ends in `/` is a folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<String, String>,
}

/// Version 1 and no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Version;

impl TryFrom<u64> for Version {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number == super::FORMAT { Ok(Version) } else { Err("another version") }
    }
}

impl From<Version> for u64 {
    fn from(_: Version) -> Self {
        super::FORMAT
    }
}

impl KeyRecord {
    /// The record of these parts.
    pub fn of(parts: &KeyParts, key: Option<&ContentKey>) -> Self {
        let labels = parts.lasting_labels();
        KeyRecord {
            version: Version,
            key: key.cloned(),
            platform: parts.platform.clone(),
            dockerfile: parts.dockerfile.clone(),
            target: parts.target.clone(),
            args: parts.args.iter().map(|(name, value)| (name.clone(), salted(name, value))).collect(),
            labels: labels.iter().map(|(name, value)| (name.clone(), salted(name, value))).collect(),
            network: parts.network.clone(),
            extra_hosts: parts.extra_hosts.clone(),
            shm_size: parts.shm_size,
            files: parts.files.record().clone(),
            checkout: parts.checkout.clone(),
            bases: parts.bases.clone(),
            contexts: parts.contexts.clone(),
            dependencies: parts.dependencies.clone(),
            secrets: parts.secrets.clone(),
            origin: parts.origin.clone(),
            named: parts.named.clone(),
            ssh: parts.ssh.clone(),
            ulimits: parts.ulimits.clone(),
            entitlements: parts.entitlements.clone(),
            attestations: parts.attestations.clone(),
        }
    }
}

fn salted(name: &str, value: &str) -> String {
    let mut encoder = Encoder::of("longshore value");
    encoder.text(name);
    encoder.text(value);
    encoder.short(rollup::DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::parts::tests::parts;
    use crate::key::{Content, FileSet, Mode};
    use std::sync::Arc;

    #[test]
    fn a_record_reads_back_and_holds_no_value_of_an_argument() {
        let mut parts = parts();
        parts.args.insert("TOKEN".into(), "hunter2".into());
        parts.args.insert("OTHER".into(), "hunter2".into());
        let record = KeyRecord::of(&parts, Some(&ContentKey::of(&parts)));
        let json = serde_json::to_string(&record).unwrap();
        assert!(!json.contains("hunter2"), "{json}");
        assert_ne!(record.args["TOKEN"], record.args["OTHER"]);
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), Record::Known(Box::new(record)));
    }

    #[test]
    fn another_version_is_recognised_as_one() {
        let record: Record = serde_json::from_str(r#"{"version": 9, "key": 1}"#).unwrap();
        assert_eq!(record, Record::Other { version: 9 });
        assert!(serde_json::from_str::<Record>("[]").is_err());
    }

    #[test]
    fn a_record_stays_small_whatever_the_context() {
        let content = |n: u32| Content::File { mode: Mode::reduced(0o644), sha256: [n as u8; 32] };
        let files = (0..60_000u32)
            .map(|n| (format!("some/folder-{}/deep/{}/file-{n}", n % 90, n % 500).into_bytes().into(), content(n)));
        let mut parts = parts();
        parts.files = Arc::new(FileSet::new(files.collect()));
        let json = serde_json::to_string(&KeyRecord::of(&parts, None)).unwrap();
        assert!((1_000..256 * 1024).contains(&json.len()), "{}", json.len());
    }
}
