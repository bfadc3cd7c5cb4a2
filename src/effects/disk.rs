//! How much room is left.

use std::path::Path;

/// The bytes that are free to everybody on the disk that a folder is on, where the system tells.
#[cfg(unix)]
pub fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The bytes that are free to everybody on the disk that a folder is on, where the system tells.
#[cfg(not(unix))]
pub fn free(_: &Path) -> Option<u64> {
    None
}
