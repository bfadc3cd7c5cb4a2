//! Short digests of files, rolled up into folders where there are too many to keep.
//!
//! A folder's digest is made of those of what is directly in it, so records of different depths can be compared: the
//! finer one is rolled up further, level by level, and comes to what the coarser one would have been.

use std::collections::BTreeMap;

use super::encode::Encoder;

/// Digits of a short digest: 48 bits, to tell what changed; the key itself rests on whole ones.
pub(super) const DIGITS: usize = 12;

/// The most entries that a record keeps.
const MOST_ENTRIES: usize = 2_000;

/// The most bytes that they may take as JSON.
const MOST_BYTES: usize = 192 * 1024;

/// The deepest path that there is on any system: names of one byte each. Source: Linux, `PATH_MAX`.
const DEEPEST: usize = 4_096 / 2;

/// Path to short digest; a folder's path ends in `/`.
pub(super) type Entries = BTreeMap<String, String>;

/// The entries, rolled up as little as it takes to be few enough; and the depth that it took, if any. `paths` are theirs,
/// for a look ahead: of very many entries not all are ever in memory.
///
/// Entries come in the order of their paths. Those of a folder need only follow each other.
pub(super) fn fitting(
    paths: impl Iterator<Item = String>,
    entries: impl Iterator<Item = (String, String)>,
) -> (Entries, Option<usize>) {
    let mut extent = Extent::default();
    paths.for_each(|path| extent.add(&path));
    if extent.fits() {
        return (entries.collect(), None);
    }
    let mut depth = extent.deepest.saturating_sub(1);
    let mut entries = level_up(entries, depth);
    loop {
        let extent = Extent::of(&entries);
        if extent.fits() {
            return (entries, Some(depth));
        }
        depth = extent.deepest.saturating_sub(1);
        entries = level_up(entries.into_iter(), depth);
    }
}

/// Whether this program would have kept these entries: others may take without end to be rolled up.
pub(super) fn is_fitting(entries: &Entries) -> bool {
    let extent = Extent::of(entries);
    extent.fits() && extent.deepest <= DEEPEST
}

/// The entries with every path that is deeper than this replaced by the folder at this depth that holds it. Depth 0
/// leaves none.
pub(super) fn roll_up(mut entries: Entries, depth: usize) -> Entries {
    for level in (depth..Extent::of(&entries).deepest).rev() {
        entries = level_up(entries.into_iter(), level);
    }
    entries
}

/// The entries with the folders in which they are, where they are deeper than this level.
fn level_up(entries: impl Iterator<Item = (String, String)>, level: usize) -> Entries {
    let mut kept = Entries::new();
    if level == 0 {
        return kept;
    }
    let mut open: Option<(String, Entries)> = None;
    let close = |open: Option<(String, Entries)>, kept: &mut Entries| {
        kept.extend(open.map(|(folder, inside)| (folder, digest(&inside))));
    };
    for (path, digest) in entries {
        if depth_of(&path) <= level {
            kept.insert(path, digest);
            continue;
        }
        let bare = path.strip_suffix('/').unwrap_or(&path);
        let (folder, name) = path.split_at(bare.rfind('/').map_or(0, |slash| slash + 1));
        match &mut open {
            Some((open, inside)) if open == folder => {
                inside.insert(name.to_owned(), digest);
            }
            _ => {
                let next = (folder.to_owned(), Entries::from([(name.to_owned(), digest)]));
                close(open.replace(next), &mut kept);
            }
        }
    }
    close(open, &mut kept);
    kept
}

/// How much room entries take.
#[derive(Default)]
struct Extent {
    count: usize,
    bytes: usize,
    deepest: usize,
}

impl Extent {
    fn of(entries: &Entries) -> Self {
        let mut extent = Extent::default();
        entries.keys().for_each(|path| extent.add(path));
        extent
    }

    fn add(&mut self, path: &str) {
        // Quotes, colon and comma included, and escapes as JSON has them.
        let escaped = |c: char| match c {
            '"' | '\\' => 2,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        };
        self.count += 1;
        self.bytes += path.chars().map(escaped).sum::<usize>() + DIGITS + 6;
        self.deepest = self.deepest.max(depth_of(path));
    }

    fn fits(&self) -> bool {
        self.count <= MOST_ENTRIES && self.bytes <= MOST_BYTES
    }
}

fn digest(inside: &Entries) -> String {
    let mut encoder = Encoder::of("longshore folder");
    encoder.length(inside.len());
    for (name, digest) in inside {
        encoder.text(name);
        encoder.text(digest);
    }
    encoder.short(DIGITS)
}

fn depth_of(path: &str) -> usize {
    path.trim_end_matches('/').matches('/').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paths: &[&str]) -> Entries {
        paths.iter().map(|path| ((*path).to_owned(), format!("d{}", path.len()))).collect()
    }

    #[test]
    fn folders_stand_for_what_is_in_them() {
        let all = entries(&["a", "b/c", "b/d/e", "b/d/f/", "g/h/i/j"]);
        let names = |depth| roll_up(all.clone(), depth).into_keys().collect::<Vec<_>>();
        assert_eq!(names(9), ["a", "b/c", "b/d/e", "b/d/f/", "g/h/i/j"]);
        assert_eq!(names(2), ["a", "b/c", "b/d/", "g/h/"]);
        assert_eq!(names(1), ["a", "b/", "g/"]);
        assert!(names(0).is_empty());
    }

    #[test]
    fn rolling_up_in_two_steps_comes_to_the_same() {
        let all = entries(&["a", "b/c", "b/d/e", "b/d/f/g/h", "i/j/k"]);
        assert_eq!(roll_up(roll_up(all.clone(), 3), 1), roll_up(all.clone(), 1));
        let mut changed = all.clone();
        changed.insert("b/d/e".into(), "other".into());
        assert_ne!(roll_up(changed.clone(), 1)["b/"], roll_up(all.clone(), 1)["b/"]);
        assert_eq!(roll_up(changed, 1)["i/"], roll_up(all, 1)["i/"]);
    }

    fn fitted(entries: Entries) -> (Entries, Option<usize>) {
        fitting(entries.clone().into_keys(), entries.into_iter())
    }

    #[test]
    fn many_files_are_rolled_up_and_few_are_not() {
        let many = |count: usize, length: usize| -> Entries {
            let name = "x".repeat(length);
            (0..count).map(|n| (format!("src/{}/{n}{name}", n % 50), "0".repeat(DIGITS))).collect()
        };
        assert_eq!(fitted(many(1_500, 1)).1, None);
        let (entries, depth) = fitted(many(5_000, 1));
        assert_eq!((entries.len(), depth), (50, Some(2)));
        assert_eq!(fitted(many(1_500, 200)).1, Some(2), "long names count as well");
        let flat: Entries = (0..3_000).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(fitted(flat), (Entries::new(), Some(0)));
    }
}
