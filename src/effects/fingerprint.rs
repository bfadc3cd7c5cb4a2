//! The files of contexts, read and hashed for the content key.
//!
//! Every file is hashed with SHA-256, also where git's index has an id for it. Git's ids would spare the reading of a
//! fresh clone, but they do not say what a build sees: a file that is clean by its times may differ from its blob by
//! line endings, `ident` or a filter that was in force when it was added, and no later look at attributes can tell;
//! and where git does not know a file, its id is a SHA-1, for which collisions can be made. A hash of what is there is
//! right whatever its history, and takes a second for 2 GB on one core.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};

use super::context::{Context, ContextError, Weight, slashed_bytes};
use super::{git, program};
use crate::key::{Checkout, Content, FileSet, Mode};
use crate::names::Digest;

/// How much of a file is in memory at once, for each thread.
const BUFFER: usize = 128 * 1024;

/// What the key needs to know of a context.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// Its files; contexts with the same folder and the same rules share them.
    pub files: Arc<FileSet>,
    /// What stands for the folder's own `.git`, if that is part of the context.
    pub checkout: Option<Checkout>,
    /// How large it is, `.git` left out.
    pub weight: Weight,
}

/// A context as it was listed, its files still unread.
struct Listing {
    entries: Vec<(Vec<u8>, Found)>,
    checkout: Option<Checkout>,
    weight: Weight,
}

enum Found {
    /// A file to hash, by its number.
    File(Mode, usize),
    Other(Content),
}

/// A file to hash, once however many contexts hold it.
struct Job {
    path: PathBuf,
    hash: OnceLock<Result<[u8; 32], ContextError>>,
}

#[derive(Default)]
struct Jobs {
    all: Vec<Job>,
    by_path: HashMap<PathBuf, usize>,
}

/// The fingerprints of these contexts, in their order. Blocks: folders are listed and files hashed on as many threads
/// as there are cores.
///
/// # Errors
/// The first folder, file or link of a context that cannot be read.
pub fn contexts(contexts: &[Context]) -> Vec<Result<Fingerprint, ContextError>> {
    // Each context, by the first one that has the same folder and rules.
    let mut firsts: HashMap<_, usize> = HashMap::new();
    let same: Vec<usize> =
        contexts.iter().enumerate().map(|(at, one)| *firsts.entry(one.identity()).or_insert(at)).collect();

    let jobs = Mutex::new(Jobs::default());
    let listings: Vec<OnceLock<Result<Listing, ContextError>>> = contexts.iter().map(|_| OnceLock::new()).collect();
    in_parallel(contexts.len(), |at, _| {
        if same[at] == at {
            let _ = listings[at].set(list(&contexts[at], &jobs));
        }
    });

    let jobs = jobs.into_inner().unwrap_or_else(PoisonError::into_inner).all;
    in_parallel(jobs.len(), |at, buffer| {
        let job = &jobs[at];
        let _ = job.hash.set(hash(&job.path, buffer).map_err(|error| ContextError::new(&job.path, &error)));
    });

    let mut fingerprints: Vec<Result<Fingerprint, ContextError>> = Vec::with_capacity(contexts.len());
    for (at, listing) in listings.into_iter().enumerate() {
        let fingerprint = match listing.into_inner() {
            Some(listing) => listing.and_then(|listing| finish(listing, &jobs)),
            None => fingerprints[same[at]].clone(),
        };
        fingerprints.push(fingerprint);
    }
    fingerprints
}

/// The SHA-256 of a file's bytes. Blocks.
///
/// # Errors
/// If it cannot be read.
pub fn file(path: &Path) -> Result<Digest, ContextError> {
    let hashed = hash(path, &mut vec![0; BUFFER]).map_err(|error| ContextError::new(path, &error));
    hashed.map(Digest::from_sha256)
}

fn list(context: &Context, jobs: &Mutex<Jobs>) -> Result<Listing, ContextError> {
    let mut listing = Listing { entries: Vec::new(), checkout: None, weight: Weight::default() };
    let mut walk = context.walk()?;
    while let Some(entry) = walk.next() {
        let entry = entry?;
        let full = context.root().join(&entry.path);
        if entry.path == Path::new(".git")
            && let Some(checkout) = git::checkout(context.root())
        {
            walk.skip_inside(&entry.path);
            listing.checkout = Some(checkout);
            continue;
        }
        let kind = entry.metadata.file_type();
        let found = if kind.is_file() {
            listing.weight.add(&entry.path, entry.metadata.len());
            Found::File(mode(&entry.metadata), job(full, jobs))
        } else if kind.is_symlink() {
            let target = fs::read_link(&full).map_err(|error| ContextError::new(&full, &error))?;
            Found::Other(Content::Link(target.into_os_string().into_encoded_bytes()))
        } else if kind.is_dir() {
            Found::Other(Content::EmptyFolder)
        } else {
            // Sockets, pipes and devices are not sent to the builder either.
            continue;
        };
        let path = slashed_bytes(&entry.path);
        // What is in a folder follows it at once, so the last entry is known not to be empty by this one.
        if listing.entries.last().is_some_and(|(last, found)| is_inside(&path, last, found)) {
            listing.entries.pop();
        }
        listing.entries.push((path, found));
    }
    Ok(listing)
}

