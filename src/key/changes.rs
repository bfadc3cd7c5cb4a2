//! What changed between two keys, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::record::{FilesRecord, KeyRecord};
use super::rollup;
use crate::names::Digest;

/// How many names a text lists before it counts the rest.
const NAMES_SHOWN: usize = 3;

/// One difference between an earlier build and this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The Dockerfile.
    Dockerfile,
    /// Another value for one thing that every build has one of, as in `target`: what, before, after.
    Setting(&'static str, Option<String>, Option<String>),
    /// Something that has a name: what kind of thing, its name, what became of it.
    Named(&'static str, String, Fate),
    /// A base image moved.
    Base {
        /// The reference, as it is written.
        reference: String,
        /// Before.
        from: Digest,
        /// After.
        to: Digest,
    },
    /// Files of the context, each with what became of it; empty if that is not known.
    Files(Vec<(String, Fate)>),
    /// The commit, which the image holds with its `.git`.
    Checkout,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there in both, but different.
    Changed,
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
}

/// Every difference between two records, in the order in which people ask for it.
pub fn changes(old: &KeyRecord, new: &KeyRecord) -> Vec<Change> {
    let mut found = Vec::new();
    let setting = |what, old: Option<String>, new: Option<String>| {
        if old == new { None } else { Some(Change::Setting(what, old, new)) }
    };
    if old.dockerfile != new.dockerfile {
        found.push(Change::Dockerfile);
    }
    found.extend(files(&old.files, &new.files));
    found.extend(setting("context", old.origin.clone(), new.origin.clone()));
    let shared = |(reference, to): (&String, &Digest)| {
        let from = old.bases.get(reference).filter(|from| *from != to)?;
        Some(Change::Base { reference: reference.clone(), from: from.clone(), to: to.clone() })
    };
    found.extend(new.bases.iter().filter_map(shared));
    found.extend(named("base image", &old.bases, &new.bases).filter(|change| {
        // Those have been told with their digests.
        !matches!(change, Change::Named(_, _, Fate::Changed))
    }));
    found.extend(named("image", &old.dependencies, &new.dependencies));
    found.extend(named("context", &old.contexts, &new.contexts));
    found.extend(named("context", &old.named, &new.named));
    found.extend(named("argument", &old.args, &new.args));
    found.extend(setting("target", old.target.clone(), new.target.clone()));
    found.extend(setting("platform", Some(old.platform.to_string()), Some(new.platform.to_string())));
    found.extend(named("label", &old.labels, &new.labels));
    found.extend(setting("network", old.network.clone(), new.network.clone()));
    found.extend(named("extra host", &old.extra_hosts, &new.extra_hosts));
    let bytes = |record: &KeyRecord| record.shm_size.map(|bytes| bytes.to_string());
    found.extend(setting("shm_size", bytes(old), bytes(new)));
    let ids = |ids: &BTreeSet<String>| ids.iter().map(|id| (id.clone(), ())).collect::<BTreeMap<_, _>>();
    found.extend(named("secret", &ids(&old.secrets), &ids(&new.secrets)));
    found.extend(named("ssh agent", &ids(&old.ssh), &ids(&new.ssh)));
    found.extend(named("limit", &old.ulimits, &new.ulimits));
    found.extend(named("entitlement", &ids(&old.entitlements), &ids(&new.entitlements)));
    found.extend(named("attestation", &old.attestations, &new.attestations));
    if old.checkout != new.checkout {
        found.push(Change::Checkout);
    }
    found
}

fn named<V: PartialEq>(
    kind: &'static str,
    old: &BTreeMap<String, V>,
    new: &BTreeMap<String, V>,
) -> impl Iterator<Item = Change> {
    fates(old, new).into_iter().map(move |(name, fate)| Change::Named(kind, name, fate))
}

fn fates<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Vec<(String, Fate)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let fate = |name: &&String| match (old.get(*name), new.get(*name)) {
        (Some(old), Some(new)) => (old != new).then_some(Fate::Changed),
        (None, _) => Some(Fate::Added),
        (_, None) => Some(Fate::Removed),
    };
    names.into_iter().filter_map(|name| Some((name.clone(), fate(&name)?))).collect()
}

fn files(old: &FilesRecord, new: &FilesRecord) -> Option<Change> {
    if old.digest == new.digest {
        return None;
    }
    // What stands in a registry may have been written by anybody.
    if ![old, new].iter().all(|record| rollup::is_fitting(&record.entries)) {
        return Some(Change::Files(Vec::new()));
    }
    let depth = [old.depth, new.depth].into_iter().flatten().min();
    let rolled = |record: &FilesRecord| match depth {
        Some(depth) => rollup::roll_up(record.entries.clone(), depth),
        None => record.entries.clone(),
    };
    Some(Change::Files(fates(&rolled(old), &rolled(new))))
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Dockerfile => f.write_str("Dockerfile changed"),
            Change::Setting(what, Some(from), Some(to)) => write!(f, "{what} changed from {from} to {to}"),
            Change::Setting(what, None, Some(to)) => write!(f, "{what} {to} added"),
            Change::Setting(what, from, _) => write!(f, "{what} {} removed", from.as_deref().unwrap_or_default()),
            Change::Named(kind, name, fate) => write!(f, "{kind} {name} {fate}"),
            Change::Base { reference, from, to } => write!(f, "base image {reference} moved from {from} to {to}"),
            Change::Files(files) => told(files, f),
            Change::Checkout => f.write_str("commit changed, and `.git` is part of the context"),
        }
    }
}

