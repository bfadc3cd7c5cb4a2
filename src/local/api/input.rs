//! What many operations take in, and how it is checked.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal, missing_repository};
use crate::local::store::{Image, Index, Repository};
use crate::names::{Digest, RepositoryName, Tag};

/// The longest list of images or layers that one call takes. Source: ECR API model.
const MAX_BATCH: usize = 100;

const NAME_RULE: &str = "must satisfy regular expression \
    '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*' and have 2 to 256 characters";

/// Reads an operation's input; a body of no bytes is an object without members.
pub fn parse<I: DeserializeOwned>(body: &[u8]) -> Result<I, Refusal> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let kind = if error.classify() == Category::Data { Kind::InvalidParameter } else { Kind::Serialization };
        Refusal::new(kind, error.to_string())
    })
}

/// The repository that an operation is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    registry_id: Option<String>,
    repository_name: String,
}

impl Target {
    /// The name, well-formed and in this registry, whether or not such a repository exists.
    pub fn name(&self, ecr: &Ecr) -> Result<RepositoryName, Refusal> {
        let name = parse_name(&self.repository_name)?;
        check_registry(ecr, self.registry_id.as_deref(), &self.repository_name)?;
        Ok(name)
    }

    /// The repository itself.
    pub fn repository(&self, ecr: &Ecr) -> Result<Arc<Repository>, Refusal> {
        ecr.store.repository(&self.name(ecr)?)
    }
}

/// A well-formed repository name.
pub fn parse_name(name: &str) -> Result<RepositoryName, Refusal> {
    name.parse().map_err(|_| Refusal::parameter("repositoryName", NAME_RULE))
}

/// Nothing is in any other registry than this one.
pub fn check_registry(ecr: &Ecr, registry_id: Option<&str>, name: &str) -> Result<(), Refusal> {
    match registry_id {
        Some(other) if other != ecr.account.as_str() => Err(missing_repository(name, other)),
        _ => Ok(()),
    }
}

/// A list as long as the model allows.
pub fn check_batch<T>(parameter: &str, list: &[T]) -> Result<(), Refusal> {
    if (1..=MAX_BATCH).contains(&list.len()) {
        return Ok(());
    }
    Err(Refusal::parameter(parameter, format_args!("Member must have length between 1 and {MAX_BATCH}")))
}

/// A well-formed tag.
pub fn parse_tag(tag: &str) -> Result<Tag, Refusal> {
    tag.parse().map_err(|_| {
        Refusal::parameter("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'")
    })
}

/// An image by digest, by tag or by both, as it goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageId {
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// One of its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
}

/// Why an id names no image: a code of the model's `ImageFailureCode`, and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The code.
    pub code: &'static str,
    /// The words.
    pub reason: String,
}

impl Unresolved {
    fn new(code: &'static str, reason: &str) -> Self {
        Unresolved { code, reason: reason.to_owned() }
    }
}

impl ImageId {
    /// The id of an image under one of its tags, or none.
    pub fn of(digest: &Digest, tag: Option<&Tag>) -> Self {
        ImageId { image_digest: Some(digest.to_string()), image_tag: tag.map(Tag::to_string) }
    }

    /// The image that it names.
    pub fn resolve<'a>(&self, index: &'a Index) -> Result<&'a Image, Unresolved> {
        let not_found = || Unresolved::new("ImageNotFound", "Requested image not found");
        let digest = self.image_digest.as_deref().map(str::parse::<Digest>).transpose().map_err(|_| {
            Unresolved::new(
                "InvalidImageDigest",
                "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
            )
        })?;
        let tag = self.image_tag.as_deref().map(str::parse::<Tag>).transpose().map_err(|_| {
            Unresolved::new(
                "InvalidImageTag",
                "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'",
            )
        })?;
        let tagged = tag.as_ref().map(|tag| index.tagged(tag).ok_or_else(not_found)).transpose()?;
        let digest = match (digest.as_ref(), tagged) {
            (Some(digest), Some(tagged)) if digest != tagged => {
                let reason = "Invalid request parameters: the image tag and the image digest name different images";
                return Err(Unresolved::new("ImageTagDoesNotMatchDigest", reason));
            }
            (Some(digest), _) | (None, Some(digest)) => digest,
            (None, None) => {
                let reason = "Invalid request parameters: both tag and digest cannot be null";
                return Err(Unresolved::new("MissingDigestAndTag", reason));
            }
        };
        index.image(digest).ok_or_else(not_found)
    }

    /// The same for an operation that fails where it names none; `not_found` is what it says then.
    pub fn find<'a>(&self, index: &'a Index, not_found: impl FnOnce() -> Refusal) -> Result<&'a Image, Refusal> {
        self.resolve(index).map_err(|unresolved| match unresolved.code {
            "ImageNotFound" | "ImageTagDoesNotMatchDigest" => not_found(),
            _ => Refusal::new(Kind::InvalidParameter, unresolved.reason),
        })
    }
}
