//! Everything that enters a content key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ContentKey;
use super::encode::{Encoder, hex};
use super::files::FileSet;
use crate::names::{Digest, Platform};

/// The version of the key's own format. A new one gives every image a new key, so it changes only together with the
/// meaning of a part.
pub const FORMAT: u64 = 1;

/// Labels that say when and from which commit an image was made. They change with every commit, so they never enter,
/// not even where the user writes them.
pub const VOLATILE_LABELS: [&str; 3] =
    ["org.opencontainers.image.revision", "org.opencontainers.image.version", "org.opencontainers.image.created"];

/// What decides the result of a build.
#[derive(Debug, Clone)]
pub struct KeyParts {
    /// The platform that is built for, in the spelling of [`Platform::normalized`].
    pub platform: Platform,
    /// The Dockerfile's bytes.
    pub dockerfile: Digest,
    /// The stage that is built; the last one if not given.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// The user's labels; those of [`VOLATILE_LABELS`] are passed over.
    pub labels: BTreeMap<String, String>,
    /// The network of RUN steps.
    pub network: Option<String>,
    /// Lines of the hosts file of RUN steps.
    pub extra_hosts: BTreeMap<String, String>,
    /// The size of `/dev/shm` in RUN steps, in bytes.
    pub shm_size: Option<u64>,
    /// The files of the context after `.dockerignore`, the folder `.git` left out.
    pub files: Arc<FileSet>,
    /// What stands for `.git`, where the Dockerfile can copy it.
    pub checkout: Option<Checkout>,
    /// The base images, by their references as they are written, arguments expanded.
    pub bases: BTreeMap<String, Digest>,
    /// The named contexts that are images of the pipeline.
    pub contexts: BTreeMap<String, ContentKey>,
    /// The images of the pipeline that this one depends on.
    pub dependencies: BTreeMap<String, ContentKey>,
    /// The ids of the secrets that the build may read; their values never enter.
    pub secrets: BTreeSet<String>,
    /// What stands for a context that is no folder: the digest of an archive, a URL with a commit.
    pub origin: Option<String>,
    /// What stands for each named context that is no image of the pipeline: the digest of an image or of files, a URL
    /// with a commit.
    pub named: BTreeMap<String, String>,
    /// The ids of the agents that the build may use.
    pub ssh: BTreeSet<String>,
    /// Limits of the processes of RUN steps, `soft:hard` by name.
    pub ulimits: BTreeMap<String, String>,
    /// Privileges of RUN steps.
    pub entitlements: BTreeSet<String>,
    /// The attributes of the attestations that are made, by their kinds.
    pub attestations: BTreeMap<String, String>,
}

/// What a build step can learn from `.git` that is the same in every clone of a commit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checkout {
    /// The commit that is checked out.
    pub commit: String,
    /// The tags that name it, sorted.
    pub tags: Vec<String>,
}

impl ContentKey {
    /// The key of an index of the images that have these keys.
    pub fn of_index(images: &BTreeMap<Platform, ContentKey>) -> Self {
        let mut e = Encoder::of("longshore index key");
        e.number(FORMAT);
        e.text("images");
        e.pairs(&images.iter().map(|(platform, key)| (platform.to_string(), key)).collect());
        ContentKey(hex(&e.finish()))
    }

    /// The key of these parts.
    ///
    /// SHA-256 over the parts in the order of their declaration, each after its name, in an encoding that no two
    /// values share: lengths come before texts and lists, and a flag before what may be missing.
    pub fn of(parts: &KeyParts) -> Self {
        let mut e = Encoder::of("longshore content key");
        e.number(FORMAT);
        e.text("platform");
        e.text(&parts.platform);
        e.text("dockerfile");
        e.text(&parts.dockerfile);
        e.text("target");
        e.optional(parts.target.as_ref());
        e.text("args");
        e.pairs(&parts.args);
        e.text("labels");
        e.pairs(&parts.lasting_labels());
        e.text("network");
        e.optional(parts.network.as_ref());
        e.text("extra_hosts");
        e.pairs(&parts.extra_hosts);
        e.text("shm_size");
        e.optional(parts.shm_size.map(|bytes| bytes.to_string()));
        e.text("files");
        parts.files.encode(&mut e);
        e.text("checkout");
        e.optional(parts.checkout.as_ref().map(|checkout| checkout.commit.as_str()));
        let tags = parts.checkout.iter().flat_map(|checkout| &checkout.tags);
        texts(&mut e, tags.clone().count(), tags);
        e.text("bases");
        e.pairs(&parts.bases);
        e.text("contexts");
        e.pairs(&parts.contexts);
        e.text("dependencies");
        e.pairs(&parts.dependencies);
        e.text("secrets");
        texts(&mut e, parts.secrets.len(), &parts.secrets);
        // What few builds have enters only where it is, after its name, so that all others keep their keys.
        if let Some(origin) = &parts.origin {
            e.text("origin");
            e.text(origin);
        }
        for (part, pairs) in
            [("named", &parts.named), ("ulimits", &parts.ulimits), ("attestations", &parts.attestations)]
        {
            if !pairs.is_empty() {
                e.text(part);
                e.pairs(pairs);
            }
        }
        for (part, names) in [("ssh", &parts.ssh), ("entitlements", &parts.entitlements)] {
            if !names.is_empty() {
                e.text(part);
                texts(&mut e, names.len(), names);
            }
        }
        ContentKey(hex(&e.finish()))
    }
}

