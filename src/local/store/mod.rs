//! What the registry holds, on disk and in memory. It survives a crash at any moment: every file is written beside
//! its final name and renamed into place, and what is referred to comes before what refers to it.

mod blobs;
mod files;
mod images;
mod index;
mod kept;
mod manifest;
mod repository;
mod uploads;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use files::write_atomically;
pub use images::{Put, image_not_found};
pub use index::{Image, Index};
pub use kept::Kept;
pub use manifest::{MAX_LENGTH as MAX_MANIFEST_LENGTH, Manifest, OCI_INDEX};
pub use repository::{Contents, Encryption, Preview, Repository, RepositorySettings};
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

    /// All repositories in the order of their names, beginning with this one.
    pub fn repositories_from(&self, first: Option<&RepositoryName>) -> Vec<Arc<Repository>> {
        let repositories = self.repositories.read().unwrap_or_else(PoisonError::into_inner);
        let start = first.map_or(Bound::Unbounded, Bound::Included);
        repositories.range((start, Bound::Unbounded)).map(|(_, repository)| Arc::clone(repository)).collect()
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
        // Dropped, and so emptied, after the lock is free again: that may take a while.
        let grave = tempfile::Builder::new().tempdir_in(&self.graves)?;
        let mut repositories = self.repositories.write().unwrap_or_else(PoisonError::into_inner);
        let repository = repositories.get(name).ok_or_else(|| self.named(name).missing())?;
        let settings = repository.bury(&grave.path().join("repository"), force)?;
        repositories.remove(name);
        Ok(settings)
    }

    fn named(&self, name: &RepositoryName) -> Named {
        Named { registry_id: self.registry_id.clone(), name: name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::local::clock::Timestamp;
    use crate::local::mutability::Mutability;
    use crate::local::refusal::Kind;
    use crate::names::Tag;

    struct Bed {
        folder: tempfile::TempDir,
        store: Store,
    }

    impl Bed {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            Bed { store, folder }
        }

        fn reopened(self) -> Self {
            Bed { store: open(self.folder.path()), folder: self.folder }
        }

        fn create(&self, name: &str) -> Arc<Repository> {
            let settings = RepositorySettings {
                name: name.parse().unwrap(),
                created_at: now(),
                mutability: Mutability::default(),
                scan_on_push: false,
                encryption: Encryption { encryption_type: "AES256".into(), kms_key: None },
                resource_tags: BTreeMap::new(),
                policy: None,
                lifecycle_policy: None,
            };
            self.store.create(settings).unwrap()
        }

        fn repository(&self, name: &str) -> Arc<Repository> {
            self.store.repository(&name.parse().unwrap()).unwrap()
        }

        fn layer(&self, repository: &Repository, text: &str) {
            let file = self.folder.path().join("uploads").join(text);
            fs::write(&file, text).unwrap();
            repository.add_layer(&file, &Digest::of(text.as_bytes()), text.len() as u64).unwrap();
        }

        fn image(&self, repository: &Repository, tag: &str, layer: &str) -> Digest {
            self.layer(repository, layer);
            let descriptor = json!({ "mediaType": "x", "digest": Digest::of(layer.as_bytes()), "size": layer.len() });
            let media_type = "application/vnd.oci.image.manifest.v1+json";
            let manifest = json!({ "schemaVersion": 2, "config": descriptor, "layers": [descriptor] }).to_string();
            let tag: Tag = tag.parse().unwrap();
            let put = Put { bytes: manifest.as_bytes(), media_type: Some(media_type), tag: Some(&tag), digest: None };
            repository.put_image(&put, now()).unwrap().digest
        }

        fn blobs(&self) -> usize {
            fs::read_dir(self.folder.path().join("blobs")).unwrap().count()
        }
    }

    fn open(folder: &Path) -> Store {
        Store::open(folder, "123456789012".parse().unwrap()).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    #[test]
    fn everything_is_read_back() {
        let bed = Bed::new();
        let repository = bed.create("web");
        bed.create("web/a");
        let digest = bed.image(&repository, "V1", "layer");
        let before = repository.lock().index.image(&digest).cloned();
        let bed = bed.reopened();
        let repository = bed.repository("web");
        assert_eq!(repository.lock().index.image(&digest).cloned(), before);
        assert_eq!(repository.lock().index.layer(&Digest::of(b"layer")), Some(5));
        let names = |store: &Store, first: Option<&RepositoryName>| -> Vec<String> {
            store.repositories_from(first).iter().map(|repository| repository.named.name.to_string()).collect()
        };
        assert_eq!(names(&bed.store, None), ["web", "web/a"]);
        assert_eq!(names(&bed.store, Some(&"web.x".parse().unwrap())), ["web/a"]);
    }

    #[test]
    fn what_a_crash_leaves_is_not_seen() {
        let bed = Bed::new();
        let repository = bed.create("web");
        bed.image(&repository, "1", "layer");
        let root = bed.folder.path();
        let orphan = root.join("blobs").join(Digest::of(b"never marked").hex());
        fs::write(&orphan, "never marked").unwrap();
        fs::write(repository.folder().join("tags/.half"), "sha2").unwrap();
        fs::write(repository.folder().join("layers").join(Digest::of(b"no blob").hex()), "").unwrap();
        fs::write(root.join("uploads/half"), "half").unwrap();
        fs::create_dir_all(root.join("repositories/without-settings/tags")).unwrap();
        fs::create_dir_all(root.join("deleted/x/repository")).unwrap();
        let bed = bed.reopened();
        assert!(!orphan.exists());
        assert!(!bed.folder.path().join("uploads/half").exists());
        assert!(!bed.folder.path().join("deleted/x").exists());
        assert_eq!(bed.store.repositories_from(None).len(), 1);
        let repository = bed.repository("web");
        assert_eq!(repository.lock().index.layer(&Digest::of(b"no blob")), None);
        assert_eq!(repository.lock().index.tags_after(None).map(Tag::as_str).collect::<Vec<_>>(), ["1"]);
    }

    #[test]
    fn bytes_go_with_the_last_repository_that_needs_them() {
        let bed = Bed::new();
        let (one, two) = (bed.create("one"), bed.create("two"));
        bed.image(&one, "1", "shared");
        bed.image(&two, "1", "shared");
        bed.image(&two, "2", "its own");
        assert_eq!(bed.blobs(), 2);
        let bed = bed.reopened();
        assert!(bed.store.delete(&one.named.name, false).is_err());
        bed.store.delete(&one.named.name, true).unwrap();
        assert_eq!(bed.blobs(), 2);
        let two = bed.repository("two");
        assert!(two.layer_file(&Digest::of(b"shared")).is_some_and(|file| file.exists()));
        two.remove_tag(&"1".parse().unwrap()).unwrap();
        assert_eq!(bed.blobs(), 1);
        bed.store.delete(&two.named.name, true).unwrap();
        assert_eq!(bed.blobs(), 0);
    }

    #[test]
    fn a_deleted_repository_takes_no_more() {
        let bed = Bed::new();
        let repository = bed.create("web");
        bed.store.delete(&repository.named.name, false).unwrap();
        let file = bed.folder.path().join("late");
        fs::write(&file, "late").unwrap();
        bed.create("web");
        let refusal = repository.add_layer(&file, &Digest::of(b"late"), 4).unwrap_err();
        assert_eq!(refusal.kind, Kind::RepositoryNotFound);
        assert!(bed.reopened().repository("web").lock().index.is_empty());
    }
}
