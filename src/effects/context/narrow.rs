//! The part of a context that a reader asks for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ignore::IgnoreRules;
use super::walk::slashed_bytes;

/// Which entries of a walk are wanted. What is inside a wanted folder is wanted as well, and so are the folders that
/// lead to something wanted.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// `None` is everything.
    part: Option<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    paths: BTreeSet<PathBuf>,
    /// Rules that leave out all but what matches a pattern.
    rules: Option<IgnoreRules>,
}

impl Narrowing {
    /// All of the context.
    pub fn everything() -> Self {
        Narrowing::default()
    }

    /// These paths, relative to the context, and what these rules keep.
    pub fn new(paths: BTreeSet<PathBuf>, rules: Option<IgnoreRules>) -> Self {
        Narrowing { part: Some(Part { paths, rules }) }
    }

    /// Whether an entry is wanted, or leads to something that is.
    pub fn wants(&self, path: &Path, is_folder: bool) -> bool {
        let Some(part) = &self.part else { return true };
        let leads_to = || part.paths.range(path.to_owned()..).next().is_some_and(|next| next.starts_with(path));
        if path.ancestors().any(|ancestor| part.paths.contains(ancestor)) || (is_folder && leads_to()) {
            return true;
        }
        part.rules.as_ref().is_some_and(|rules| {
            let path = slashed_bytes(path);
            // More than what is wanted does no harm.
            !rules.excludes(&path).unwrap_or(false) || (is_folder && rules.may_keep_inside(&path))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_patterns_and_the_way_to_them() {
        let rules = IgnoreRules::parse(Path::new("part"), b"**\n!src/*.rs\n!docs").unwrap();
        let part = Narrowing::new(BTreeSet::from(["a/b".into(), "a-b".into()]), Some(rules));
        for (path, is_folder, expected) in [
            ("a", true, true),
            ("a", false, false),
            ("a/b", false, true),
            ("a/b/c", false, true),
            ("a/c", true, false),
            ("src", true, true),
            ("src/x.rs", false, true),
            ("src/x.go", false, false),
            ("docs/a/b", false, true),
            ("other", true, false),
        ] {
            assert_eq!(part.wants(Path::new(path), is_folder), expected, "{path}");
        }
        assert!(Narrowing::everything().wants(Path::new("x"), false));
    }
}
