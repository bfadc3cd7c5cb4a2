//! Layers on their way in: bytes go to a file as they come, and are hashed on the way.

use std::collections::HashMap;
use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::Digest as _;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};

use crate::local::store::files;
use crate::names::{Digest, RepositoryName};

/// How much is gathered before it goes to the file, in bytes.
const BUFFER: usize = 1024 * 1024;

/// All uploads that were begun and neither finished nor given up. They do not survive a restart.
pub struct Uploads {
    folder: PathBuf,
    open: Mutex<HashMap<String, Open>>,
}

#[derive(Clone)]
struct Open {
    repository: RepositoryName,
    upload: Arc<tokio::sync::Mutex<Upload>>,
}

impl Uploads {
    /// No uploads; what the folder holds of former ones is removed.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        files::empty_folder(&folder)?;
        Ok(Uploads { folder, open: Mutex::default() })
    }

    /// Begins an upload to a repository.
    pub async fn begin(&self, id: String, repository: RepositoryName) -> io::Result<()> {
        let upload = Upload::create(self.folder.join(&id)).await?;
        self.table().insert(id, Open { repository, upload: Arc::new(tokio::sync::Mutex::new(upload)) });
        Ok(())
    }

    /// The upload with this id to this repository.
    pub fn find(&self, id: &str, repository: &RepositoryName) -> Option<Arc<tokio::sync::Mutex<Upload>>> {
        self.table().get(id).filter(|open| open.repository == *repository).map(|open| Arc::clone(&open.upload))
    }

    /// Forgets an upload; its file goes with the last one who uses it.
    pub fn forget(&self, id: &str) {
        self.table().remove(id);
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One upload. What was taken in counts, even if the request that brought it broke off.
pub struct Upload {
    path: PathBuf,
    file: BufWriter<File>,
    hash: sha2::Sha256,
    length: u64,
    /// In the order in which they came, in bytes; see [`Upload::end_part`].
    parts: Parts,
}

/// What is remembered of the parts of an upload.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// The length of all parts but the one under way, in bytes.
    pub ended_at: u64,
    /// The length of the first part, in bytes.
    pub first: Option<u64>,
    /// The shortest part that another one followed, in bytes.
    pub shortest_inner: Option<u64>,
    last: Option<u64>,
}

impl Upload {
    async fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::create_new(&path).await?;
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Upload { path, file, hash: sha2::Sha256::new(), length: 0, parts: Parts::default() })
    }

    /// How many bytes were taken in.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The parts so far.
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// Takes in the next bytes. Safe to give up half way: the hash, the length and the file go in step.
    pub async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let taken = self.file.write(bytes).await?;
            self.hash.update(&bytes[..taken]);
            self.length += taken as u64;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Says that a part is over.
    pub fn end_part(&mut self) {
        let part = self.length - self.parts.ended_at;
        if let Some(inner) = self.parts.last.replace(part) {
            self.parts.shortest_inner = Some(self.parts.shortest_inner.map_or(inner, |shortest| shortest.min(inner)));
        }
        self.parts.first.get_or_insert(part);
        self.parts.ended_at = self.length;
    }

    /// Makes the bytes durable and returns where they are and their digest.
    pub async fn finish(&mut self) -> io::Result<(PathBuf, Digest)> {
        self.file.flush().await?;
        // A failed write shows up in the next call to the file; the position tells whether one was lost.
        if self.file.get_mut().seek(SeekFrom::End(0)).await? != self.length {
            return Err(io::Error::other("the upload's file is shorter than what was sent"));
        }
        self.file.get_ref().sync_data().await?;
        Ok((self.path.clone(), Digest::from_sha256(self.hash.clone().finalize().into())))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Gone already if it became a blob; otherwise the next start removes what stays.
        let _ = files::remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_hashed_on_their_way_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path().join("uploads")).unwrap();
        let (name, other) = ("web".parse().unwrap(), "api".parse().unwrap());
        uploads.begin("id".into(), name).await.unwrap();
        assert!(uploads.find("id", &other).is_none());
        let upload = uploads.find("id", &"web".parse().unwrap()).unwrap();
        let mut upload = upload.lock_owned().await;
        for part in [&b"first"[..], b"2nd", b"third"] {
            upload.write(part).await.unwrap();
            upload.end_part();
        }
        assert_eq!((upload.parts().first, upload.parts().shortest_inner), (Some(5), Some(3)));
        let (path, digest) = upload.finish().await.unwrap();
        assert_eq!(digest, Digest::of(b"first2ndthird"));
        assert_eq!(std::fs::read(&path).unwrap(), b"first2ndthird");
        uploads.forget("id");
        assert!(path.exists());
        drop(upload);
        assert!(!path.exists());
    }
}
