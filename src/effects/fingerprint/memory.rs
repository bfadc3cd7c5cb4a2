//! The hashes of files that earlier runs in the same checkout have read, so that a run after which nothing changed reads
//! none of them again.
//!
//! A file is taken to be what it was where its device, its inode, its size, and the times at which its bytes and its
//! inode last changed are the same to the nanosecond. That is how git's index knows unchanged files, with one thing more:
//! the time of the inode's change, which no program can set. A file that changed less than two seconds before the run began
//! is not remembered: it might change again within the same tick of the clock (git's documentation, "Racy Git"). A fresh
//! clone has new inodes, and nothing of it is known.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::effects::limited;

/// How many files of a checkout are remembered at most.
const MOST: usize = 131_072;

/// After which time without a change the memory of a checkout is removed; it is likely gone.
const FORGOTTEN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a file must have been as it is when the run begins, in seconds.
const SETTLED: i64 = 2;

const MAGIC: &[u8] = b"longshore file hashes 1\n";

/// What tells one state of one file from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State([u64; 7]);

impl State {
    /// Of a file with this metadata; nothing where they do not tell.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        let [modified, modified_nanos, changed, changed_nanos] = times.map(i64::cast_unsigned);
        let (device, inode) = (metadata.dev(), metadata.ino());
        Some(State([device, inode, metadata.len(), modified, modified_nanos, changed, changed_nanos]))
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
}

/// The bytes of a record: seven numbers and a hash.
const RECORD: usize = 7 * 8 + 32;

/// Where hashes are remembered.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The file, which shares its folder with those of other checkouts and with nothing else.
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

    /// Remembers what was read, and writes it down if that is anything new. `met` is how many files were known already.
    /// That it cannot be written costs the next run its time, and nothing else.
    pub(super) fn keep(mut self, mut learned: Vec<(State, [u8; 32])>, met: usize, to: &Remembered) {
        learned.retain(|(state, _)| state.changed().saturating_add(SETTLED) <= to.began.unix_timestamp());
        if learned.is_empty() {
            return;
        }
        // Most of it is of files that are something else by now.
        if self.0.len() + learned.len() > MOST && met < self.0.len() / 2 {
            self.0.clear();
        }
        learned.truncate(MOST.saturating_sub(self.0.len()));
        self.0.extend(learned);
        if self.write(&to.file).is_ok() {
            forget_others(&to.file);
        }
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let whole = tempfile::NamedTempFile::new_in(folder)?;
        let mut sum = Sha256::new();
        self.records().for_each(|record| sum.update(record));
        let mut writer = BufWriter::new(whole.as_file());
        writer.write_all(MAGIC)?;
        writer.write_all(&sum.finalize())?;
        self.records().try_for_each(|record| writer.write_all(&record))?;
        writer.flush()?;
        drop(writer);
        whole.persist(file)?;
        Ok(())
    }

    fn records(&self) -> impl Iterator<Item = [u8; RECORD]> {
        self.0.iter().map(|(state, hash)| {
            let mut record = [0; RECORD];
            let (numbers, place) = record.split_at_mut(RECORD - hash.len());
            for (bytes, number) in numbers.chunks_exact_mut(8).zip(state.0) {
                bytes.copy_from_slice(&number.to_le_bytes());
            }
            place.copy_from_slice(hash);
            record
        })
    }
}

/// Removes the memories of checkouts in which nothing was learned for long.
fn forget_others(file: &Path) {
    let others = file.parent().and_then(|folder| fs::read_dir(folder).ok());
    for other in others.into_iter().flatten().flatten() {
        let age = other.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            // Another run may have done it.
            let _ = fs::remove_file(other.path());
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u64) -> State {
        State([number, 1, 2, 3, 4, 5, 6])
    }

    fn at(file: PathBuf, began: i64) -> Remembered {
        Remembered { file, began: OffsetDateTime::from_unix_timestamp(began).unwrap() }
    }

    #[test]
    fn what_was_learned_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("longshore/files"), 100);
        Memory::open(&file).keep(vec![(state(1), [1; 32])], 0, &file);
        Memory::open(&file).keep(vec![(state(2), [2; 32])], 1, &file);
        let memory = Memory::open(&file);
        assert_eq!([1, 2, 3].map(|number| memory.of(&state(number))), [Some([1; 32]), Some([2; 32]), None]);
    }

    #[test]
    fn a_memory_that_is_damaged_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("files"), 100);
        Memory::open(&file).keep(vec![(state(1), [1; 32])], 0, &file);
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
    fn beyond_the_limit_nothing_more_is_learned_unless_most_is_out_of_date() {
        let folder = tempfile::tempdir().unwrap();
        let file = at(folder.path().join("files"), 100);
        let many = || (0..MOST as u64 + 9).map(|number| (state(number), [0; 32])).collect();
        Memory::default().keep(many(), 0, &file);
        assert_eq!(Memory::open(&file).0.len(), MOST);
        Memory::open(&file).keep(vec![(state(u64::MAX), [9; 32])], MOST, &file);
        assert_eq!((Memory::open(&file).0.len(), Memory::open(&file).of(&state(u64::MAX))), (MOST, None));
        Memory::open(&file).keep(vec![(state(u64::MAX), [9; 32])], 7, &file);
        assert_eq!(Memory::open(&file).0.len(), 1);
    }

    #[test]
    fn checkouts_that_are_gone_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        let young = folder.path().join("young");
        for (path, age) in [(&old, FORGOTTEN + Duration::from_secs(60)), (&young, Duration::from_secs(60))] {
            let file = fs::File::create(path).unwrap();
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
        }
        Memory::default().keep(vec![(state(1), [1; 32])], 0, &at(folder.path().join("own"), 100));
        assert_eq!((old.exists(), young.exists()), (false, true));
    }

    #[test]
    fn what_had_just_changed_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        for (began, expected) in [(6, 0), (7, 1)] {
            let to = at(folder.path().join("files"), began);
            Memory::default().keep(vec![(state(1), [1; 32])], 0, &to);
            assert_eq!(Memory::open(&to).0.len(), expected, "it changed at 5");
        }
    }
}
