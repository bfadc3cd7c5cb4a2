//! What of a file's metadata goes to the builder: what git keeps of it, so that every checkout of a commit gives the same
//! layers.
//!
//! - The mode is `0755` for folders and for files that their owner may execute, and `0644` for other files: git keeps no
//!   more, and the rest comes from the umask of whoever checked out. The content key sees it so, too. Set-id and sticky
//!   bits of files come from nobody but a `chmod`, so they stay.
//! - The time is that of the commit, where there is one. A checkout gives its files the time at which it was made.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::UNIX_EPOCH;

/// Sources of times, in seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Times {
    /// Each file's own.
    #[default]
    Own,
    /// One for all of them.
    Set(i64),
}

impl Times {
    /// The time of a file, in whole seconds.
    pub fn seconds(self, metadata: &Metadata) -> i64 {
        match self {
            Times::Own => own(metadata) / NANOS,
            Times::Set(seconds) => seconds,
        }
    }

    /// The time of a file, in nanoseconds.
    ///
    /// A daemon that keeps the files of an earlier build asks again only for those whose time or size is another. So where
    /// the second is set, the part below it stands for the state of the file: it changes whenever the file was touched.
    /// No layer holds it, since archives of layers have whole seconds.
    pub fn nanoseconds(self, metadata: &Metadata) -> i64 {
        match self {
            Times::Own => own(metadata),
            Times::Set(seconds) => seconds.saturating_mul(NANOS).saturating_add(state(metadata)),
        }
    }
}

const NANOS: i64 = 1_000_000_000;

fn own(metadata: &Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}

/// A number below a thousand million that another state of the file hardly has.
fn state(metadata: &Metadata) -> i64 {
    let mut hasher = DefaultHasher::new();
    (own(metadata), metadata.len()).hash(&mut hasher);
    changed(metadata, &mut hasher);
    i64::try_from(hasher.finish() % NANOS.unsigned_abs()).unwrap_or_default()
}

/// Tools that copy a file may give it its old time; this one cannot be set.
#[cfg(unix)]
fn changed(metadata: &Metadata, hasher: &mut DefaultHasher) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()).hash(hasher);
}

#[cfg(not(unix))]
fn changed(_: &Metadata, _: &mut DefaultHasher) {}

/// The mode of a file, folder or link, as far as it is sent: permissions, set-id and sticky bits.
pub fn mode(metadata: &Metadata) -> u32 {
    if metadata.is_symlink() {
        return 0o777;
    }
    if metadata.is_dir() {
        return 0o755;
    }
    let mode = unix_mode(metadata);
    (mode & 0o7000) | if mode & 0o100 == 0 { 0o644 } else { 0o755 }
}

#[cfg(unix)]
fn unix_mode(metadata: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata)
}

/// Where files have no mode, the content key says the same.
#[cfg(not(unix))]
fn unix_mode(_: &Metadata) -> u32 {
    0o644
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::Duration;

    #[test]
    fn modes_are_those_that_git_keeps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let sent = |bits| {
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            mode(&fs::symlink_metadata(&path).unwrap())
        };
        let found = [0o600, 0o664, 0o700, 0o711, 0o4755, 0o1666].map(sent);
        assert_eq!(found, [0o644, 0o644, 0o755, 0o755, 0o4755, 0o1644]);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o2700)).unwrap();
        assert_eq!(mode(&fs::symlink_metadata(folder.path()).unwrap()), 0o755);
        symlink("file", folder.path().join("link")).unwrap();
        assert_eq!(mode(&fs::symlink_metadata(folder.path().join("link")).unwrap()), 0o777);
    }

    #[test]
    fn a_set_time_tells_states_of_a_file_apart_below_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let state = |text: &str, time: u64| {
            fs::write(&path, text).unwrap();
            let time = UNIX_EPOCH + Duration::from_secs(time);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            fs::metadata(&path).unwrap()
        };
        let first = state("a", 7);
        assert_eq!((Times::Own.seconds(&first), Times::Own.nanoseconds(&first)), (7, 7 * NANOS));
        let second = state("b", 8);
        let [one, other] = [&first, &second].map(|metadata| Times::Set(1000).nanoseconds(metadata));
        assert_eq!((one / NANOS, other / NANOS), (1000, 1000));
        assert_ne!(one, other);
        assert_eq!(one, Times::Set(1000).nanoseconds(&first));
        assert_eq!(Times::Set(1000).seconds(&second), 1000);
    }
}