fn is_inside(path: &[u8], folder: &[u8], found: &Found) -> bool {
    matches!(found, Found::Other(Content::EmptyFolder))
        && path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn job(path: PathBuf, jobs: &Mutex<Jobs>) -> usize {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = jobs.by_path.get(&path) {
        return *known;
    }
    let number = jobs.all.len();
    jobs.by_path.insert(path.clone(), number);
    jobs.all.push(Job { path, hash: OnceLock::new() });
    number
}

fn finish(listing: Listing, jobs: &[Job]) -> Result<Fingerprint, ContextError> {
    let resolved = listing.entries.into_iter().map(|(path, found)| {
        let content = match found {
            Found::Other(content) => content,
            Found::File(mode, number) => match jobs[number].hash.get() {
                Some(Ok(sha256)) => Content::File { mode, sha256: *sha256 },
                Some(Err(error)) => return Err(error.clone()),
                None => return Err(ContextError::new(&jobs[number].path, &"it was not read")),
            },
        };
        Ok((path, content))
    });
    let entries = resolved.collect::<Result<Vec<_>, _>>()?;
    Ok(Fingerprint { files: Arc::new(FileSet::new(entries)), checkout: listing.checkout, weight: listing.weight })
}

fn hash(path: &Path, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(read) => hash.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> Mode {
    use std::os::unix::fs::MetadataExt as _;
    Mode::reduced(metadata.mode())
}

/// Where files have no mode, the archive says `0644` of all.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> Mode {
    Mode::reduced(0o644)
}

/// Does the work of each number below `count` once, on as many threads as there are cores.
fn in_parallel(count: usize, work: impl Fn(usize, &mut [u8]) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..program::cores().min(count) {
            scope.spawn(|| {
                let mut buffer = vec![0; BUFFER];
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    work(at, &mut buffer);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;

    fn context(root: &Path) -> Context {
        Context::open(root, &Dockerfile::Inline("FROM scratch".into())).unwrap()
    }

    fn one(root: &Path) -> Fingerprint {
        contexts(&[context(root)]).remove(0).unwrap()
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_files_in_another_folder_are_the_same() {
        let files = [("a", "1"), ("b/c", "2"), ("b/d/e", "3")];
        let (first, second) = (folder(&files), folder(&files));
        assert_eq!(one(first.path()).files.digest(), one(second.path()).files.digest());
        assert_eq!(one(first.path()).files.len(), 3, "folders that hold something are known from it");
        fs::write(second.path().join("b/c"), "4").unwrap();
        assert_ne!(one(first.path()).files.digest(), one(second.path()).files.digest());
    }

    #[test]
    fn an_empty_folder_counts_and_one_that_is_left_out_does_not() {
        let folder = folder(&[(".dockerignore", "out"), ("a", "1")]);
        let before = one(folder.path()).files.digest();
        fs::create_dir(folder.path().join("out")).unwrap();
        assert_eq!(one(folder.path()).files.digest(), before);
        fs::create_dir(folder.path().join("empty")).unwrap();
        assert_ne!(one(folder.path()).files.digest(), before);
    }

    #[cfg(unix)]
    #[test]
    fn links_count_by_their_target_and_sockets_not_at_all() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let folder = folder(&[("a", "1")]);
        let before = one(folder.path()).files.digest();
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        assert_eq!(one(folder.path()).files.digest(), before);
        symlink("nowhere", folder.path().join("link")).unwrap();
        let linked = one(folder.path()).files.digest();
        assert_ne!(linked, before);
        fs::remove_file(folder.path().join("link")).unwrap();
        symlink("elsewhere", folder.path().join("link")).unwrap();
        assert_ne!(one(folder.path()).files.digest(), linked);
    }

    #[test]
    fn images_with_one_context_share_its_files() {
        let folder = folder(&[("a", "1"), ("Dockerfile.b.dockerignore", "a")]);
        fs::write(folder.path().join("Dockerfile.b"), "FROM scratch").unwrap();
        let other = Context::open(folder.path(), &Dockerfile::File("Dockerfile.b".into())).unwrap();
        let found: Vec<_> = contexts(&[context(folder.path()), other, context(folder.path())]);
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert!(Arc::ptr_eq(&found[0].files, &found[2].files));
        assert_ne!(found[0].files.digest(), found[1].files.digest(), "its rules are others");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = folder(&[("a", "1")]);
        let context = context(folder.path());
        let jobs = Mutex::new(Jobs::default());
        let listing = list(&context, &jobs).unwrap();
        fs::remove_file(folder.path().join("a")).unwrap();
        let jobs = jobs.into_inner().unwrap().all;
        let error = hash(&jobs[0].path, &mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(finish(listing, &jobs).unwrap_err().path.ends_with("a"));
    }
}
