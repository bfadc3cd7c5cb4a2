//! The files of contexts, read and hashed for the content key.
//!
//! Every file is hashed with SHA-256, also where git's index has an id for it. Git's ids would spare the reading of a
//! fresh clone, but they do not say what a build sees: a file that is clean by its times may differ from its blob by
//! line endings, `ident` or a filter that was in force when it was added, and no later look at attributes can tell;
//! and where git does not know a file, its id is a SHA-1, for which collisions can be made. A hash of what is there is
//! right whatever its history, and takes a second for 2 GB on one core. What an earlier run has read of the same inode is
//! remembered: see [`memory`].

mod hashing;
mod memory;

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::context::{Context, ContextError, Weight, slashed_bytes};
use super::{git, program};
use crate::key::{Checkout, Content, FileSet, Mode};
use crate::names::Digest;
use hashing::{Hashes, Queue};
pub use memory::Remembered;
use memory::{Memory, State};

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

/// A context as it was listed, those files without their hashes that are not remembered.
#[derive(Default)]
struct Listing {
    entries: Vec<(Box<[u8]>, Content)>,
    /// Which of the entries are files that are being hashed, and the number of each.
    files: Vec<(usize, usize)>,
    /// How many of its files have a hash already.
    met: usize,
    checkout: Option<Checkout>,
    weight: Weight,
}

/// The fingerprints of these contexts, in their order. Blocks: on as many threads as there are cores, files are hashed
/// while folders are still being listed. `remembered` is where the hashes of files are kept from one run to the
/// next.
///
/// # Errors
/// The first folder, file or link of a context that cannot be read.
pub fn contexts(contexts: &[Context], remembered: Option<&Remembered>) -> Vec<Result<Fingerprint, ContextError>> {
    let memory = remembered.map(Memory::open).unwrap_or_default();
    // Each context, by the first one that has the same folder and rules.
    let mut firsts: HashMap<_, usize> = HashMap::new();
    let same: Vec<usize> =
        contexts.iter().enumerate().map(|(at, one)| *firsts.entry(one.identity()).or_insert(at)).collect();
    let different: Vec<usize> = (0..contexts.len()).filter(|at| same[*at] == *at).collect();

    let listings: Vec<OnceLock<Result<Listing, ContextError>>> = contexts.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let listers = program::cores().min(different.len());
    let met = AtomicUsize::new(0);
    let (hashes, learned) = hashing::while_listing(listers, different.len() > 1, |queue| {
        while let Some(at) = different.get(next.fetch_add(1, Ordering::Relaxed)) {
            let listing = list(&contexts[*at], queue, &memory);
            met.fetch_add(listing.as_ref().map_or(0, |listing| listing.met), Ordering::Relaxed);
            let _ = listings[*at].set(listing);
        }
    });
    if let Some(remembered) = remembered {
        memory.keep(learned, met.into_inner(), remembered);
    }

    let mut fingerprints: Vec<Result<Fingerprint, ContextError>> = Vec::with_capacity(contexts.len());
    for (at, listing) in listings.into_iter().enumerate() {
        let fingerprint = match listing.into_inner() {
            Some(listing) => listing.and_then(|listing| finish(listing, &hashes)),
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
    hashing::one(path).map(Digest::from_sha256)
}

fn list(context: &Context, queue: &Queue<'_>, memory: &Memory) -> Result<Listing, ContextError> {
    let mut listing = Listing::default();
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
        let (content, number) = if kind.is_file() {
            listing.weight.add(&entry.path, entry.metadata.len());
            let known = State::of(&entry.metadata).and_then(|state| memory.of(&state));
            listing.met += usize::from(known.is_some());
            let number = known.is_none().then(|| queue.add(full, entry.metadata.len()));
            (Content::File { mode: mode(&entry.metadata), sha256: known.unwrap_or_default() }, number)
        } else if kind.is_symlink() {
            let target = fs::read_link(&full).map_err(|error| ContextError::new(&full, &error))?;
            (Content::Link(target.into_os_string().into_encoded_bytes()), None)
        } else if kind.is_dir() {
            (Content::EmptyFolder, None)
        } else {
            // Sockets, pipes and devices are not sent to the builder either.
            continue;
        };
        let path = slashed_bytes(&entry.path).into_boxed_slice();
        // What is in a folder follows it at once, so the last entry is known not to be empty by this one.
        if listing.entries.last().is_some_and(|(last, content)| is_inside(&path, last, content)) {
            listing.entries.pop();
        }
        listing.files.extend(number.map(|number| (listing.entries.len(), number)));
        listing.entries.push((path, content));
    }
    Ok(listing)
}

fn is_inside(path: &[u8], folder: &[u8], content: &Content) -> bool {
    *content == Content::EmptyFolder && path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn finish(mut listing: Listing, hashes: &Hashes) -> Result<Fingerprint, ContextError> {
    for (at, number) in listing.files {
        if let Content::File { sha256, .. } = &mut listing.entries[at].1 {
            *sha256 = hashes.of(number)?;
        }
    }
    let files = Arc::new(FileSet::new(listing.entries));
    Ok(Fingerprint { files, checkout: listing.checkout, weight: listing.weight })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;

    fn context(root: &Path) -> Context {
        Context::open(root, &Dockerfile::Inline("FROM scratch".into())).unwrap()
    }

    fn one(root: &Path) -> Fingerprint {
        contexts(&[context(root)], None).remove(0).unwrap()
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
        let found: Vec<_> = contexts(&[context(folder.path()), other, context(folder.path())], None);
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert!(Arc::ptr_eq(&found[0].files, &found[2].files));
        assert_ne!(found[0].files.digest(), found[1].files.digest(), "its rules are others");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_read_once_and_again_when_it_changes() {
        use std::os::unix::fs::FileExt as _;

        let folder = folder(&[("one", "its first words"), ("two", "second")]);
        let file = folder.path().join("one");
        let elsewhere = tempfile::tempdir().unwrap();
        let later = |seconds| Remembered {
            file: elsewhere.path().join("files"),
            began: time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds),
        };
        let digest =
            |seconds| contexts(&[context(folder.path())], Some(&later(seconds))).remove(0).unwrap().files.digest();
        let right = || one(folder.path()).files.digest();

        let first = digest(0);
        assert_eq!(first, right());
        assert!(!later(0).file.exists(), "it has just changed");
        assert_eq!(digest(9), first);
        let state = memory::State::of(&fs::metadata(&file).unwrap()).unwrap();
        assert!(Memory::open(&later(9)).of(&state).is_some());
        // What is remembered is what is told, so that it is seen not to be read again.
        Memory::default().keep(vec![(state, [7; 32])], 0, &later(9));
        assert_ne!(digest(9), first);

        // One byte, and the time of the bytes as it was: the inode's own time tells.
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        let open = fs::File::options().write(true).open(&file).unwrap();
        open.write_all_at(b"y", 5).unwrap();
        open.set_modified(modified).unwrap();
        drop(open);
        assert_eq!(digest(9), right());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let missing = Path::new("missing");
        let number = std::sync::OnceLock::new();
        let (hashes, _) =
            hashing::while_listing(1, false, |queue| number.set(queue.add(missing.to_owned(), 1)).unwrap());
        let files = vec![(0, *number.get().unwrap())];
        let content = Content::File { mode: Mode::reduced(0o644), sha256: [0; 32] };
        let entries = vec![(Box::from(&b"missing"[..]), content)];
        let listing = Listing { entries, files, ..Listing::default() };
        assert_eq!(finish(listing, &hashes).unwrap_err().path, missing);
    }
}
