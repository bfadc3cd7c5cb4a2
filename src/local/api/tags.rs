//! The resource tags of repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::local::api::input::parse_name;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal};
use crate::local::store::Repository;

/// Source of all three: ECR API reference, "Tag" and "TagResource". The last two are in characters.
const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// A resource tag as it goes over the wire; its members alone are written in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceTag {
    key: String,
    value: String,
}

/// The tags that a repository has after these were set.
pub fn merged(before: &BTreeMap<String, String>, set: Vec<ResourceTag>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = before.clone();
    for tag in set {
        check(&tag)?;
        tags.insert(tag.key, tag.value);
    }
    if tags.len() > MAX_TAGS {
        let message = format!("The list of tags on the repository is over the limit of {MAX_TAGS} tags");
        return Err(Refusal::new(Kind::TooManyTags, message));
    }
    Ok(tags)
}

fn check(tag: &ResourceTag) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(Kind::InvalidTagParameter, message));
    if !(1..=MAX_KEY).contains(&tag.key.chars().count()) {
        return invalid(format!("The tag key '{}' must have 1 to {MAX_KEY} characters", tag.key));
    }
    if tag.value.chars().count() > MAX_VALUE {
        return invalid(format!("The value of the tag '{}' must have at most {MAX_VALUE} characters", tag.key));
    }
    if tag.key.to_ascii_lowercase().starts_with("aws:") {
        return invalid(format!("The tag key '{}' begins with 'aws:', which is reserved", tag.key));
    }
    Ok(())
}

/// The input of TagResource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    resource_arn: String,
    tags: Vec<ResourceTag>,
}

/// Sets tags; those with other keys stay.
pub fn tag(ecr: &Ecr, input: Tag) -> Result<Value, Refusal> {
    repository(ecr, &input.resource_arn)?.configure(|settings| {
        settings.resource_tags = merged(&settings.resource_tags, input.tags)?;
        Ok(json!({}))
    })
}

/// The input of UntagResource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untag {
    resource_arn: String,
    tag_keys: Vec<String>,
}

/// Removes tags; those that are not there do not matter.
pub fn untag(ecr: &Ecr, input: Untag) -> Result<Value, Refusal> {
    repository(ecr, &input.resource_arn)?.configure(|settings| {
        for key in &input.tag_keys {
            settings.resource_tags.remove(key);
        }
        Ok(json!({}))
    })
}

/// The input of ListTagsForResource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    resource_arn: String,
}

/// All tags.
pub fn list(ecr: &Ecr, input: List) -> Result<Value, Refusal> {
    let repository = repository(ecr, &input.resource_arn)?;
    let contents = repository.lock();
    Ok(json!({ "tags": listed(&contents.settings.resource_tags) }))
}

/// Resource tags as they go over the wire.
pub fn listed(tags: &BTreeMap<String, String>) -> Vec<ResourceTag> {
    tags.iter().map(|(key, value)| ResourceTag { key: key.clone(), value: value.clone() }).collect()
}

fn repository(ecr: &Ecr, arn: &str) -> Result<Arc<Repository>, Refusal> {
    let name = arn
        .strip_prefix(&ecr.arn_prefix())
        .ok_or_else(|| Refusal::parameter("resourceArn", format_args!("must begin with {}", ecr.arn_prefix())))?;
    ecr.store.repository(&parse_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> ResourceTag {
        ResourceTag { key: key.into(), value: value.into() }
    }

    #[test]
    fn limits() {
        let none = BTreeMap::new();
        let kind = |tags: Vec<ResourceTag>| merged(&none, tags).map_err(|refusal| refusal.kind);
        let many = |count: usize| (0..count).map(|number| tag(&number.to_string(), "")).collect::<Vec<_>>();
        assert_eq!(kind(many(50)).map(|tags| tags.len()), Ok(50));
        assert_eq!(kind(many(51)), Err(Kind::TooManyTags));
        for (key, value) in [("", ""), ("AWS:x", ""), (&"k".repeat(129), ""), ("k", &"v".repeat(257))] {
            assert_eq!(kind(vec![tag(key, value)]), Err(Kind::InvalidTagParameter), "{key}");
        }
    }
}
