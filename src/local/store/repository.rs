//! One repository on disk: its settings, and the layers that it counts as its own.
//!
//! ```text
//! settings.json          see RepositorySettings
//! layers/HEX             empty: the blob with this digest belongs to the repository
//! images/HEX             one line of JSON about the push, then the manifest as it was sent
//! tags/TAG               the digest that the tag names
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::local::clock::Timestamp;
use crate::local::mutability::Mutability;
use crate::local::refusal::{Named, Refusal};
use crate::local::store::blobs::Blobs;
use crate::local::store::files;
use crate::local::store::index::Index;
use crate::names::{AccountId, Digest, RepositoryName};

const SETTINGS: &str = "settings.json";
const LAYERS: &str = "layers";
const FOLDERS: [&str; 3] = [LAYERS, "images", "tags"];

/// Everything about a repository that the control plane can set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepositorySettings {
    /// Its name.
    pub name: RepositoryName,
    /// When it was created.
    pub created_at: Timestamp,
    /// Which tags may move.
    pub mutability: Mutability,
    /// Whether images are scanned as they come.
    pub scan_on_push: bool,
    /// How images are encrypted. They are not; it is remembered only.
    pub encryption: Encryption,
    /// Its resource tags.
    pub resource_tags: BTreeMap<String, String>,
    /// Who may do what with it. Everybody may do everything; it is remembered only.
    pub policy: Option<String>,
    /// What should be removed when. It is remembered and previewed only.
    pub lifecycle_policy: Option<String>,
}

/// The encryption of a repository's images, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// `AES256`, `KMS` or `KMS_DSSE`.
    pub encryption_type: String,
    /// The key, for KMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
}

/// A repository. Its lock is held while files change, so that memory and disk agree.
pub struct Repository {
    /// What messages call it.
    pub named: Named,
    folder: PathBuf,
    blobs: Arc<Blobs>,
    contents: Mutex<Contents>,
}

/// What the lock of a repository guards.
pub struct Contents {
    /// Its settings.
    pub settings: RepositorySettings,
    /// What it holds.
    pub index: Index,
    /// The scans that were asked for, and when; gone with the server.
    pub scans: BTreeMap<Digest, Timestamp>,
    /// The last preview of a lifecycle policy; gone with the server.
    pub preview: Option<Preview>,
    deleted: bool,
}

/// What a lifecycle policy would do, as it goes over the wire.
pub struct Preview {
    /// The policy.
    pub text: String,
    /// When clients are told.
    pub ready_at: Timestamp,
    /// One entry for each image that is affected.
    pub results: Vec<serde_json::Value>,
}

impl Repository {
    /// Makes a repository in a folder that is not there yet.
    pub fn create(
        folder: PathBuf,
        registry_id: AccountId,
        settings: RepositorySettings,
        blobs: Arc<Blobs>,
    ) -> io::Result<Self> {
        for name in FOLDERS {
            fs::create_dir_all(folder.join(name))?;
        }
        // The settings come last: a folder without them is no repository.
        files::write_atomically(&folder.join(SETTINGS), &[&serde_json::to_vec(&settings)?])?;
        if let Some(parent) = folder.parent() {
            files::sync_folder(parent)?;
        }
        Ok(Self::new(folder, registry_id, settings, Index::default(), blobs))
    }

    /// Reads a repository back, or nothing from a folder that a crash left without settings.
    pub fn open(folder: PathBuf, registry_id: AccountId, blobs: Arc<Blobs>) -> io::Result<Option<Self>> {
        let settings = match fs::read(folder.join(SETTINGS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => serde_json::from_slice(&text?)?,
        };
        let mut index = Index::default();
        for hex in files::names(&folder.join(LAYERS))? {
            let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() else { continue };
            match blobs.claim(&digest) {
                Ok(size) => index.add_layer(digest, size),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let repository = Self::new(folder, registry_id, settings, index, blobs);
        repository.load_images()?;
        Ok(Some(repository))
    }

    fn new(
        folder: PathBuf,
        registry_id: AccountId,
        settings: RepositorySettings,
        index: Index,
        blobs: Arc<Blobs>,
    ) -> Self {
        let named = Named { registry_id, name: settings.name.clone() };
        Repository {
            named,
            folder,
            blobs,
            contents: Mutex::new(Contents { settings, index, scans: BTreeMap::new(), preview: None, deleted: false }),
        }
    }

    /// Looks at or changes what the repository holds; nobody else does meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for changes on disk, which a repository that was just deleted no longer takes.
    pub fn lock_for_writing(&self) -> Result<MutexGuard<'_, Contents>, Refusal> {
        let contents = self.lock();
        if contents.deleted { Err(self.named.missing()) } else { Ok(contents) }
    }

    /// The folder that it lives in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Changes the settings.
    pub fn configure<T>(
        &self,
        change: impl FnOnce(&mut RepositorySettings) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut contents = self.lock_for_writing()?;
        let mut settings = contents.settings.clone();
        let result = change(&mut settings)?;
        let text = serde_json::to_vec(&settings).map_err(io::Error::from)?;
        files::write_atomically(&self.folder.join(SETTINGS), &[&text])?;
        contents.settings = settings;
        Ok(result)
    }

    /// Takes in a finished, durable file with this digest, and says whether the layer is new here.
    pub fn add_layer(&self, file: &Path, digest: &Digest, size: u64) -> Result<bool, Refusal> {
        let mut contents = self.lock_for_writing()?;
        if contents.index.layer(digest).is_some() {
            return Ok(false);
        }
        self.blobs.adopt(file, digest)?;
        self.mark(digest)?;
        contents.index.add_layer(digest.clone(), size);
        Ok(true)
    }

    /// Takes in a layer that another repository holds.
    pub fn mount_layer(&self, digest: &Digest) -> Result<(), Refusal> {
        let mut contents = self.lock_for_writing()?;
        if contents.index.layer(digest).is_none() {
            let size = self.blobs.claim(digest)?;
            self.mark(digest)?;
            contents.index.add_layer(digest.clone(), size);
        }
        Ok(())
    }

    fn mark(&self, digest: &Digest) -> io::Result<()> {
        let marker = self.folder.join(LAYERS).join(digest.hex());
        let marked = files::write_atomically(&marker, &[]);
        if marked.is_err() {
            self.blobs.release(digest)?;
        }
        marked
    }

    /// Gives up layers that its index has forgotten.
    pub fn release_layers(&self, digests: &[Digest]) -> io::Result<()> {
        for digest in digests {
            files::remove(&self.folder.join(LAYERS).join(digest.hex()))?;
            self.blobs.release(digest)?;
        }
        Ok(())
    }

    /// Where the bytes of a layer of its own are.
    pub fn layer_file(&self, digest: &Digest) -> Option<PathBuf> {
        self.lock().index.layer(digest).map(|_| self.blobs.path(digest))
    }

    /// Moves the repository out of sight; its layers may go.
    pub fn bury(&self, grave: &Path, force: bool) -> Result<RepositorySettings, Refusal> {
        let mut contents = self.lock_for_writing()?;
        if !force && !contents.index.is_empty() {
            return Err(self.named.not_empty());
        }
        fs::rename(&self.folder, grave)?;
        contents.deleted = true;
        for digest in contents.index.layers() {
            // The repository is gone by now; a blob that cannot be removed is swept at the next start.
            let _ = self.blobs.release(digest);
        }
        contents.index = Index::default();
        Ok(contents.settings.clone())
    }
}
