//! A policy as meant.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::pattern::Entry;

/// A policy that ECR accepts. Its rules stand in the order of their priorities, as ECR gives them back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub(super) rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its place in the order; the lowest number comes first.
    pub priority: u32,
    /// For people.
    pub description: Option<String>,
    /// Which tags its images have.
    pub tags: TagSelection,
    /// Which of the images that it matches it takes; also says where they are stored.
    pub count: Count,
    /// What becomes of them.
    pub action: Action,
}

/// Which images a rule matches, by their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagSelection {
    /// All.
    Any,
    /// Those without a tag.
    Untagged,
    /// Those that have, for every one of these, a tag that begins with it.
    Prefixes(Vec<String>),
    /// Those that have, for every one of these, a tag that it matches.
    Patterns(Vec<String>),
}

/// Which of the images that it matches a rule takes. Numbers of days are spans of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// All but the newest so many.
    MoreThan(u32),
    /// Those pushed longer ago than so many days.
    SincePushed(u32),
    /// Those pulled longer ago than so many days.
    SincePulled(u32),
    /// Those archived longer ago than so many days.
    SinceTransitioned(u32),
}

/// What becomes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is deleted.
    Expire,
    /// It goes to the archive, from where it cannot be pulled.
    Archive,
}

/// Where an image is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageClass {
    /// Where it can be pulled from.
    Standard,
    /// The archive.
    Archive,
}

impl StorageClass {
    /// The word in a policy.
    pub fn word(self) -> &'static str {
        match self {
            StorageClass::Standard => "standard",
            StorageClass::Archive => "archive",
        }
    }
}

impl Policy {
    /// Its rules in the order of their priorities; at least one.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this priority.
    pub fn rule(&self, priority: u32) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.priority == priority)
    }

    /// In ECR's form.
    pub fn to_json(&self) -> Value {
        json!({ "rules": self.rules.iter().map(Rule::to_json).collect::<Vec<_>>() })
    }

    /// The text that ECR is given: its form without white space.
    pub fn to_text(&self) -> String {
        self.to_json().to_string()
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("rules", &self.rules.iter().map(Rule::to_json).collect::<Vec<_>>())?;
        map.end()
    }
}

impl Rule {
    /// Where the images are stored that the rule looks at: each storage class has its rules.
    pub fn storage(&self) -> StorageClass {
        match self.count {
            Count::SinceTransitioned(_) => StorageClass::Archive,
            Count::MoreThan(_) | Count::SincePushed(_) | Count::SincePulled(_) => StorageClass::Standard,
        }
    }

    fn to_json(&self) -> Value {
        let mut rule = Map::new();
        rule.insert("rulePriority".into(), self.priority.into());
        if let Some(description) = &self.description {
            rule.insert("description".into(), description.as_str().into());
        }
        let mut selection = Map::new();
        selection.insert("tagStatus".into(), self.tags.status().into());
        match &self.tags {
            TagSelection::Prefixes(prefixes) => drop(selection.insert("tagPrefixList".into(), json!(prefixes))),
            TagSelection::Patterns(patterns) => drop(selection.insert("tagPatternList".into(), json!(patterns))),
            TagSelection::Any | TagSelection::Untagged => {}
        }
        if self.storage() == StorageClass::Archive {
            selection.insert("storageClass".into(), "archive".into());
        }
        selection.insert("countType".into(), self.count.word().into());
        if !matches!(self.count, Count::MoreThan(_)) {
            selection.insert("countUnit".into(), "days".into());
        }
        selection.insert("countNumber".into(), self.count.number().into());
        rule.insert("selection".into(), Value::Object(selection));
        let action = match self.action {
            Action::Expire => json!({ "type": "expire" }),
            Action::Archive => json!({ "type": "transition", "targetStorageClass": "archive" }),
        };
        rule.insert("action".into(), action);
        Value::Object(rule)
    }
}

impl TagSelection {
    /// The word in a policy.
    pub fn status(&self) -> &'static str {
        match self {
            TagSelection::Any => "any",
            TagSelection::Untagged => "untagged",
            TagSelection::Prefixes(_) | TagSelection::Patterns(_) => "tagged",
        }
    }

    /// Whether an image with these tags is matched.
    pub fn matches(&self, tags: &[String]) -> bool {
        let each = |entry: Entry<'_>| tags.iter().any(|tag| entry.matches(tag));
        match self {
            TagSelection::Any => true,
            TagSelection::Untagged => tags.is_empty(),
            TagSelection::Prefixes(prefixes) => {
                !tags.is_empty() && prefixes.iter().all(|prefix| each(Entry::Prefix(prefix)))
            }
            TagSelection::Patterns(patterns) => {
                !tags.is_empty() && patterns.iter().all(|pattern| each(Entry::Pattern(pattern)))
            }
        }
    }

    /// The entries of its list, if it has one.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        match self {
            TagSelection::Any | TagSelection::Untagged => Vec::new(),
            TagSelection::Prefixes(prefixes) => prefixes.iter().map(|prefix| Entry::Prefix(prefix)).collect(),
            TagSelection::Patterns(patterns) => patterns.iter().map(|pattern| Entry::Pattern(pattern)).collect(),
        }
    }

    /// Whether every image that this matches is matched by the other too.
    pub(super) fn is_within(&self, other: &TagSelection) -> bool {
        match (self, other) {
            (_, TagSelection::Any) | (TagSelection::Untagged, TagSelection::Untagged) => true,
            (TagSelection::Any | TagSelection::Untagged, _) | (_, TagSelection::Untagged) => false,
            (narrow, wide) => {
                let narrow = narrow.entries();
                wide.entries().into_iter().all(|wide| narrow.iter().any(|narrow| narrow.is_within(wide)))
            }
        }
    }
}

impl Count {
    /// The word in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Count::MoreThan(_) => "imageCountMoreThan",
            Count::SincePushed(_) => "sinceImagePushed",
            Count::SincePulled(_) => "sinceImagePulled",
            Count::SinceTransitioned(_) => "sinceImageTransitioned",
        }
    }

    /// The number of images or days.
    pub fn number(self) -> u32 {
        match self {
            Count::MoreThan(number)
            | Count::SincePushed(number)
            | Count::SincePulled(number)
            | Count::SinceTransitioned(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: ECR user guide, "Lifecycle policy properties": of several prefixes or patterns an image needs a tag for each.
    #[test]
    fn an_image_needs_a_tag_for_every_entry() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let both =
            [TagSelection::Prefixes(list(&["alpha", "beta"])), TagSelection::Patterns(list(&["alpha*", "beta*"]))];
        for selection in both {
            assert!(selection.matches(&list(&["beta-2", "other", "alpha-1"])));
            assert!(!selection.matches(&list(&["alpha-1", "alpha-2"])), "{selection:?}");
            assert!(!selection.matches(&list(&["beta-1"])) && !selection.matches(&[]), "{selection:?}");
        }
    }
}
