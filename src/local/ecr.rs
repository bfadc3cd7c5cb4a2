//! The registry of one account in one region: what both doors share.

use std::sync::Arc;

use crate::local::clock::Clock;
use crate::local::faults::Faults;
use crate::local::log::Log;
use crate::local::refusal::{Kind, Refusal};
use crate::local::scanning::RegistryScanning;
use crate::local::script::Script;
use crate::local::store::{Repository, Store};
use crate::local::templates::Templates;
use crate::local::token::Tokens;
use crate::names::{AccountId, Region, RegistryHost, RepositoryName};

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
    pub scanning: RegistryScanning,
    /// What scans find.
    pub script: Script,
    /// How repositories are made that somebody pushes to before they exist.
    pub templates: Templates,
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
        let template = self.templates.on_push(name).ok_or(missing)?;
        match self.store.create(template.settings(name.clone(), self.clock.now())) {
            // Another push was quicker.
            Err(refusal) if refusal.kind == Kind::RepositoryAlreadyExists => self.store.repository(name),
            created => created,
        }
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