/// The digest of a folder that is a named context: its files, and what stands for its `.git`.
pub fn folder(files: &FileSet, checkout: Option<&Checkout>) -> Digest {
    let mut e = Encoder::of("longshore named folder");
    files.encode(&mut e);
    e.optional(checkout.map(|checkout| checkout.commit.as_str()));
    let tags = checkout.into_iter().flat_map(|checkout| &checkout.tags);
    texts(&mut e, tags.clone().count(), tags);
    Digest::from_sha256(e.finish())
}

fn texts<'t>(encoder: &mut Encoder, count: usize, texts: impl IntoIterator<Item = &'t String>) {
    encoder.length(count);
    for text in texts {
        encoder.text(text);
    }
}

impl AsRef<str> for ContentKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl KeyParts {
    /// The labels that enter.
    pub(super) fn lasting_labels(&self) -> BTreeMap<String, &str> {
        let lasting = self.labels.iter().filter(|(name, _)| !VOLATILE_LABELS.contains(&name.as_str()));
        lasting.map(|(name, value)| (name.clone(), value.as_str())).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::key) fn parts() -> KeyParts {
        KeyParts {
            platform: "linux/amd64".parse().unwrap(),
            dockerfile: Digest::of(b"FROM scratch"),
            target: None,
            args: BTreeMap::new(),
            labels: BTreeMap::new(),
            network: None,
            extra_hosts: BTreeMap::new(),
            shm_size: None,
            files: Arc::new(FileSet::new(Vec::new())),
            checkout: None,
            bases: BTreeMap::new(),
            contexts: BTreeMap::new(),
            dependencies: BTreeMap::new(),
            secrets: BTreeSet::new(),
            origin: None,
            named: BTreeMap::new(),
            ssh: BTreeSet::new(),
            ulimits: BTreeMap::new(),
            entitlements: BTreeSet::new(),
            attestations: BTreeMap::new(),
        }
    }

    fn one(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    /// Anything else than this means that every image out there is built anew: raise [`FORMAT`] on purpose.
    #[test]
    fn the_key_of_known_parts_stays() {
        let key = ContentKey::of(&parts());
        assert_eq!(key.as_str(), "954dfdc1d35186e659d24809cd0e1fb4d21157af86fc5473637c66cd1b33de90");
        assert_eq!(key.tag().as_str(), format!("src-{}", &key.as_str()[..20]));
    }

    #[test]
    fn every_part_changes_the_key() {
        let key = |change: &dyn Fn(&mut KeyParts)| {
            let mut parts = parts();
            change(&mut parts);
            ContentKey::of(&parts)
        };
        let other = ContentKey::of(&parts());
        let checkout =
            |tags: &[&str]| Checkout { commit: "c".into(), tags: tags.iter().map(|tag| (*tag).to_owned()).collect() };
        let keys = [
            key(&|_| {}),
            key(&|parts| parts.platform = "linux/arm64".parse().unwrap()),
            key(&|parts| parts.dockerfile = Digest::of(b"")),
            key(&|parts| parts.target = Some(String::new())),
            key(&|parts| parts.args = one("a", "b")),
            key(&|parts| parts.args = one("a", "c")),
            key(&|parts| parts.labels = one("a", "b")),
            key(&|parts| parts.network = Some("none".into())),
            key(&|parts| parts.extra_hosts = one("a", "b")),
            key(&|parts| parts.shm_size = Some(1)),
            key(&|parts| {
                parts.files = Arc::new(FileSet::new(vec![(Box::from(&b"a"[..]), crate::key::Content::EmptyFolder)]));
            }),
            key(&|parts| parts.checkout = Some(checkout(&[]))),
            key(&|parts| parts.checkout = Some(checkout(&["v1"]))),
            key(&|parts| parts.bases = BTreeMap::from([("a".into(), Digest::of(b"a"))])),
            key(&|parts| parts.contexts = BTreeMap::from([("a".into(), other.clone())])),
            key(&|parts| parts.dependencies = BTreeMap::from([("a".into(), other.clone())])),
            key(&|parts| parts.secrets = BTreeSet::from(["a".into()])),
            key(&|parts| parts.origin = Some("a".into())),
            key(&|parts| parts.named = one("a", "b")),
            key(&|parts| parts.ulimits = one("a", "b")),
            key(&|parts| parts.attestations = one("a", "b")),
            key(&|parts| parts.ssh = BTreeSet::from(["a".into()])),
            key(&|parts| parts.entitlements = BTreeSet::from(["a".into()])),
        ];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn labels_that_change_with_each_commit_do_not_enter() {
        let mut labelled = parts();
        labelled.labels = one("org.opencontainers.image.revision", "abc");
        assert_eq!(ContentKey::of(&labelled), ContentKey::of(&parts()));
    }

    proptest! {
        /// Moving a boundary between names, values and parts never gives the same key.
        #[test]
        fn boundaries_count(a in "[ab=]{0,4}", b in "[ab=]{0,4}", c in "[ab=]{0,4}", d in "[ab=]{0,4}", swap: bool) {
            let key = |name: &str, value: &str, labels: bool| {
                let mut parts = parts();
                *(if labels { &mut parts.labels } else { &mut parts.args }) = one(name, value);
                ContentKey::of(&parts)
            };
            prop_assert_eq!(key(&a, &b, false) == key(&c, &d, swap), (&a, &b, false) == (&c, &d, swap));
        }
    }
}
