//! The bytes of layers and configurations, once each, whichever repositories they belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::local::store::files;
use crate::names::Digest;

/// A folder of files named by their content. A file stays for as long as a repository counts it as its own.
pub struct Blobs {
    folder: PathBuf,
    owners: Mutex<HashMap<Digest, usize>>,
}

impl Blobs {
    /// The blobs in this folder; none has an owner yet.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Blobs { folder, owners: Mutex::default() })
    }

    /// Where a blob's bytes are, if they are there.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.hex())
    }

    /// Counts one more owner of a blob that is there, and returns its size in bytes.
    pub fn claim(&self, digest: &Digest) -> io::Result<u64> {
        let mut owners = self.owners();
        let size = fs::metadata(self.path(digest))?.len();
        *owners.entry(digest.clone()).or_default() += 1;
        Ok(size)
    }

    /// Moves a finished, durable file to its place, with one more owner.
    pub fn adopt(&self, file: &Path, digest: &Digest) -> io::Result<()> {
        let mut owners = self.owners();
        fs::rename(file, self.path(digest))?;
        files::sync_folder(&self.folder)?;
        *owners.entry(digest.clone()).or_default() += 1;
        Ok(())
    }

    /// Counts one owner less; the last one takes the file along.
    pub fn release(&self, digest: &Digest) -> io::Result<()> {
        let mut owners = self.owners();
        let Entry::Occupied(mut count) = owners.entry(digest.clone()) else { return Ok(()) };
        *count.get_mut() -= 1;
        if *count.get() > 0 {
            return Ok(());
        }
        count.remove();
        files::remove(&self.path(digest))
    }

    /// Removes what has no owner: what a crash left between two steps.
    pub fn sweep(&self) -> io::Result<()> {
        let owners = self.owners();
        for name in files::names(&self.folder)? {
            let owned = format!("sha256:{name}").parse::<Digest>().is_ok_and(|digest| owners.contains_key(&digest));
            if !owned {
                files::remove(&self.folder.join(name))?;
            }
        }
        Ok(())
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<Digest, usize>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_lives_as_long_as_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("blobs")).unwrap();
        let digest = Digest::of(b"bytes");
        let upload = folder.path().join("upload");
        assert!(blobs.claim(&digest).is_err());
        fs::write(&upload, b"bytes").unwrap();
        blobs.adopt(&upload, &digest).unwrap();
        assert_eq!(blobs.claim(&digest).unwrap(), 5);
        blobs.release(&digest).unwrap();
        assert!(blobs.path(&digest).exists());
        blobs.release(&digest).unwrap();
        assert!(!blobs.path(&digest).exists());
    }

    #[test]
    fn orphans_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_owned()).unwrap();
        let (owned, orphan) = (Digest::of(b"owned"), Digest::of(b"orphan"));
        fs::write(blobs.path(&owned), b"owned").unwrap();
        fs::write(blobs.path(&orphan), b"orphan").unwrap();
        blobs.claim(&owned).unwrap();
        blobs.sweep().unwrap();
        assert!(blobs.path(&owned).exists());
        assert!(!blobs.path(&orphan).exists());
    }
}
