//! The files of a context, after `.dockerignore`.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ContextError;
use super::ignore::{IgnoreRules, Verdict};

/// Something that stands in the context.
#[derive(Debug)]
pub struct Entry {
    /// Relative to the context.
    pub path: PathBuf,
    /// Of the entry itself; links are not followed.
    pub metadata: Metadata,
}

/// Everything that the rules keep and that is not left out in any case, each directory before what is in it, names in the order of their bytes.
///
/// A directory that is left out comes all the same if something inside it is kept, as Docker's own walk has it.
#[derive(Debug)]
pub struct Walk<'a> {
    root: &'a Path,
    rules: &'a IgnoreRules,
    left_out: &'a BTreeSet<PathBuf>,
    open: Vec<Directory>,
    ready: VecDeque<Entry>,
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    names: std::vec::IntoIter<OsString>,
    verdict: Arc<Verdict>,
    /// The directory itself, as long as it is left out and nothing kept was found inside.
    pending: Option<Entry>,
}

impl<'a> Walk<'a> {
    /// Starts in the context's folder.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn new(root: &'a Path, rules: &'a IgnoreRules, left_out: &'a BTreeSet<PathBuf>) -> Result<Self, ContextError> {
        let top =
            Directory { path: PathBuf::new(), names: sorted_names(root)?, verdict: Arc::default(), pending: None };
        Ok(Walk { root, rules, left_out, open: vec![top], ready: VecDeque::new() })
    }

    /// Passes over what is inside the directory that came last.
    pub fn skip_inside(&mut self, directory: &Path) {
        if self.open.last().is_some_and(|open| open.path == directory) {
            self.open.pop();
        }
    }

    /// Looks at one entry, and queues it if it is kept.
    fn step(&mut self, path: PathBuf, parent: &Verdict) -> Result<(), ContextError> {
        if self.left_out.contains(&path) {
            return Ok(());
        }
        let full = self.root.join(&path);
        let slashed = slashed_bytes(&path);
        let metadata = match fs::symlink_metadata(&full) {
            Ok(metadata) => metadata,
            Err(_) if self.rules.excludes_inside(parent, &slashed)? => return Ok(()),
            Err(error) => return Err(ContextError::new(&full, &error)),
        };
        if !metadata.is_dir() {
            if !self.rules.excludes_inside(parent, &slashed)? {
                self.keep(Entry { path, metadata });
            }
            return Ok(());
        }
        let (excluded, verdict) = self.rules.enter(parent, &slashed)?;
        if excluded && !self.rules.may_keep_inside(&slashed) {
            return Ok(());
        }
        let names = match sorted_names(&full) {
            // BuildKit looks for exceptions in there as far as it may.
            Err(Unlisted(_, ErrorKind::PermissionDenied)) if excluded => return Ok(()),
            names => names?,
        };
        let entry = Entry { path: path.clone(), metadata };
        let pending = if excluded { Some(entry) } else { self.keep(entry) };
        self.open.push(Directory { path, names, verdict: Arc::new(verdict), pending });
        Ok(())
    }

    /// Queues an entry, after those of its parents that wait for something kept; returns nothing, as what still waits.
    fn keep(&mut self, entry: Entry) -> Option<Entry> {
        self.ready.extend(self.open.iter_mut().filter_map(|directory| directory.pending.take()));
        self.ready.push_back(entry);
        None
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry, ContextError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            let directory = self.open.last_mut()?;
            let Some(name) = directory.names.next() else {
                self.open.pop();
                continue;
            };
            let path = directory.path.join(name);
            let verdict = Arc::clone(&directory.verdict);
            if let Err(error) = self.step(path, &verdict) {
                self.open.clear();
                return Some(Err(error));
            }
        }
    }
}

/// The path byte by byte, slash-separated.
pub fn slashed_bytes(path: &Path) -> Vec<u8> {
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    if std::path::MAIN_SEPARATOR != '/' {
        for byte in bytes.iter_mut().filter(|byte| char::from(**byte) == std::path::MAIN_SEPARATOR) {
            *byte = b'/';
        }
    }
    bytes
}

/// A folder whose names cannot be read.
struct Unlisted(ContextError, ErrorKind);

impl From<Unlisted> for ContextError {
    fn from(unlisted: Unlisted) -> Self {
        unlisted.0
    }
}

fn sorted_names(folder: &Path) -> Result<std::vec::IntoIter<OsString>, Unlisted> {
    let unreadable = |error: std::io::Error| Unlisted(ContextError::new(folder, &error), error.kind());
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    names.sort_unstable();
    Ok(names.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slashed(path: &Path) -> String {
        String::from_utf8(slashed_bytes(path)).unwrap()
    }

    fn walk(files: &[&str], rules: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let rules = IgnoreRules::parse(Path::new(""), rules.as_bytes()).unwrap();
        let none = BTreeSet::new();
        let entries = Walk::new(root.path(), &rules, &none).unwrap();
        entries.map(|entry| slashed(&entry.unwrap().path)).collect()
    }

    #[test]
    fn everything_in_order() {
        assert_eq!(walk(&["b/z", "b/a", "a", "b.x"], ""), ["a", "b", "b/a", "b/z", "b.x"]);
    }

    #[test]
    fn parents_of_what_is_kept_come_along() {
        let files = ["src/deep/keep.rs", "src/deep/drop.go", "src/x.go", "other/x.go"];
        assert_eq!(walk(&files, "*\n!**/*.rs"), ["src", "src/deep", "src/deep/keep.rs"]);
        assert_eq!(
            walk(&files, "src\n!src/deep"),
            ["other", "other/x.go", "src", "src/deep", "src/deep/drop.go", "src/deep/keep.rs"]
        );
    }

    #[test]
    fn a_folder_can_be_passed_over() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a/b", "c"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let rules = IgnoreRules::default();
        let none = BTreeSet::new();
        let mut walk = Walk::new(root.path(), &rules, &none).unwrap();
        let mut next = || {
            let entry = walk.next()?.unwrap();
            if entry.path == Path::new("a") {
                walk.skip_inside(&entry.path);
            }
            Some(slashed(&entry.path))
        };
        assert_eq!([next(), next(), next()], [Some("a".into()), Some("c".into()), None]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_left_out_is_not_even_opened() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("locked")).unwrap();
        // A loop would never end if links were followed.
        symlink(".", root.path().join("loop")).unwrap();
        let rules = IgnoreRules::parse(Path::new(""), b"locked").unwrap();
        let none = BTreeSet::new();
        let paths: Vec<_> = Walk::new(root.path(), &rules, &none).unwrap().map(|entry| entry.unwrap().path).collect();
        assert_eq!(paths, [PathBuf::from("loop")]);
    }
}
