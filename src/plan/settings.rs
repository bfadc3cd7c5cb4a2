//! In which settings a repository differs from what the pipeline states.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::repository::Manner;
use crate::access::Document;
use crate::facts::{RepositorySettings, Scanning, Unseen};
use crate::lifecycle::{self, Policy};
use crate::pipeline::{Encryption, Mutability, Repository, TagMutability};

/// A setting of a repository, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Which tags may move.
    TagMutability,
    /// Whether images are scanned as they come.
    ScanOnPush,
    /// How images are encrypted.
    Encryption,
    /// The lifecycle policy.
    Lifecycle,
    /// The repository's own policy.
    Policy,
    /// Resource tags.
    ResourceTags,
}

impl Setting {
    /// Its name in the pipeline file.
    pub fn field(self) -> &'static str {
        match self {
            Setting::TagMutability => "tag_mutability",
            Setting::ScanOnPush => "scan_on_push",
            Setting::Encryption => "encryption",
            Setting::Lifecycle => "lifecycle",
            Setting::Policy => "policy",
            Setting::ResourceTags => "resource_tags",
        }
    }
}

/// One setting that is not as it is stated.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which.
    pub setting: Setting,
    /// As it is; null where there is nothing.
    pub there: Value,
    /// As it should be.
    pub wanted: Value,
    /// What sets it; or why nothing that may be done does.
    pub change: Result<Change, String>,
}

impl Difference {
    /// In one line, as in `tag_mutability is MUTABLE, and should be IMMUTABLE except latest`.
    pub fn words(&self) -> String {
        let field = self.setting.field();
        match self.setting {
            Setting::Lifecycle | Setting::Policy if self.there.is_null() => format!("{field} is missing"),
            Setting::Lifecycle | Setting::Policy => format!("{field} is another"),
            Setting::ResourceTags => match &self.change {
                Ok(Change::ResourceTags { set, remove }) => {
                    let set = set.iter().map(|(key, value)| format!("{key}={value}"));
                    let remove = remove.iter().map(|key| format!("no {key}"));
                    format!("{field} lack {}", set.chain(remove).collect::<Vec<_>>().join(", "))
                }
                _ => format!("{field} differ"),
            },
            Setting::ScanOnPush => {
                let frequency = self.there["scanFrequency"].as_str().unwrap_or_default();
                format!("{field} should be {}, and scans are {frequency}", self.wanted)
            }
            Setting::TagMutability | Setting::Encryption => {
                format!("{field} is {}, and should be {}", plain(&self.there), plain(&self.wanted))
            }
        }
    }
}

/// Mutability and encryption in few words.
fn plain(value: &Value) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let list = value.get("except").and_then(Value::as_array).filter(|list| !list.is_empty());
    let except = list.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    let first = text("mode").or_else(|| text("type")).unwrap_or_default();
    match (except, text("key")) {
        (Some(except), _) => format!("{first} except {except}"),
        (None, Some(key)) => format!("{first} with {key}"),
        (None, None) => first.to_owned(),
    }
}

/// What sets one setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Which tags may move.
    TagMutability(TagMutability),
    /// The repository's own switch for scans.
    ScanOnPush(bool),
    /// A rule of the registry that makes it scan what is pushed here; it counts for every repository whose name
    /// contains this one's.
    ScanningRule,
    /// The lifecycle policy.
    Lifecycle(Policy),
    /// The repository's own policy.
    Policy(Document),
    /// Resource tags.
    ResourceTags {
        /// Those to set.
        set: BTreeMap<String, String>,
        /// The keys of those to remove.
        remove: Vec<String>,
    },
}

/// A repository as it is.
#[derive(Clone, Copy)]
pub(super) struct There<'a> {
    pub(super) immutable: bool,
    pub(super) except: &'a [String],
    pub(super) settings: &'a RepositorySettings,
}

