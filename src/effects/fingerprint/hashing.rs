//! Files are hashed while others are still being found.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::memory::State;
use crate::effects::context::ContextError;
use crate::effects::program;

/// How much of a file is in memory at once, for each thread.
const BUFFER: usize = 128 * 1024;

/// How many files are handed over at once, and how many bytes they have: few of them when they are large, so that all
/// threads have a part.
const BATCH: usize = 64;
const BATCH_BYTES: u64 = 1024 * 1024;

/// How many batches may wait to be hashed.
const WAITING: usize = 16;

type Batch = Vec<(usize, PathBuf)>;

type Hash = Result<[u8; 32], ContextError>;

/// Takes files to be hashed.
pub(super) struct Queue<'a> {
    numbers: &'a Mutex<Numbers>,
    files: SyncSender<Batch>,
    /// What goes next, and its bytes.
    next: RefCell<(Batch, u64)>,
}

/// Gives each file a number, however many contexts hold it.
struct Numbers {
    next: usize,
    /// Paths are kept only where they can come again.
    known: Option<HashMap<PathBuf, usize>>,
}

impl Queue<'_> {
    /// Has a file of so many bytes hashed, unless it is already. Waits while too many are in the queue.
    pub(super) fn add(&self, path: PathBuf, bytes: u64) -> usize {
        let number = {
            let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = numbers.known.as_ref().and_then(|known| known.get(&path)) {
                return *known;
            }
            let number = numbers.next;
            numbers.next += 1;
            if let Some(known) = &mut numbers.known {
                known.insert(path.clone(), number);
            }
            number
        };
        let is_full = {
            let (batch, size) = &mut *self.next.borrow_mut();
            batch.push((number, path));
            *size += bytes;
            batch.len() >= BATCH || *size >= BATCH_BYTES
        };
        if is_full {
            self.hand_over();
        }
        number
    }

    fn hand_over(&self) {
        let (batch, _) = self.next.take();
        // The queue outlives all who add to it.
        let _ = self.files.send(batch);
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        self.hand_over();
    }
}

/// The hashes of files, by their numbers.
pub(super) struct Hashes {
    all: Vec<[u8; 32]>,
    failed: HashMap<usize, ContextError>,
}

impl Hashes {
    /// The hash of one.
    ///
    /// # Errors
    /// If it could not be read.
    pub(super) fn of(&self, number: usize) -> Hash {
        match self.failed.get(&number) {
            Some(error) => Err(error.clone()),
            None => Ok(self.all[number]),
        }
    }
}

/// Runs `list` on so many threads, and hashes what they find on as many as there are cores. `repeats` says whether a file
/// may be found more than once. With the hashes comes what may be remembered of them.
pub(super) fn while_listing(
    listers: usize,
    repeats: bool,
    list: impl Fn(&Queue<'_>) + Sync,
) -> (Hashes, Vec<(State, [u8; 32])>) {
    let numbers = Mutex::new(Numbers { next: 0, known: repeats.then(HashMap::new) });
    let (files, waiting) = sync_channel(WAITING);
    let waiting = Mutex::new(waiting);
    let parts: Vec<Hashed> = std::thread::scope(|scope| {
        let hashing: Vec<_> = (0..program::cores()).map(|_| scope.spawn(|| hash_waiting(&waiting))).collect();
        for _ in 0..listers {
            let queue = Queue { numbers: &numbers, files: files.clone(), next: RefCell::default() };
            let list = &list;
            scope.spawn(move || list(&queue));
        }
        drop(files);
        hashing.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let count = parts.iter().map(|part| part.done.len() + part.failed.len()).sum();
    let mut hashes = Hashes { all: vec![[0; 32]; count], failed: HashMap::new() };
    let mut learned = Vec::new();
    for part in parts {
        learned.extend(part.learned);
        for (number, sha256) in part.done {
            hashes.all[number] = sha256;
        }
        hashes.failed.extend(part.failed);
    }
    (hashes, learned)
}

/// What one thread hashed.
#[derive(Default)]
struct Hashed {
    done: Vec<(usize, [u8; 32])>,
    failed: Vec<(usize, ContextError)>,
    /// The states in which files were all the time that they were read.
    learned: Vec<(State, [u8; 32])>,
}

fn hash_waiting(waiting: &Mutex<Receiver<Batch>>) -> Hashed {
    let mut buffer = vec![0; BUFFER];
    let mut hashed = Hashed::default();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = next else { return hashed };
        for (number, path) in batch {
            match learn(&path, &mut buffer) {
                Ok((sha256, state)) => {
                    hashed.done.push((number, sha256));
                    hashed.learned.extend(state.map(|state| (state, sha256)));
                }
                Err(error) => hashed.failed.push((number, ContextError::new(&path, &error))),
            }
        }
    }
}

/// The SHA-256 of one file's bytes.
///
/// # Errors
/// If it cannot be read.
pub(super) fn one(path: &Path) -> Hash {
    let read = File::open(path).and_then(|mut file| read(&mut file, &mut vec![0; BUFFER]));
    read.map_err(|error| ContextError::new(path, &error))
}

/// The hash, and the state that the file was in before and after.
fn learn(path: &Path, buffer: &mut [u8]) -> io::Result<([u8; 32], Option<State>)> {
    let mut file = File::open(path)?;
    let before = State::of(&file.metadata()?);
    let hash = read(&mut file, buffer)?;
    let after = State::of(&file.metadata()?);
    Ok((hash, before.filter(|_| before == after)))
}

fn read(file: &mut File, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
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
