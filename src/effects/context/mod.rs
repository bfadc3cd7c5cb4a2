//! The build context: a folder after `.dockerignore`, as a stream of tar.

mod expression;
mod ignore;
mod narrow;
mod pattern;
mod sent;
mod syntax;
mod tar;
mod upload;
mod walk;
mod weight;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

pub use ignore::{BadPattern, IgnoreRules, Verdict};
pub use narrow::Narrowing;
pub use sent::{Times, mode as sent_mode};
pub use tar::Reader;
pub use upload::{Upload, stream, upload};
pub use walk::{Entry, Walk, slashed_bytes};
pub use weight::Weight;

use super::limited;
use crate::execute::ports::{Failure, ServiceError};
use crate::plan::Dockerfile;

/// Where a Dockerfile goes that has no place of its own in the context. Always the same, so that it does not
/// spoil the layer cache.
pub const RESERVED_DOCKERFILE: &str = ".longshore.Dockerfile";

const IGNORE_FILE: &str = ".dockerignore";

/// The most bytes of a Dockerfile or an ignore file.
const LARGEST: u64 = 16 << 20;

/// A context that was looked at, but not read yet.
#[derive(Debug, Clone)]
pub struct Context {
    root: PathBuf,
    rules: IgnoreRules,
    dockerfile: SentDockerfile,
    /// Relative to the folder.
    left_out: BTreeSet<PathBuf>,
    times: Times,
}

/// How the Dockerfile reaches the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SentDockerfile {
    /// With the other files, under this slash-separated path.
    Along(String),
    /// On its own: it is outside the context, left out by `.dockerignore`, or no file at all.
    Extra { path: String, bytes: Vec<u8> },
}

/// A file or folder of the context that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextError {
    /// Which.
    pub path: PathBuf,
    /// Why not.
    pub cause: String,
}

impl ContextError {
    /// What the system said about a path.
    pub fn new(path: &Path, cause: &impl std::fmt::Display) -> Self {
        ContextError { path: path.to_owned(), cause: cause.to_string() }
    }

    /// The same in the words of the port.
    pub fn while_doing(self, doing: &str) -> ServiceError {
        let failure = Failure::ContextUnreadable { path: self.path.display().to_string() };
        ServiceError { failure, doing: doing.to_owned(), cause: self.cause }
    }
}

impl Context {
    /// Reads the Dockerfile and the ignore file, and checks that the folder is there.
    ///
    /// The file `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context's
    /// folder. Source: docs.docker.com, "Build context", section "Filename and location".
    ///
    /// # Errors
    /// If one of them is missing or cannot be read, or a line of the ignore file is no pattern.
    pub fn open(root: &Path, dockerfile: &Dockerfile) -> Result<Self, ContextError> {
        let folder = fs::metadata(root).map_err(unreadable(root))?;
        if !folder.is_dir() {
            return Err(ContextError::new(root, &"it is not a folder"));
        }
        let (rules, dockerfile) = match dockerfile {
            Dockerfile::Inline(text) => {
                let extra =
                    SentDockerfile::Extra { path: RESERVED_DOCKERFILE.into(), bytes: text.clone().into_bytes() };
                (read_rules(&[root.join(IGNORE_FILE)])?, extra)
            }
            Dockerfile::File(file) => {
                let full = root.join(file);
                let bytes = limited::read(&full, LARGEST).map_err(unreadable(&full))?;
                let rules = read_rules(&[beside(&full), root.join(IGNORE_FILE)])?;
                let dockerfile = match place_inside(root, file) {
                    Some(path) if !rules.excludes(path.as_bytes())? => SentDockerfile::Along(path),
                    Some(path) => SentDockerfile::Extra { path, bytes },
                    None => SentDockerfile::Extra { path: RESERVED_DOCKERFILE.into(), bytes },
                };
                (rules, dockerfile)
            }
        };
        Ok(Context { root: root.to_owned(), rules, dockerfile, left_out: BTreeSet::new(), times: Times::Own })
    }