/// Every difference, and every stated setting that could not be seen.
pub(super) fn compare(wanted: &Repository, there: There<'_>, manner: Manner) -> (Vec<Difference>, Vec<Unseen>) {
    let mut unseen = Vec::new();
    let mut all = Vec::new();
    if wanted.stated.tag_mutability {
        all.extend(tag_mutability(&wanted.tag_mutability, there));
    }
    if let (Some(on), Some(scanning)) = (wanted.scan_on_push, seen(&there.settings.scanning, &mut unseen)) {
        all.extend(scan_on_push(on, scanning, there.settings.scan_on_push, manner));
    }
    if wanted.stated.encryption {
        all.extend(encryption(&wanted.encryption, there.settings));
    }
    if let (Some(policy), Some(text)) = (wanted.lifecycle_policy(), seen(&there.settings.lifecycle, &mut unseen)) {
        all.extend(lifecycle(policy, text.as_deref()));
    }
    if let (Some(document), Some(text)) = (wanted.document(), seen(&there.settings.policy, &mut unseen)) {
        all.extend(policy(document, text.as_deref()));
    }
    if let Some(tags) = seen(&there.settings.resource_tags, &mut unseen) {
        all.extend(resource_tags(&wanted.resource_tags, tags, manner));
    }
    (all, unseen)
}

fn seen<'a, T>(asked: &'a Option<Result<T, Unseen>>, unseen: &mut Vec<Unseen>) -> Option<&'a T> {
    match asked.as_ref()? {
        Ok(value) => Some(value),
        Err(denied) => {
            unseen.push(denied.clone());
            None
        }
    }
}

fn tag_mutability(wanted: &TagMutability, there: There<'_>) -> Option<Difference> {
    let mode = if there.immutable { Mutability::Immutable } else { Mutability::Mutable };
    let is = TagMutability { mode, except: there.except.to_vec() };
    let sorted = |of: &TagMutability| {
        let mut except = of.except.clone();
        except.sort();
        (of.mode, except)
    };
    (sorted(wanted) != sorted(&is)).then(|| Difference {
        setting: Setting::TagMutability,
        there: json!(is),
        wanted: json!(wanted),
        change: Ok(Change::TagMutability(wanted.clone())),
    })
}

fn scan_on_push(wanted: bool, scanning: &Scanning, switch: bool, manner: Manner) -> Option<Difference> {
    if wanted == scanning.is_on_push() {
        return None;
    }
    let change = match (wanted, scanning.filters.first()) {
        (true, _) if !scanning.enhanced && !switch => Ok(Change::ScanOnPush(true)),
        (true, _) if manner.registry_wide => Ok(Change::ScanningRule),
        (true, _) => {
            let who = if scanning.enhanced { "Inspector scans, and no" } else { "no" };
            Err(format!("{who} rule of the registry's scanning configuration matches it; --registry-wide adds one"))
        }
        (false, Some(filter)) => {
            Err(format!("the filter `{filter}` of the registry's scanning configuration matches it"))
        }
        (false, None) => Ok(Change::ScanOnPush(false)),
    };
    Some(Difference {
        setting: Setting::ScanOnPush,
        there: json!({ "scanFrequency": scanning.frequency, "appliedScanFilters": scanning.filters }),
        wanted: json!(wanted),
        change,
    })
}

/// A key that is not stated may be any; of an alias only ECR's key knows which key it means, which costs nobody a
/// repository.
fn encryption(wanted: &Encryption, settings: &RepositorySettings) -> Option<Difference> {
    let (kind, key) = match wanted {
        Encryption::Aes256 => ("AES256", None),
        Encryption::Kms { key } => ("KMS", key.as_deref()),
        Encryption::KmsDsse { key } => ("KMS_DSSE", key.as_deref()),
    };
    let is = &settings.encryption;
    let other_key = key.zip(is.key.as_deref()).is_some_and(|(wanted, is)| is_other_key(wanted, is));
    if is.kind.is_empty() || (kind == is.kind && !other_key) {
        return None;
    }
    let told = |kind: &str, key: Option<&str>| match key {
        Some(key) => json!({ "type": kind, "key": key }),
        None => json!({ "type": kind }),
    };
    Some(Difference {
        setting: Setting::Encryption,
        there: told(&is.kind, is.key.as_deref()),
        wanted: told(kind, key),
        change: Err("encryption cannot be changed; the repository would have to be made anew".to_owned()),
    })
}

/// Whether two names of keys certainly mean different keys. A name is an ARN, an id, or an alias.
fn is_other_key(one: &str, other: &str) -> bool {
    let resource = |name: &str| name.rsplit_once(':').map_or(name, |(_, resource)| resource).to_owned();
    let (one_resource, other_resource) = (resource(one), resource(other));
    let is_alias = |resource: &str| resource.starts_with("alias/");
    if is_alias(&one_resource) != is_alias(&other_resource) {
        return false;
    }
    if one.starts_with("arn:") && other.starts_with("arn:") {
        return one != other;
    }
    one_resource.trim_start_matches("key/") != other_resource.trim_start_matches("key/")
}

