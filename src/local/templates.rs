//! Templates for repositories that a push creates. Source: ECR user guide, "Templates to control repositories created
//! during a pull through cache, create on push, or replication action".

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::local::clock::Timestamp;
use crate::local::mutability::Mutability;
use crate::local::refusal::Refusal;
use crate::local::store::{Encryption, RepositorySettings, write_atomically};
use crate::names::RepositoryName;

/// The prefix of the template for everything that no other means.
pub const ROOT: &str = "ROOT";
/// The uses that this registry makes of templates; of the others it only knows the names.
const CREATE_ON_PUSH: &str = "CREATE_ON_PUSH";
const REPLICATION: &str = "REPLICATION";

/// A template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// What names begin with; a slash is implied at its end.
    pub prefix: String,
    /// For people.
    pub description: Option<String>,
    /// When ECR uses it.
    pub applied_for: Vec<String>,
    /// Which tags may move.
    pub mutability: Mutability,
    /// How images are encrypted.
    pub encryption: Encryption,
    /// Resource tags.
    pub resource_tags: BTreeMap<String, String>,
    /// The repository's policy.
    pub policy: Option<String>,
    /// The lifecycle policy.
    pub lifecycle_policy: Option<String>,
    /// The role that ECR takes for resource tags and keys.
    pub custom_role_arn: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Template {
    /// The settings of a repository that is made by it.
    pub fn settings(&self, name: RepositoryName, now: Timestamp) -> RepositorySettings {
        RepositorySettings {
            name,
            created_at: now,
            mutability: self.mutability.clone(),
            scan_on_push: false,
            encryption: self.encryption.clone(),
            resource_tags: self.resource_tags.clone(),
            policy: self.policy.clone(),
            lifecycle_policy: self.lifecycle_policy.clone(),
        }
    }
}

/// All templates by their prefixes, on disk and in memory.
pub struct Templates {
    file: PathBuf,
    all: RwLock<BTreeMap<String, Template>>,
}

impl Templates {
    /// Reads them back, or begins with none.
    pub fn open(file: PathBuf) -> io::Result<Self> {
        let all: Vec<Template> = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => serde_json::from_slice(&text?)?,
        };
        let all = all.into_iter().map(|template| (template.prefix.clone(), template)).collect();
        Ok(Templates { file, all: RwLock::new(all) })
    }

    /// All, in the order of their prefixes.
    pub fn all(&self) -> Vec<Template> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The template that a push to a repository of this name uses.
    pub fn on_push(&self, name: &RepositoryName) -> Option<Template> {
        self.applied(CREATE_ON_PUSH, name)
    }

    /// The template that replication to a repository of this name uses.
    pub fn on_replication(&self, name: &RepositoryName) -> Option<Template> {
        self.applied(REPLICATION, name)
    }

    fn applied(&self, wanted: &str, name: &RepositoryName) -> Option<Template> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let of = |template: &&Template| template.applied_for.iter().any(|use_| use_ == wanted);
        let means = |template: &&Template| {
            name.as_str().strip_prefix(template.prefix.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        };
        let longest = all.values().filter(of).filter(means).max_by_key(|template| template.prefix.len());
        longest.or_else(|| all.get(ROOT).filter(of)).cloned()
    }

    /// Changes them.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Template>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = all.clone();
        let result = change(&mut changed)?;
        let listed: Vec<&Template> = changed.values().collect();
        let text = serde_json::to_vec(&listed).map_err(io::Error::from)?;
        write_atomically(&self.file, &[&text])?;
        *all = changed;
        Ok(result)
    }
}
