//! Which settings of a repository are stated, and what becomes of those that are not as they should be.

use serde::Serialize;

use super::{Lifecycle, Repository, RepositoryPolicy};
use crate::access::Document;
use crate::lifecycle::Policy;

impl Repository {
    /// Its lifecycle policy; none if that stands in a file which was not read yet.
    pub fn lifecycle_policy(&self) -> Option<&Policy> {
        match self.lifecycle.as_ref()? {
            Lifecycle::Policy(policy) => Some(policy),
            Lifecycle::File { .. } => None,
        }
    }

    /// Its own policy; none if that stands in a file which was not read yet.
    pub fn document(&self) -> Option<&Document> {
        match self.policy.as_ref()? {
            RepositoryPolicy::Document(document) => Some(document),
            RepositoryPolicy::File { .. } => None,
        }
    }
}

/// Which settings of a repository are stated: what is not is left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated {
    /// `encryption`
    pub encryption: bool,
    /// `tag_mutability`
    pub tag_mutability: bool,
    /// `except: auto`: the exclusions follow from the tag rules.
    pub except_auto: bool,
}

/// What a run does about a repository whose settings are not as they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDrift {
    /// Say so, and go on.
    #[default]
    Report,
    /// Set them, before anything is built.
    Fix,
    /// End before anything is built.
    Fail,
}

impl OnDrift {
    pub(super) fn is_default(&self) -> bool {
        *self == OnDrift::Report
    }
}