    /// A folder as it is sent, whatever its Dockerfile: a named context, or one that is only looked at.
    ///
    /// `dockerfile` is the path of the Dockerfile whose own ignore file wins, as in [`Context::open`]; nothing else is
    /// looked at, so it need not be there.
    ///
    /// # Errors
    /// If the folder is missing, or the ignore file cannot be read or has a line that is no pattern.
    pub fn folder(root: &Path, dockerfile: Option<&Path>) -> Result<Self, ContextError> {
        let is_folder = fs::metadata(root).map_err(unreadable(root))?.is_dir();
        if !is_folder {
            return Err(ContextError::new(root, &"it is not a folder"));
        }
        let mut files: Vec<PathBuf> = dockerfile.map(beside).into_iter().collect();
        files.push(root.join(IGNORE_FILE));
        let dockerfile = SentDockerfile::Extra { path: RESERVED_DOCKERFILE.into(), bytes: Vec::new() };
        Ok(Context {
            root: root.to_owned(),
            rules: read_rules(&files)?,
            dockerfile,
            left_out: BTreeSet::new(),
            times: Times::Own,
        })
    }

    /// The same without these files, wherever they are: what a run writes is no part of what the next one builds, or it
    /// would never find its content unchanged.
    #[must_use]
    pub fn leaving_out<'p>(mut self, files: impl IntoIterator<Item = &'p Path>) -> Self {
        let Ok(root) = self.root.canonicalize() else { return self };
        let relative = |file: &Path| {
            let folder = file.parent()?.canonicalize().ok()?;
            Some(folder.join(file.file_name()?).strip_prefix(&root).ok()?.to_owned())
        };
        self.left_out = files.into_iter().filter_map(relative).collect();
        self
    }

    /// The same, whose files are sent with times from elsewhere than their own.
    #[must_use]
    pub fn with_times(self, times: Times) -> Self {
        Context { times, ..self }
    }

    /// The times with which its files are sent.
    pub fn times(&self) -> Times {
        self.times
    }

    /// The text of a Dockerfile, for a look at what it is based on.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn dockerfile_text(root: &Path, dockerfile: &Dockerfile) -> Result<String, ContextError> {
        Ok(String::from_utf8_lossy(&Self::dockerfile_bytes(root, dockerfile)?).into_owned())
    }

    /// The bytes of a Dockerfile.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn dockerfile_bytes(root: &Path, dockerfile: &Dockerfile) -> Result<Vec<u8>, ContextError> {
        match dockerfile {
            Dockerfile::Inline(text) => Ok(text.clone().into_bytes()),
            Dockerfile::File(file) => {
                let full = root.join(file);
                limited::read(&full, LARGEST).map_err(unreadable(&full))
            }
        }
    }

    /// The Dockerfile's path inside the tar.
    pub fn dockerfile(&self) -> &str {
        match &self.dockerfile {
            SentDockerfile::Along(path) | SentDockerfile::Extra { path, .. } => path,
        }
    }

    /// The context's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of the ignore file that is in force; empty if there is none.
    pub fn ignore_text(&self) -> &[u8] {
        self.rules.text()
    }

    /// What the files of the context follow from: contexts of which this is equal hold the same.
    pub fn identity(&self) -> (&Path, &[u8], &BTreeSet<PathBuf>) {
        (&self.root, self.rules.text(), &self.left_out)
    }

    /// The files that `.dockerignore` keeps.
    ///
    /// # Errors
    /// If the context's folder cannot be read.
    pub fn walk(&self) -> Result<Walk<'_>, ContextError> {
        Walk::new(&self.root, &self.rules, &self.left_out)
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> ContextError {
    move |error| ContextError::new(path, &error)
}

/// The ignore file of a Dockerfile.
pub fn beside(dockerfile: &Path) -> PathBuf {
    let mut file = dockerfile.as_os_str().to_owned();
    file.push(IGNORE_FILE);
    file.into()
}

