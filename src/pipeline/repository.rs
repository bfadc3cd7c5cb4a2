//! `repository:`, where an image goes, and how that place should be.

use std::collections::BTreeMap;

use super::build::merged;
use super::encryption::EncryptionPart;
use super::fields::Schema;
use super::lifecycle::{self, Lifecycle};
use super::mutability::MutabilityPart;
use super::node::Value;
use super::policy::{self, RepositoryPolicy};
use super::problems::Problems;
use super::read::Field;
use super::span::{Span, Spanned};
use super::{OnDrift, Repository, Stated};
use crate::names::RepositoryName;

pub(super) const SCHEMA: Schema = Schema {
    expected: "a name or a map",
    fields: &[
        ("name", &[]),
        ("create", &[]),
        ("scan_on_push", &["scan-on-push"]),
        ("encryption", &[]),
        ("tag_mutability", &["tag-mutability"]),
        ("resource_tags", &["resource-tags"]),
        ("lifecycle", &["lifecycle_policy", "lifecycle-policy"]),
        ("policy", &["repository_policy", "repository-policy"]),
        ("on_drift", &["on-drift"]),
    ],
    unsupported: &["replication"],
};

/// Limits of AWS resource tags. Source: ECR API, `Tag`; AWS General Reference, "Tagging AWS resources".
const MAX_TAGS: usize = 50;
const MAX_KEY_LENGTH: usize = 128;
const MAX_VALUE_LENGTH: usize = 256;

/// The repository as one place of the file gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct RepositoryPart {
    name: Option<Spanned<RepositoryName>>,
    name_is_broken: bool,
    create: Option<bool>,
    scan_on_push: Option<bool>,
    encryption: EncryptionPart,
    tag_mutability: MutabilityPart,
    resource_tags: BTreeMap<String, String>,
    lifecycle: Option<Lifecycle>,
    policy: Option<RepositoryPolicy>,
    on_drift: Option<OnDrift>,
}

impl RepositoryPart {
    /// Reads a name, or a map.
    pub fn read(field: &Field<'_>, problems: &mut Problems) -> Self {
        if matches!(field.node.value, Value::Text(_) | Value::Broken) {
            return Self::default().named(field, problems);
        }
        let Some(fields) = SCHEMA.read(field, problems) else { return Self::default() };
        let part = RepositoryPart {
            name: None,
            name_is_broken: false,
            create: fields.read("create", problems, Field::flag),
            scan_on_push: fields.read("scan_on_push", problems, Field::flag),
            encryption: fields
                .get("encryption")
                .map_or_else(EncryptionPart::default, |field| EncryptionPart::read(field, problems)),
            tag_mutability: fields
                .get("tag_mutability")
                .map_or_else(MutabilityPart::default, |field| MutabilityPart::read(field, problems)),
            resource_tags: fields.read("resource_tags", problems, resource_tags).unwrap_or_default(),
            lifecycle: fields.read("lifecycle", problems, lifecycle::read),
            policy: fields.read("policy", problems, policy::read),
            on_drift: fields.read("on_drift", problems, on_drift),
        };
        match fields.get("name") {
            Some(field) => part.named(field, problems),
            None => part,
        }
    }

    fn named(mut self, field: &Field<'_>, problems: &mut Problems) -> Self {
        self.name = field.name(problems).map(|value| Spanned { value, span: field.span() });
        self.name_is_broken = self.name.is_none();
        self
    }

    /// This part, with the other for whatever it leaves open; maps are merged key by key.
    #[must_use]
    pub fn over(self, base: Option<&RepositoryPart>) -> Self {
        let Some(base) = base.cloned() else { return self };
        RepositoryPart {
            name_is_broken: self.name_is_broken || (self.name.is_none() && base.name_is_broken),
            name: self.name.or(base.name),
            create: self.create.or(base.create),
            scan_on_push: self.scan_on_push.or(base.scan_on_push),
            encryption: self.encryption.over(base.encryption),
            tag_mutability: self.tag_mutability.over(base.tag_mutability),
            resource_tags: merged(base.resource_tags, self.resource_tags),
            lifecycle: self.lifecycle.or(base.lifecycle),
            policy: self.policy.or(base.policy),
            on_drift: self.on_drift.or(base.on_drift),
        }
    }

    /// The repository; its name is the image's if nobody gave one.
    pub fn finish(self, image: &str, image_at: Span, problems: &mut Problems) -> Option<Repository> {
        let name = match self.name {
            Some(name) => Some(name),
            None if self.name_is_broken => None,
            None => name_of_image(image, image_at, problems),
        };
        if self.resource_tags.len() > MAX_TAGS {
            let count = self.resource_tags.len();
            problems.error(image_at, format!("image `{image}` has {count} resource tags, AWS allows {MAX_TAGS}"));
        }
        let stated = Stated {
            encryption: self.encryption.is_stated(),
            tag_mutability: self.tag_mutability.is_stated(),
            except_auto: self.tag_mutability.is_auto(),
        };
        let encryption = self.encryption.finish(problems);
        let tag_mutability = self.tag_mutability.finish(problems);
        let Spanned { value: name, span } = name?;
        Some(Repository {
            name,
            create: self.create.unwrap_or(true),
            scan_on_push: self.scan_on_push,
            encryption,
            tag_mutability,
            resource_tags: self.resource_tags,
            lifecycle: self.lifecycle,
            policy: self.policy,
            on_drift: self.on_drift.unwrap_or_default(),
            stated,
            place: Some(problems.place(span)),
        })
    }
}

fn on_drift(field: &Field<'_>, problems: &mut Problems) -> Option<OnDrift> {
    match field.text(problems)? {
        "report" => Some(OnDrift::Report),
        "fix" => Some(OnDrift::Fix),
        "fail" => Some(OnDrift::Fail),
        other => {
            problems.error(field.span(), format!("`{}` must be `report`, `fix` or `fail`, not `{other}`", field.path));
            None
        }
    }
}

fn name_of_image(image: &str, at: Span, problems: &mut Problems) -> Option<Spanned<RepositoryName>> {
    match image.parse() {
        Ok(value) => Some(Spanned { value, span: at }),
        Err(invalid) => {
            let message = format!("image `{image}` cannot give its repository its name: {invalid}");
            problems.error_with_hint(at, message, "give the image a `repository`");
            None
        }
    }
}

fn resource_tags(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (entry, value) in field.entries(problems)? {
        let key = &entry.key.value;
        let Some(text) = value.text_or_empty(problems) else { continue };
        let (key_length, length) = (key.chars().count(), text.chars().count());
        if key.trim().is_empty() {
            problems.error(value.key, format!("`{}` has an empty key", field.path));
        } else if key_length > MAX_KEY_LENGTH {
            let message = format!("`{}`: a key has {key_length} characters, AWS allows {MAX_KEY_LENGTH}", field.path);
            problems.error(value.key, message);
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            problems.error(value.key, format!("`{}`: keys that begin with `aws:` belong to AWS", value.path));
        } else if length > MAX_VALUE_LENGTH {
            let message = format!("`{}` has {length} characters, AWS allows {MAX_VALUE_LENGTH}", value.path);
            problems.error(value.span(), message);
        } else {
            tags.insert(key.clone(), text.to_owned());
        }
    }
    Some(tags)
}
