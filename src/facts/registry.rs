use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{RepositorySettings, Template};
use crate::key::{BaseImage, ContentKey};
use crate::lifecycle::Image;
use crate::names::{Digest, Platform, RepositoryName, Tag};

/// What was seen of a registry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegistryFacts {
    /// The repositories that were asked for and exist.
    pub repositories: BTreeMap<RepositoryName, RepositoryFacts>,
    /// The templates for repositories that a push creates, where one is missing.
    pub templates: Vec<Template>,
    /// All images of the repositories whose lifecycle policy is to be changed.
    pub images: BTreeMap<RepositoryName, Vec<Image>>,
    /// The rules of its replication, where they were asked for and may be seen.
    pub replication: Option<Vec<ReplicationRule>>,
}

/// A rule of a registry's replication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicationRule {
    /// Accounts with regions.
    pub destinations: Vec<(String, String)>,
    /// What the names of its repositories begin with; it is for all of them, if there is none.
    pub prefixes: Vec<String>,
    /// What is deleted here is deleted there too.
    pub deletes: bool,
}

impl ReplicationRule {
    /// Whether images of this repository are replicated by it.
    pub fn is_for(&self, repository: &RepositoryName) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| repository.as_str().starts_with(prefix))
    }
}

/// What ECR says about a repository; the mere existence of this value means that it exists.
#[derive(Debug, Clone, PartialEq)]
pub struct RepositoryFacts {
    /// Its name.
    pub name: RepositoryName,
    /// Its tags cannot move, save those that an exclusion names.
    pub immutable: bool,
    /// The patterns for which the opposite of `immutable` holds; `*` stands for any run of characters.
    pub except: Vec<String>,
    /// Its other settings.
    pub settings: RepositorySettings,
    /// Those of the planned tags that name an image now, the staging tag among them.
    pub taken: BTreeMap<Tag, StoredImage>,
}

impl RepositoryFacts {
    /// Whether the registry would refuse to move this tag.
    pub fn is_frozen(&self, tag: &Tag) -> bool {
        self.immutable != self.except.iter().any(|pattern| matches(pattern, tag.as_str()))
    }
}

/// ECR's tag mutability filters: `*` is any run of characters, the rest is literal, anchored at both ends.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(after, &rest[at..]))
        }),
    }
}

/// An image that a repository holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// What the registry calls it.
    pub digest: Digest,
    /// When it was pushed, where that was asked for.
    pub pushed_at: Option<OffsetDateTime>,
    /// The size of its layers, compressed, in bytes, where that was asked for.
    pub size: Option<u64>,
    /// Its label `org.opencontainers.image.revision`, where it was looked for and found.
    pub revision: Option<String>,
    /// Its content key, where its label was looked for and found.
    pub content_key: Option<String>,
}

impl StoredImage {
    /// An image of which nothing but the digest is known.
    pub fn new(digest: Digest) -> Self {
        StoredImage { digest, pushed_at: None, size: None, revision: None, content_key: None }
    }
}

/// What is known of the content of an image for one platform, where it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFacts {
    /// The platform.
    pub platform: Platform,
    /// What is known; it has no parts itself.
    pub content: ContentFacts,
}

/// What is known of an image's content before it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFacts {
    /// The key of everything that the build starts from; or why that cannot be told, in which case it is built.
    pub key: Result<ContentKey, String>,
    /// The key holds base images as their registries name them now, so that the builder must look there too and not
    /// take an older copy of its own.
    pub fresh_bases: bool,
    /// What is kept beside the image, for later runs to compare with.
    pub record: Option<Vec<u8>>,
    /// The image that it is built on in the end, if that is known.
    pub base: Option<BaseImage>,
    /// How the content differs from that of the image that is there now, in words; empty if nothing is known.
    pub changes: Vec<String>,
    /// The same for each platform, where there are several: then the key is that of the index.
    pub parts: Vec<PartFacts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(immutable: bool, except: &[&str]) -> RepositoryFacts {
        let except = except.iter().map(|pattern| (*pattern).to_owned()).collect();
        let settings = RepositorySettings::default();
        RepositoryFacts { name: "web".parse().unwrap(), immutable, except, settings, taken: BTreeMap::new() }
    }

    #[test]
    fn exclusions_turn_the_rule_round() {
        let frozen = |repository: &RepositoryFacts, tag: &str| repository.is_frozen(&tag.parse().unwrap());
        let immutable = repository(true, &["latest", "dev-*"]);
        assert!(frozen(&immutable, "1.2.3"));
        assert!(!frozen(&immutable, "latest"));
        assert!(!frozen(&immutable, "dev-7"));
        assert!(frozen(&immutable, "my-dev-7"));
        let mutable = repository(false, &["v*.*"]);
        assert!(frozen(&mutable, "v1.2"));
        assert!(!frozen(&mutable, "v1"));
    }
}
