//! The hashes of large files that earlier runs have read, so that a run after which nothing changed reads none of them
//! again.
//!
//! A file is taken to be what it was where its device, its inode, its size, and the times at which its bytes and its
//! inode last changed are the same to the nanosecond. That is how git's index knows unchanged files, with one thing more:
//! the time of the inode's change, which no program can set. A file that changed less than two seconds before the run began
//! is not remembered: it might change again within the same tick of the clock (git's documentation, "Racy Git"). A fresh
//! clone has new inodes, and nothing of it is known.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::effects::limited;

/// The smallest file that is remembered, in bytes: to read a smaller one takes no longer than to look it up.
pub(super) const LARGE: u64 = 64 * 1024;

/// How many files are remembered at most; beyond it those are forgotten that this run has not met.
const MOST: usize = 65_536;

/// How long a file must have been as it is when the run begins, in seconds.
const SETTLED: i64 = 2;

const MAGIC: &[u8] = b"longshore file hashes 1\n";

/// What tells one state of one file from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State([u64; 7]);

impl State {
    /// Of a file with this metadata; nothing where they do not tell, and of files that are not worth it.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        let [modified, modified_nanos, changed, changed_nanos] = times.map(i64::cast_unsigned);
        let state = [metadata.dev(), metadata.ino(), metadata.len(), modified, modified_nanos, changed, changed_nanos];
        (metadata.len() >= LARGE).then_some(State(state))
    }

    /// Elsewhere inodes and their times are not to be had.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// When its inode last changed, in seconds since 1970.
    fn changed(&self) -> i64 {
        self.0[5].cast_signed()
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.0.into_iter().flat_map(u64::to_le_bytes)
    }
}

/// The bytes of a record: seven numbers and a hash.
const RECORD: usize = 7 * 8 + 32;

/// Where hashes are remembered.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The file.
    pub file: PathBuf,
    /// When the run began.
    pub began: OffsetDateTime,
}

/// What is known of files.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<State, [u8; 32]>);

impl Memory {
    /// What is remembered. A memory that is missing, damaged or of another version is an empty one.
    pub(super) fn open(from: &Remembered) -> Self {
        let most = MAGIC.len() + 32 + MOST * RECORD;
        let bytes = limited::read(&from.file, most as u64).unwrap_or_default();
        Memory::read(&bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (sum, records) = bytes.strip_prefix(MAGIC)?.split_at_checked(32)?;
        if Sha256::digest(records).as_slice() != sum {
            return None;
        }
        let record = |record: &[u8]| {
            let (numbers, hash) = record.split_at(7 * 8);
            let mut state = [0; 7];
            for (number, bytes) in state.iter_mut().zip(numbers.chunks_exact(8)) {
                *number = u64::from_le_bytes(bytes.try_into().ok()?);
            }
            Some((State(state), hash.try_into().ok()?))
        };
        records.chunks_exact(RECORD).map(record).collect::<Option<_>>().map(Memory)
    }

    /// The SHA-256 of a file in this state, if it was ever read so.
    pub(super) fn of(&self, state: &State) -> Option<[u8; 32]> {
        self.0.get(state).copied()
    }

    /// Remembers what was read, and writes it down if that is anything new. `met` are the states that were looked up and
    /// found. That it cannot be written costs the next run its time, and nothing else.
    pub(super) fn keep(mut self, mut learned: Vec<(State, [u8; 32])>, met: &[State], to: &Remembered) {
        learned.retain(|(state, _)| state.changed().saturating_add(SETTLED) <= to.began.unix_timestamp());
        if learned.is_empty() {
            return;
        }
        if self.0.len() + learned.len() > MOST {
            let kept = met.iter().filter_map(|state| Some((*state, self.of(state)?)));
            self = Memory(kept.collect());
        }
        self.0.extend(learned);
        let _ = self.write(&to.file);
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let records = self.0.iter().take(MOST).flat_map(|(state, hash)| state.bytes().chain(*hash));
        let records: Vec<u8> = records.collect();
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut whole = tempfile::NamedTempFile::new_in(folder)?;
        for part in [MAGIC, &Sha256::digest(&records), &records] {
            whole.write_all(part)?;
        }
        whole.persist(file)?;
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u64) -> State {
        State([number, 1, LARGE, 3, 4, 5, 6])
    }

    fn at(file: PathBuf, began: i64) -> Remembered {
        Remembered { file, began: OffsetDateTime::from_unix_timestamp(began).unwrap() }
    }

    #[test]
    fn what_was_learned_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("longshore/files"), 100);
        Memory::open(&file).keep(vec![(state(1), [1; 32])], &[], &file);
        Memory::open(&file).keep(vec![(state(2), [2; 32])], &[state(1)], &file);
        let memory = Memory::open(&file);
        assert_eq!([1, 2, 3].map(|number| memory.of(&state(number))), [Some([1; 32]), Some([2; 32]), None]);
    }

    #[test]
    fn a_memory_that_is_damaged_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("files"), 100);
        Memory::open(&file).keep(vec![(state(1), [1; 32])], &[], &file);
        let whole = fs::read(&file.file).unwrap();
        for at in [0, MAGIC.len(), MAGIC.len() + 40, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(Memory::read(&damaged).is_none_or(|memory| memory.0.is_empty()), "{at}");
        }
        assert!(Memory::read(&whole[..whole.len() - 1]).is_none());
        assert_eq!(Memory::read(&whole).unwrap().0.len(), 1);
    }

    #[test]
    fn beyond_the_limit_those_are_forgotten_that_were_not_met() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("files"), 100);
        let many = (0..MOST as u64).map(|number| (state(number), [0; 32])).collect();
        Memory::default().keep(many, &[], &file);
        let memory = Memory::open(&file);
        assert_eq!(memory.0.len(), MOST);
        memory.keep(vec![(state(u64::MAX), [9; 32])], &[state(7)], &file);
        assert_eq!(Memory::open(&file).0.len(), 2);
    }

    #[test]
    fn what_had_just_changed_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        for (began, expected) in [(6, 0), (7, 1)] {
            let to = at(folder.path().join("files"), began);
            Memory::default().keep(vec![(state(1), [1; 32])], &[], &to);
            assert_eq!(Memory::open(&to).0.len(), expected, "it changed at 5");
        }
    }
}