fn told(files: &[(String, Fate)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match files {
        [] => return f.write_str("files changed"),
        [(path, fate)] if path.ends_with('/') => return write!(f, "folder {path} {fate}"),
        [(path, fate)] => return write!(f, "1 file {fate}: {path}"),
        _ if files.iter().any(|(path, _)| path.ends_with('/')) => {
            write!(f, "files changed in {} places: ", files.len())?;
        }
        _ => write!(f, "{} files changed: ", files.len())?,
    }
    for (index, (path, fate)) in files.iter().take(NAMES_SHOWN).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let note = if *fate == Fate::Changed { String::new() } else { format!(" ({fate})") };
        write!(f, "{comma}{path}{note}")?;
    }
    match files.len().saturating_sub(NAMES_SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fate::Changed => "changed",
            Fate::Added => "added",
            Fate::Removed => "removed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::parts::tests::parts;
    use crate::key::{Content, FileSet, KeyParts, Mode};
    use std::sync::Arc;

    fn told(old: impl Fn(&mut KeyParts), new: impl Fn(&mut KeyParts)) -> Vec<String> {
        let record = |change: &dyn Fn(&mut KeyParts)| {
            let mut parts = parts();
            change(&mut parts);
            KeyRecord::of(&parts, None)
        };
        changes(&record(&old), &record(&new)).iter().map(ToString::to_string).collect()
    }

    fn set(files: &[(&str, u8)]) -> Arc<FileSet> {
        let file = |byte| Content::File { mode: Mode::reduced(0o644), sha256: [byte; 32] };
        Arc::new(FileSet::new(files.iter().map(|(path, byte)| (path.as_bytes().into(), file(*byte))).collect()))
    }

    #[test]
    fn nothing_changed() {
        assert!(told(|_| {}, |_| {}).is_empty());
    }

    #[test]
    fn settings_and_names() {
        let one = told(
            |_| {},
            |parts| {
                parts.dockerfile = Digest::of(b"other");
                parts.args.insert("NODE_ENV".into(), "x".into());
                parts.target = Some("runtime".into());
                parts.platform = "linux/arm64".parse().unwrap();
            },
        );
        let expected = [
            "Dockerfile changed",
            "argument NODE_ENV added",
            "target runtime added",
            "platform changed from linux/amd64 to linux/arm64",
        ];
        assert_eq!(one, expected);
    }

    #[test]
    fn what_few_builds_have_is_told_as_well() {
        let told = told(
            |parts| parts.ulimits = [("nofile".into(), "1:1".into())].into(),
            |parts| {
                parts.origin = Some("https://x/y.git#1".into());
                parts.named.insert("shared".into(), "files".into());
                parts.ulimits = [("nofile".into(), "1:2".into())].into();
                parts.ssh.insert("default".into());
                parts.entitlements.insert("network.host".into());
                parts.attestations.insert("sbom".into(), String::new());
            },
        );
        let expected = [
            "context https://x/y.git#1 added",
            "context shared added",
            "ssh agent default added",
            "limit nofile changed",
            "entitlement network.host added",
            "attestation sbom added",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_base_image_moved() {
        let with = |bytes: &'static [u8]| {
            move |parts: &mut KeyParts| {
                parts.bases.insert("alpine:3".into(), Digest::of(bytes));
            }
        };
        let expected = format!("base image alpine:3 moved from {} to {}", Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(told(with(b"1"), with(b"2")), [expected]);
        assert_eq!(told(|_| {}, with(b"2")), ["base image alpine:3 added"]);
    }

    #[test]
    fn files_by_name() {
        let files = |old: &[(&str, u8)], new: &[(&str, u8)]| {
            told(|parts| parts.files = set(old), |parts| parts.files = set(new)).join("; ")
        };
        assert_eq!(files(&[("a", 1), ("b", 1)], &[("a", 1), ("b", 2)]), "1 file changed: b");
        assert_eq!(files(&[("a", 1)], &[("a", 2), ("b", 1)]), "2 files changed: a, b (added)");
        assert_eq!(files(&[("a", 1)], &[("b", 1)]), "2 files changed: a (removed), b (added)");
        let many = [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)];
        assert_eq!(files(&[], &many), "5 files changed: a (added), b (added), c (added) and 2 more");
    }

    #[test]
    fn a_rolled_up_record_is_compared_with_a_fine_one() {
        let many: Vec<(String, u8)> = (0..3_000).map(|n| (format!("src/{}/{n}", n % 7), 1)).collect();
        let refer =
            |files: &[(String, u8)]| set(&files.iter().map(|(path, byte)| (path.as_str(), *byte)).collect::<Vec<_>>());
        let mut changed = many.clone();
        changed[3].1 = 2;
        assert_eq!(told(|p| p.files = refer(&many), |p| p.files = refer(&changed)), ["folder src/3/ changed"]);
        let few = &many[..1_000];
        let after = told(|p| p.files = refer(&many), |p| p.files = refer(few));
        assert_eq!(after, ["files changed in 7 places: src/0/, src/1/, src/2/ and 4 more"]);
    }

    #[test]
    fn entries_that_would_never_have_been_kept_are_not_compared() {
        let record = |entries: &[String], byte| {
            let mut record = KeyRecord::of(&parts(), None);
            record.files.digest = Digest::of(byte);
            record.files.depth = Some(1);
            record.files.entries = entries.iter().map(|path| (path.clone(), "0".to_owned())).collect();
            record
        };
        let told = |entries: &[String]| changes(&record(entries, b"1"), &record(&[], b"2"))[0].to_string();
        assert_eq!(told(&["a/b".to_owned()]), "folder a/ removed");
        assert_eq!(told(&["a/".repeat(2_000_000)]), "files changed");
        assert_eq!(told(&["a/".repeat(3_000) + "b"]), "files changed");
        assert_eq!(told(&(0..3_000).map(|n| n.to_string()).collect::<Vec<_>>()), "files changed");
    }
}
