//! The registry of one account in one region: what both doors share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::local::clock::Clock;
use crate::local::faults::Faults;
use crate::local::log::Log;
use crate::local::mutability::Mutability;
use crate::local::refusal::{Kind, Refusal};
use crate::local::replicate::Replicator;
use crate::local::replication::{Destination, Replication};
use crate::local::scanning::Scanning;
use crate::local::script::Script;
use crate::local::signing::{Signer, Signing};
use crate::local::store::{Encryption, Kept, Repository, RepositorySettings, Store};
use crate::local::templates::Templates;
use crate::local::token::Tokens;
use crate::names::{AccountId, Digest, Region, RegistryHost, RepositoryName, Tag};

/// Everything that a request may need.
pub struct Ecr {
    /// Whose registry it is; also its id.
    pub account: AccountId,
    /// The region that it plays.
    pub region: Region,
    /// Where it answers.
    pub host: RegistryHost,
    /// Whether a push may take a layer from another repository (account setting `BLOB_MOUNTING`).
    pub blob_mounting: bool,
    /// What it holds.
    pub store: Store,
    /// Which repositories are scanned when.
    pub scanning: Kept<Scanning>,
    /// What scans find.
    pub script: Script,
    /// How repositories are made that somebody pushes to before they exist.
    pub templates: Kept<Templates>,
    /// Where images are replicated to.
    pub replication: Kept<Replication>,
    /// What takes them there.
    pub replicator: Replicator,
    /// Whose images are signed, if that was ever said.
    pub signing: Kept<Option<Signing>>,
    /// What signs them.
    pub signer: Signer,
    /// Whether it stands beside the one that was asked for.
    pub is_beside: bool,
    /// Who is let in.
    pub tokens: Tokens,
    /// The time.
    pub clock: Clock,
    /// Where each operation is written down, if that is wanted.
    pub log: Option<Log>,
    /// What goes wrong on request.
    pub faults: Faults,
}

impl Ecr {
    /// The repository that somebody pushes to; it is made by a template if it is missing and there is one for it.
    pub fn pushed_to(&self, name: &RepositoryName) -> Result<Arc<Repository>, Refusal> {
        let missing = match self.store.repository(name) {
            Ok(repository) => return Ok(repository),
            Err(missing) => missing,
        };
        let template = self.templates.get().on_push(name).ok_or(missing)?;
        self.create(template.settings(name.clone(), self.clock.now()))
    }

    /// The repository that another registry's images come to; it is made if it is missing, by a template where there
    /// is one for it.
    pub fn replicated_to(&self, name: &RepositoryName) -> Result<Arc<Repository>, Refusal> {
        if let Ok(repository) = self.store.repository(name) {
            return Ok(repository);
        }
        let now = self.clock.now();
        let settings = match self.templates.get().on_replication(name) {
            Some(template) => template.settings(name.clone(), now),
            None => RepositorySettings {
                name: name.clone(),
                created_at: now,
                mutability: Mutability::default(),
                scan_on_push: false,
                encryption: Encryption { encryption_type: "AES256".to_owned(), kms_key: None },
                resource_tags: BTreeMap::new(),
                policy: None,
                lifecycle_policy: None,
            },
        };
        self.create(settings)
    }

    fn create(&self, settings: RepositorySettings) -> Result<Arc<Repository>, Refusal> {
        let name = settings.name.clone();
        match self.store.create(settings) {
            // Another push was quicker.
            Err(refusal) if refusal.kind == Kind::RepositoryAlreadyExists => self.store.repository(&name),
            created => created,
        }
    }

    /// Sees to it that what was pushed is signed and replicated. What comes by replication itself goes no further.
    pub fn pushed(&self, repository: &RepositoryName, digest: &Digest, tag: Option<&Tag>) {
        let profiles = self.signing.get().unwrap_or_default().of(repository);
        self.signer.pushed(repository, digest, profiles);
        let to = self.replication.get().of(repository).into_iter().collect();
        self.replicator.pushed(repository, digest, tag, to);
    }

    /// What rules of replication call it.
    pub fn place(&self) -> Destination {
        Destination { region: self.region.clone(), registry_id: self.account.clone() }
    }

    /// What the log calls it, if it is not the one that was asked for.
    pub fn named_in_log(&self) -> Option<String> {
        self.is_beside.then(|| self.place().to_string())
    }

    /// `http://` and the host.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.host)
    }

    /// What comes before the name in a repository's ARN.
    pub fn arn_prefix(&self) -> String {
        format!("arn:aws:ecr:{}:{}:repository/", self.region, self.account)
    }

    /// The repository's ARN.
    pub fn arn(&self, name: &RepositoryName) -> String {
        format!("{}{name}", self.arn_prefix())
    }
}
