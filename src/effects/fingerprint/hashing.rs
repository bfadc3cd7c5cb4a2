//! Files are hashed while others are still being found.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::memory::{Memory, State};
use crate::effects::context::ContextError;
use crate::effects::program;

/// How much of a file is in memory at once, for each thread.
const BUFFER: usize = 128 * 1024;

/// How many files may wait to be hashed.
const WAITING: usize = 1024;

type Hash = Result<[u8; 32], ContextError>;

/// Takes files to be hashed.
pub(super) struct Queue<'a> {
    numbers: &'a Mutex<Numbers>,
    files: SyncSender<(usize, PathBuf)>,
}

/// Gives each file a number, however many contexts hold it.
struct Numbers {
    next: usize,
    /// Paths are kept only where they can come again.
    known: Option<HashMap<PathBuf, usize>>,
}

impl Queue<'_> {
    /// Has a file hashed, unless it is already. Waits while too many are in the queue.
    pub(super) fn add(&self, path: PathBuf) -> usize {
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
        // The queue outlives all who add to it.
        let _ = self.files.send((number, path));
        number
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

/// Runs `list` on so many threads, and hashes what they find on as many as there are cores, unless the memory has it.
/// `repeats` says whether a file may be found more than once.
pub(super) fn while_listing(
    listers: usize,
    repeats: bool,
    memory: &Memory,
    list: impl Fn(&Queue<'_>) + Sync,
) -> (Hashes, News) {
    let numbers = Mutex::new(Numbers { next: 0, known: repeats.then(HashMap::new) });
    let (files, waiting) = sync_channel(WAITING);
    let waiting = Mutex::new(waiting);
    let parts: Vec<Hashed> = std::thread::scope(|scope| {
        let hashing: Vec<_> = (0..program::cores()).map(|_| scope.spawn(|| hash_waiting(&waiting, memory))).collect();
        for _ in 0..listers {
            let queue = Queue { numbers: &numbers, files: files.clone() };
            let list = &list;
            scope.spawn(move || list(&queue));
        }
        drop(files);
        hashing.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let count = parts.iter().map(|part| part.done.len() + part.failed.len()).sum();
    let mut hashes = Hashes { all: vec![[0; 32]; count], failed: HashMap::new() };
    let mut news = News::default();
    for part in parts {
        news.learned.extend(part.news.learned);
        news.met.extend(part.news.met);
        for (number, sha256) in part.done {
            hashes.all[number] = sha256;
        }
        hashes.failed.extend(part.failed);
    }
    (hashes, news)
}

/// What came of looking into a memory.
#[derive(Default)]
pub(super) struct News {
    /// What it did not have.
    pub(super) learned: Vec<(State, [u8; 32])>,
    /// What it had.
    pub(super) met: Vec<State>,
}

/// What one thread hashed.
#[derive(Default)]
struct Hashed {
    done: Vec<(usize, [u8; 32])>,
    failed: Vec<(usize, ContextError)>,
    news: News,
}

fn hash_waiting(waiting: &Mutex<Receiver<(usize, PathBuf)>>, memory: &Memory) -> Hashed {
    let mut buffer = vec![0; BUFFER];
    let mut hashed = Hashed::default();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, path)) = next else { return hashed };
        match recall(&path, memory, &mut hashed.news, &mut buffer) {
            Ok(sha256) => hashed.done.push((number, sha256)),
            Err(error) => hashed.failed.push((number, error)),
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

fn recall(path: &Path, memory: &Memory, news: &mut News, buffer: &mut [u8]) -> Hash {
    recall_or_read(path, memory, news, buffer).map_err(|error| ContextError::new(path, &error))
}

fn recall_or_read(path: &Path, memory: &Memory, news: &mut News, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let Some(before) = State::of(&file.metadata()?) else { return read(&mut file, buffer) };
    if let Some(known) = memory.of(&before) {
        news.met.push(before);
        return Ok(known);
    }
    let hash = read(&mut file, buffer)?;
    if State::of(&file.metadata()?) == Some(before) {
        news.learned.push((before, hash));
    }
    Ok(hash)
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
