//! What was true when we looked, each fact with where it comes from.
//!
//! The order is: flags, CI variables, git. Nothing is ever made up: a fact that nobody states is not there.

pub mod ci;
mod commit;
mod gather;
mod git;
mod refs;
mod registry;
mod replication;
mod settings;
mod url;

use std::collections::BTreeMap;

use serde::Serialize;

pub use commit::Commit;
pub use gather::{Facts, StatedFacts};
pub use git::GitFacts;
pub use refs::Refs;
pub use registry::{ContentFacts, PartFacts, RegistryFacts, ReplicationRule, RepositoryFacts, StoredImage};
pub use replication::Destination;
pub use settings::{Asked, EncryptionFacts, RepositorySettings, Scanning, Template, Unseen};
pub use url::browsable_url;

/// The environment's variables, as they were when the program started.
pub type Variables = BTreeMap<String, String>;

/// A fact and who states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known<T> {
    /// The fact.
    pub value: T,
    /// As in `GITHUB_REF` or `git`.
    pub source: String,
}

impl<T> Known<T> {
    /// A fact and who states it.
    pub fn new(value: T, source: impl Into<String>) -> Self {
        Known { value, source: source.into() }
    }
}

/// What started a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name, in the CI system's words.
    pub name: String,
    /// It was the time of day.
    pub scheduled: bool,
    /// The last commit of the default branch is built, because for this event it always is.
    pub on_default_branch: bool,
}

/// What a repository says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// Its name, without the owner's.
    pub name: Option<Known<String>>,
    /// What it is for.
    pub description: Option<Known<String>>,
    /// Its licence, as an SPDX identifier.
    pub license: Option<Known<String>>,
}
