//! The folders that the daemon may ask for, and which part of one it wants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::effects::context::{Context, ContextError, Entry, IgnoreRules, Narrowing, sent_mode, slashed_bytes};

use super::wire::Stat;

/// A folder under its name on the wire.
#[derive(Debug, Clone)]
pub(super) enum Served {
    /// A folder of this machine, after `.dockerignore`.
    Folder(Context),
    /// Files that are in memory only, by their names.
    Texts(BTreeMap<String, Vec<u8>>),
}

/// The folders by their names.
pub(super) type Folders = BTreeMap<String, Served>;

/// What a request for a folder asks for.
#[derive(Debug, Default, Clone)]
pub(super) struct Wanted {
    /// Paths whose links are followed; nothing means all.
    pub follow: Vec<String>,
    /// Patterns; nothing means all.
    pub include: Vec<String>,
}

impl Wanted {
    /// Whether it is the ignore file alone, which the daemon reads before it asks for anything.
    pub(super) fn is_ignore_file(&self) -> bool {
        matches!((&self.follow[..], &self.include[..]), ([one], []) | ([], [one]) if one == ".dockerignore")
    }

    /// The rules of what is sent, for a folder.
    pub(super) fn narrowing(&self, root: &Path) -> Narrowing {
        if self.follow.is_empty() && self.include.is_empty() {
            return Narrowing::everything();
        }
        let mut paths = BTreeSet::new();
        for path in &self.follow {
            follow(root, Path::new(path), &mut paths);
        }
        if paths.iter().any(|path| path.as_os_str().is_empty()) {
            return Narrowing::everything();
        }
        let patterns: String = self.include.iter().map(|pattern| format!("!{pattern}\n")).collect();
        match IgnoreRules::parse(root, format!("**\n{patterns}").as_bytes()) {
            Ok(rules) => Narrowing::new(paths, (!self.include.is_empty()).then_some(rules)),
            // More than what is wanted does no harm.
            Err(_) => Narrowing::everything(),
        }
    }
}

/// How many links may be met on the way to one path; more are a circle.
const MOST_LINKS: usize = 255;

/// Adds a path, and every link and target on the way to it. Where its names have wildcards, all that match count.
fn follow(root: &Path, path: &Path, found: &mut BTreeSet<PathBuf>) {
    let mut open = vec![(PathBuf::new(), components(path), 0)];
    while let Some((done, rest, links)) = open.pop() {
        let Some((next, rest)) = rest.split_first() else {
            found.insert(done);
            continue;
        };
        if next == ".." {
            open.push((done.parent().map(Path::to_owned).unwrap_or_default(), rest.to_vec(), links));
            continue;
        }
        if next.contains(['*', '?', '[', '\\']) {
            match matching(&root.join(&done), next) {
                Some(names) => open
                    .extend(names.into_iter().map(|name| (done.clone(), [vec![name], rest.to_vec()].concat(), links))),
                // More than what is wanted does no harm.
                None => {
                    found.insert(done);
                }
            }
            continue;
        }
        let here = done.join(next);
        let target = fs::read_link(root.join(&here)).ok().filter(|_| links < MOST_LINKS);
        match target {
            None => open.push((here, rest.to_vec(), links)),
            Some(target) => {
                found.insert(here);
                let start = if target.is_absolute() { PathBuf::new() } else { done };
                open.push((start, [components(&target), rest.to_vec()].concat(), links + 1));
            }
        }
    }
}

/// The names in a folder that a pattern matches; `None` if that cannot be told.
fn matching(folder: &Path, pattern: &str) -> Option<Vec<String>> {
    let special = |name: &str| name.contains(['*', '?', '[', '\\']);
    let rules =
        IgnoreRules::parse(folder, pattern.as_bytes()).ok().filter(|_| !pattern.starts_with(['!', '#', ' ', '.']))?;
    let names = fs::read_dir(folder).ok()?.map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.collect::<Option<_>>()?;
    // A name with signs of its own would be taken for a pattern again.
    if names.iter().any(|name| special(name)) {
        return None;
    }
    let judged = names.into_iter().map(|name| Some((rules.excludes(name.as_bytes()).ok()?, name)));
    Some(
        judged.collect::<Option<Vec<_>>>()?.into_iter().filter_map(|(matches, name)| matches.then_some(name)).collect(),
    )
}

fn components(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::ParentDir => Some("..".to_owned()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    names.collect()
}

/// What the daemon is told of an entry; `None` of what cannot be in an image: sockets, pipes and devices.
pub(super) fn stat(context: &Context, entry: &Entry) -> Result<Option<Stat>, ContextError> {
    let kind = entry.metadata.file_type();
    let full = context.root().join(&entry.path);
    let mut stat = Stat {
        path: slashed_bytes(&entry.path),
        mode: go_mode(sent_mode(&entry.metadata)),
        modified: context.times().nanoseconds(&entry.metadata),
        ..Stat::default()
    };
    if kind.is_dir() {
        stat.mode |= GO_DIRECTORY;
    } else if kind.is_symlink() {
        let target = fs::read_link(&full).map_err(|error| ContextError::new(&full, &error))?;
        stat.link = target.into_os_string().into_encoded_bytes();
        stat.mode |= GO_LINK;
        stat.size = i64::try_from(stat.link.len()).unwrap_or_default();
    } else if kind.is_file() {
        stat.size = i64::try_from(entry.metadata.len()).unwrap_or(i64::MAX);
    } else {
        return Ok(None);
    }
    Ok(Some(stat))
}

/// Source: Go, package `io/fs`, constants of `FileMode`.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;

fn go_mode(mode: u32) -> u32 {
    let special = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let special: u32 = special.iter().filter(|(unix, _)| mode & unix != 0).map(|(_, go)| go).sum();
    (mode & 0o777) | special
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn followed(root: &Path, path: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        follow(root, Path::new(path), &mut found);
        found.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn links_on_the_way_are_wanted_with_what_they_lead_to() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("real/deep")).unwrap();
        symlink("real", root.path().join("a")).unwrap();
        symlink("../../b", root.path().join("real/deep/up")).unwrap();
        symlink("/real/x", root.path().join("b")).unwrap();
        symlink("loop", root.path().join("loop")).unwrap();
        assert_eq!(followed(root.path(), "plain/file"), ["plain/file"]);
        assert_eq!(followed(root.path(), "./a/x"), ["a", "real/x"]);
        assert_eq!(followed(root.path(), "a/deep/up"), ["a", "b", "real/deep/up", "real/x"]);
        assert_eq!(followed(root.path(), "loop"), ["loop"]);
        fs::write(root.path().join("real/x.rs"), "").unwrap();
        assert_eq!(followed(root.path(), "real/*.rs"), ["real/x.rs"]);
        let expected = ["a", "b", "loop", "loop/x.rs", "real/x/x.rs", "real/x.rs"];
        assert_eq!(followed(root.path(), "*/x.rs"), expected);
        assert_eq!(followed(root.path(), "."), [""]);
    }
}
