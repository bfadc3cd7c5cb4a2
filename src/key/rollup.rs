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

/// Path to short digest; a folder's path ends in `/`.
pub(super) type Entries = BTreeMap<String, String>;

/// The entries, rolled up as little as it takes to be few enough; and the depth that it took, if any.
pub(super) fn fitting(mut entries: Entries) -> (Entries, Option<usize>) {
    let mut depth = None;
    while entries.len() > MOST_ENTRIES || size(&entries) > MOST_BYTES {
        let shallower = deepest(&entries).saturating_sub(1);
        entries = roll_up(entries, shallower);
        depth = Some(shallower);
    }
    (entries, depth)
}

/// The entries with every path that is deeper than this replaced by the folder at this depth that holds it. Depth 0
/// leaves none.
pub(super) fn roll_up(mut entries: Entries, depth: usize) -> Entries {
    for level in (depth..deepest(&entries)).rev() {
        let (deeper, mut kept): (Entries, Entries) = entries.into_iter().partition(|(path, _)| depth_of(path) > level);
        if level == 0 {
            return kept;
        }
        let mut folders: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (path, digest) in deeper {
            let bare = path.strip_suffix('/').unwrap_or(&path);
            let cut = bare.rfind('/').map_or(0, |slash| slash + 1);
            folders.entry(path[..cut].to_owned()).or_default().push((path[cut..].to_owned(), digest));
        }
        kept.extend(folders.into_iter().map(|(folder, inside)| (folder, digest(&inside))));
        entries = kept;
    }
    entries
}

fn digest(inside: &[(String, String)]) -> String {
    let mut encoder = Encoder::of("longshore folder");
    encoder.length(inside.len());
    for (name, digest) in inside {
        encoder.text(name);
        encoder.text(digest);
    }
    encoder.short(DIGITS)
}

fn deepest(entries: &Entries) -> usize {
    entries.keys().map(|path| depth_of(path)).max().unwrap_or(0)
}

fn depth_of(path: &str) -> usize {
    path.trim_end_matches('/').matches('/').count() + 1
}

/// Quotes, colon and comma included, and escapes as JSON has them.
fn size(entries: &Entries) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    };
    entries.keys().map(|path| path.chars().map(escaped).sum::<usize>() + DIGITS + 6).sum()
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

    #[test]
    fn many_files_are_rolled_up_and_few_are_not() {
        let many = |count: usize, length: usize| -> Entries {
            let name = "x".repeat(length);
            (0..count).map(|n| (format!("src/{}/{n}{name}", n % 50), "0".repeat(DIGITS))).collect()
        };
        assert_eq!(fitting(many(1_500, 1)).1, None);
        let (entries, depth) = fitting(many(5_000, 1));
        assert_eq!((entries.len(), depth), (50, Some(2)));
        assert_eq!(fitting(many(1_500, 200)).1, Some(2), "long names count as well");
        let flat: Entries = (0..3_000).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(fitting(flat), (Entries::new(), Some(0)));
    }
}
