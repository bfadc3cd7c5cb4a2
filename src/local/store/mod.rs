//! What the registry holds, on disk and in memory. It survives a crash at any moment: every file is written beside
//! its final name and renamed into place, and what is referred to comes before what refers to it.

mod blobs;
mod files;
mod images;
mod index;
mod manifest;
mod repository;
mod uploads;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use files::write_atomically;
pub use images::{Put, image_not_found};
pub use index::{Image, Index};
pub use manifest::{MAX_LENGTH as MAX_MANIFEST_LENGTH, Manifest, OCI_INDEX};
pub use repository::{Encryption, Repository, RepositorySettings};
pub use uploads::{Upload, Uploads};

use crate::local::refusal::{Named, Refusal};
use crate::names::{AccountId, Digest, RepositoryName};
use blobs::Blobs;

/// All repositories of one registry.
pub struct Store {
    registry_id: AccountId,
    repositories_folder: PathBuf,
    graves: PathBuf,
    blobs: Arc<Blobs>,
    repositories: RwLock<BTreeMap<RepositoryName, Arc<Repository>>>,
    /// Layers on their way in.
    pub uploads: Uploads,
}

impl Store {
    /// Reads a folder back, or begins with an empty one.
    pub fn open(folder: &Path, registry_id: AccountId) -> io::Result<Self> {
        let repositories_folder = folder.join("repositories");
        let graves = folder.join("deleted");
        fs::create_dir_all(&repositories_folder)?;
        files::empty_folder(&graves)?;
        let blobs = Arc::new(Blobs::open(folder.join("blobs"))?);
        let uploads = Uploads::open(folder.join("uploads"))?;
        let mut repositories = BTreeMap::new();
        for name in files::names(&repositories_folder)? {
            let folder = repositories_folder.join(name);
            match Repository::open(folder.clone(), registry_id.clone(), Arc::clone(&blobs))? {
                Some(repository) => {
                    repositories.insert(repository.named.name.clone(), Arc::new(repository));
                }
                None => fs::remove_dir_all(folder)?,
            }
        }
        blobs.sweep()?;
        Ok(Store { registry_id, repositories_folder, graves, blobs, repositories: RwLock::new(repositories), uploads })
    }

    /// The repository with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn repository(&self, name: &RepositoryName) -> Result<Arc<Repository>, Refusal> {
        let repositories = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        repositories.get(name).cloned().ok_or_else(|| self.named(name).missing())
    }

    /// All repositories by name.
    pub fn repositories(&self) -> Vec<Arc<Repository>> {
        let repositories = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        repositories.values().cloned().collect()
    }

    /// Makes a repository.
    ///
    /// # Errors
    /// If there is one of that name.
    pub fn create(&self, settings: RepositorySettings) -> Result<Arc<Repository>, Refusal> {
        let mut repositories = self.repositories.write().unwrap_or_else(PoisonError::into_inner);
        let name = settings.name.clone();
        if repositories.contains_key(&name) {
            return Err(self.named(&name).taken());
        }
        // A name may be longer than a file's name can be, and its slashes are not folders: `a` and `a/b` both exist.
        let folder = self.repositories_folder.join(Digest::of(name.as_str().as_bytes()).hex());
        let repository =
            Repository::create(folder, self.registry_id.clone(), settings, Arc::clone(&self.blobs)).map(Arc::new)?;
        repositories.insert(name, Arc::clone(&repository));
        Ok(repository)
    }

    /// Removes a repository with all that is in it.
    ///
    /// # Errors
    /// If it is not there, or holds images and `force` is not given.
    pub fn delete(&self, name: &RepositoryName, force: bool) -> Result<RepositorySettings, Refusal> {
        let mut repositories = self.repositories.write().unwrap_or_else(PoisonError::into_inner);
        let repository = repositories.get(name).ok_or_else(|| self.named(name).missing())?;
        let grave = tempfile::Builder::new().tempdir_in(&self.graves)?;
        let settings = repository.bury(&grave.path().join("repository"), force)?;
        repositories.remove(name);
        Ok(settings)
    }

    fn named(&self, name: &RepositoryName) -> Named {
        Named { registry_id: self.registry_id.clone(), name: name.clone() }
    }
}
