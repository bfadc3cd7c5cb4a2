//! Templates for repositories that a push creates. Source: ECR user guide, "Templates to control repositories created
//! during a pull through cache, create on push, or replication action".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::local::clock::Timestamp;
use crate::local::mutability::Mutability;
use crate::local::store::{Encryption, RepositorySettings};
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

/// All templates of a registry, by their prefixes. In a file they are a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Template>", into = "Vec<Template>")]
pub struct Templates(pub BTreeMap<String, Template>);

impl From<Vec<Template>> for Templates {
    fn from(all: Vec<Template>) -> Self {
        Templates(all.into_iter().map(|template| (template.prefix.clone(), template)).collect())
    }
}

impl From<Templates> for Vec<Template> {
    fn from(templates: Templates) -> Self {
        templates.0.into_values().collect()
    }
}

impl Templates {
    /// The template that a push to a repository of this name uses.
    pub fn on_push(&self, name: &RepositoryName) -> Option<Template> {
        self.applied(CREATE_ON_PUSH, name)
    }

    /// The template that replication to a repository of this name uses.
    pub fn on_replication(&self, name: &RepositoryName) -> Option<Template> {
        self.applied(REPLICATION, name)
    }

    fn applied(&self, wanted: &str, name: &RepositoryName) -> Option<Template> {
        let of = |template: &&Template| template.applied_for.iter().any(|use_| use_ == wanted);
        let means = |template: &&Template| {
            name.as_str().strip_prefix(template.prefix.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        };
        let longest = self.0.values().filter(of).filter(means).max_by_key(|template| template.prefix.len());
        longest.or_else(|| self.0.get(ROOT).filter(of)).cloned()
    }
}