fn lifecycle(wanted: &Policy, text: Option<&str>) -> Option<Difference> {
    let is = text.and_then(|text| lifecycle::read_json(text).ok()).map(|written| written.policy);
    (is.as_ref() != Some(wanted)).then(|| Difference {
        setting: Setting::Lifecycle,
        // What is not understood here is shown as it came.
        there: text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
        wanted: wanted.to_json(),
        change: Ok(Change::Lifecycle(wanted.clone())),
    })
}

fn policy(wanted: &Document, text: Option<&str>) -> Option<Difference> {
    let same = text.is_some_and(|text| wanted.means_the_same(text));
    (!same).then(|| Difference {
        setting: Setting::Policy,
        there: text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
        wanted: wanted.to_json().clone(),
        change: Ok(Change::Policy(wanted.clone())),
    })
}

fn resource_tags(
    wanted: &BTreeMap<String, String>,
    is: &BTreeMap<String, String>,
    manner: Manner,
) -> Option<Difference> {
    let set: BTreeMap<String, String> = wanted
        .iter()
        .filter(|(key, value)| is.get(*key) != Some(*value))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    // Those of AWS's own services are not ours to remove.
    let undeclared = |key: &&String| !wanted.contains_key(*key) && !key.to_ascii_lowercase().starts_with("aws:");
    let remove: Vec<String> = is.keys().filter(|_| manner.prune_tags).filter(undeclared).cloned().collect();
    if set.is_empty() && remove.is_empty() {
        return None;
    }
    let concerned = |key: &String| set.contains_key(key) || remove.contains(key);
    let there: BTreeMap<&String, &String> = is.iter().filter(|(key, _)| concerned(key)).collect();
    Some(Difference {
        setting: Setting::ResourceTags,
        there: json!(there),
        wanted: json!(set),
        change: Ok(Change::ResourceTags { set, remove }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd";
        for (wanted, is, other) in [
            (arn, arn, false),
            ("1234abcd", arn, false),
            ("key/1234abcd", arn, false),
            ("5678", arn, true),
            ("arn:aws:kms:us-east-1:123456789012:key/5678", arn, true),
            ("arn:aws:kms:eu-west-1:123456789012:key/1234abcd", arn, true),
            ("alias/own", arn, false),
            ("alias/own", "arn:aws:kms:us-east-1:123456789012:alias/aws/ecr", true),
            ("alias/aws/ecr", "arn:aws:kms:us-east-1:123456789012:alias/aws/ecr", false),
        ] {
            assert_eq!(is_other_key(wanted, is), other, "{wanted} {is}");
        }
    }

    #[test]
    fn scans_by_whose_word() {
        let scanning = |frequency: &str, filters: &[&str], enhanced| Scanning {
            frequency: frequency.into(),
            filters: filters.iter().map(|filter| (*filter).into()).collect(),
            enhanced,
        };
        let plain = Manner::default();
        let wide = Manner { registry_wide: true, ..plain };
        let change = |wanted, scanning: &Scanning, switch, manner| {
            scan_on_push(wanted, scanning, switch, manner).map(|difference| difference.change.ok())
        };
        assert_eq!(change(true, &scanning("CONTINUOUS_SCAN", &["a"], true), false, plain), None);
        let manual = scanning("MANUAL", &[], false);
        assert_eq!(change(true, &manual, false, plain), Some(Some(Change::ScanOnPush(true))));
        assert_eq!(change(true, &manual, true, plain), Some(None), "its own switch does not count there");
        assert_eq!(change(true, &manual, true, wide), Some(Some(Change::ScanningRule)));
        assert_eq!(change(true, &scanning("MANUAL", &[], true), false, plain), Some(None));
        let by_rule = scanning("SCAN_ON_PUSH", &["web"], false);
        assert_eq!(change(false, &by_rule, true, wide), Some(None), "no rule of somebody else's is removed");
        let by_switch = scanning("SCAN_ON_PUSH", &[], false);
        assert_eq!(change(false, &by_switch, true, plain), Some(Some(Change::ScanOnPush(false))));
    }
}