/// The rules in the first of these files that is there; none, if none is.
fn read_rules(files: &[PathBuf]) -> Result<IgnoreRules, ContextError> {
    for file in files {
        match limited::read(file, LARGEST) {
            Ok(bytes) => {
                return IgnoreRules::parse(file, &bytes).map_err(|bad| ContextError::new(file, &bad));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ContextError::new(file, &error)),
        }
    }
    Ok(IgnoreRules::default())
}

/// The slash-separated path of a file inside the context, if the daemon will find it there: not if it is outside,
/// is reached through a symbolic link, or has a name that does not fit into a URL.
fn place_inside(root: &Path, file: &Path) -> Option<String> {
    let real_root = root.canonicalize().ok()?;
    let real = root.join(file).canonicalize().ok()?;
    let inside = real.strip_prefix(&real_root).ok()?;
    let named = if file.is_absolute() { file.strip_prefix(root).ok()? } else { file };
    if named.components().any(|component| component == Component::ParentDir) || named.to_str().is_none() {
        return None;
    }
    let named: PathBuf = named.components().filter(|component| *component != Component::CurDir).collect();
    (named == inside).then(|| String::from_utf8(slashed_bytes(inside)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(files: &[(&str, &str)], dockerfile: &str) -> Result<Context, ContextError> {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("context");
        fs::create_dir(&root).unwrap();
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Context::open(&root, &Dockerfile::File(dockerfile.into()))
    }

    #[test]
    fn the_dockerfile_goes_along_if_it_can() {
        let along = |context: Context| matches!(context.dockerfile, SentDockerfile::Along(_));
        assert!(along(open(&[("a/Dockerfile", "")], "./a/Dockerfile").unwrap()));
        let extra = open(&[("Dockerfile", ""), (".dockerignore", "Dockerfile")], "Dockerfile").unwrap();
        assert_eq!(extra.dockerfile(), "Dockerfile");
        assert!(!along(extra));
        let outside = open(&[("../Dockerfile.web", "x")], "../Dockerfile.web").unwrap();
        assert_eq!(outside.dockerfile(), RESERVED_DOCKERFILE);
    }

    #[test]
    fn the_ignore_file_beside_the_dockerfile_wins() {
        let files = [("d/Dockerfile", ""), ("d/Dockerfile.dockerignore", "a"), (".dockerignore", "b")];
        let context = open(&files, "d/Dockerfile").unwrap();
        assert!(context.rules.excludes(b"a").unwrap() && !context.rules.excludes(b"b").unwrap());
    }

    #[test]
    fn files_are_left_out_however_their_paths_are_written() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("context");
        fs::create_dir_all(root.join("out")).unwrap();
        for file in ["kept", "left", "out/left", "out/kept"] {
            fs::write(root.join(file), "").unwrap();
        }
        let results = ["left", "out/../out/./left", "../kept", "gone/left", "missing"].map(|file| root.join(file));
        let context = Context::open(&root, &Dockerfile::Inline(String::new())).unwrap();
        let context = context.leaving_out(results.iter().map(PathBuf::as_path));
        let paths: Vec<_> = context.walk().unwrap().map(|entry| entry.unwrap().path.display().to_string()).collect();
        assert_eq!(paths, ["kept", "out", "out/kept"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = open(&[], "Dockerfile").unwrap_err();
        assert!(error.path.ends_with("context/Dockerfile"), "{error:?}");
        let error = Context::open(Path::new("/nowhere"), &Dockerfile::Inline(String::new())).unwrap_err();
        assert_eq!(error.path, Path::new("/nowhere"));
        let error = open(&[("Dockerfile", ""), (".dockerignore", "a\n[")], "Dockerfile").unwrap_err();
        assert_eq!(error.cause, "line 2: `[` is not a pattern: a `[` is not closed");
    }
}
