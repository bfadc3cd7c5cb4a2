//! What ECR accepts, and people do not expect.

use super::pattern::Entry;
use super::policy::{Action, Count, Rule, StorageClass, TagSelection};
use super::read::Written;
use crate::tree::{Problem, Problems, sorted};

/// What a pipeline says of the tags in its repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Its release tags, as far as they can be told beforehand: environments and literal tags.
    pub release_tags: Vec<String>,
}

/// What the tags of content keys begin with; reuse and staging rest on them.
const CONTENT_KEY: &str = "src-";

/// A rule that keeps so many images or days takes none in practice; the guide's own idiom for protecting images.
const NEVER: u32 = 9999;

/// Everything that is odd about a policy, in the order of its text. `declared` is what a pipeline says, if there is one.
pub fn doubts(written: &Written, declared: Option<&Declared>) -> Problems {
    let rules = written.policy.rules();
    let mut doubts = Vec::new();
    for (number, (rule, at)) in rules.iter().zip(&written.places).enumerate() {
        let above = &rules[..number];
        let mut doubt = |message: String, hint: String| doubts.push(Problem::at(at, message).hint(hint));
        let priority = rule.priority;
        let entries = rule.tags.entries();
        if entries.len() > 1 {
            let (kind, one) = match rule.tags {
                TagSelection::Prefixes(_) => ("prefixes", "a prefix"),
                _ => ("patterns", "a pattern"),
            };
            doubt(
                format!(
                    "rule {priority} lists {} {kind}, and takes only images with a tag for every one",
                    entries.len()
                ),
                format!("to mean any of them, write a rule for each of them: {one} in a list adds a condition"),
            );
        }
        for entry in entries {
            if let Some((message, hint)) = odd_entry(rule, entry, above) {
                doubt(message, hint);
            }
        }
        if let Some(by) = shadowed(rule, above) {
            doubt(
                format!("rule {priority} can never act: {by} the same images"),
                "a higher rule shields all that it matches, also what it keeps; change the order or the selection"
                    .to_owned(),
            );
        } else if acts(rule) {
            releases(rule, above, declared, &mut doubt);
        }
    }
    sorted(doubts)
}

fn odd_entry(rule: &Rule, entry: Entry<'_>, above: &[Rule]) -> Option<(String, String)> {
    let priority = rule.priority;
    match entry {
        Entry::Prefix(text) if text.contains('*') => Some((
            format!("rule {priority}: prefix `{text}` matches no tag: `*` is literal in a prefix"),
            "write it in `tagPatternList`".to_owned(),
        )),
        Entry::Prefix("") => Some((
            format!("rule {priority}: the empty prefix matches every tag"),
            "write `\"tagPatternList\": [\"*\"]`, if that is meant".to_owned(),
        )),
        Entry::Prefix(text) | Entry::Pattern(text) if !entry.can_match() => Some((
            format!("rule {priority}: no tag can match `{text}`"),
            "tags are letters, digits, `_`, `.` and `-`, and begin with neither `.` nor `-`".to_owned(),
        )),
        Entry::Pattern(text) => {
            let same = above
                .iter()
                .find(|other| other.storage() == rule.storage() && other.tags.entries().contains(&entry))?;
            Some((
                format!("pattern `{text}` stands in rule {} and in rule {priority}", same.priority),
                "ECR refuses a prefix that comes twice; whether it refuses a pattern too is not documented".to_owned(),
            ))
        }
        Entry::Prefix(_) => None,
    }
}

/// The higher rules that together match all that this one does, with the verb.
fn shadowed(rule: &Rule, above: &[Rule]) -> Option<String> {
    let same = |other: &&Rule| other.storage() == rule.storage();
    if let Some(other) = above.iter().filter(same).find(|other| rule.tags.is_within(&other.tags)) {
        return Some(format!("rule {} matches", other.priority));
    }
    if rule.tags != TagSelection::Any {
        return None;
    }
    let all_tags = TagSelection::Patterns(vec!["*".to_owned()]);
    let tagged = above.iter().filter(same).find(|other| all_tags.is_within(&other.tags))?;
    let untagged = above.iter().filter(same).find(|other| other.tags == TagSelection::Untagged)?;
    let (first, second) = (tagged.priority.min(untagged.priority), tagged.priority.max(untagged.priority));
    Some(format!("rules {first} and {second} together match"))
}

/// Whether the rule takes images in practice.
fn acts(rule: &Rule) -> bool {
    rule.count.number() < NEVER
}

fn releases(rule: &Rule, above: &[Rule], declared: Option<&Declared>, doubt: &mut impl FnMut(String, String)) {
    if rule.storage() != StorageClass::Standard {
        return;
    }
    let priority = rule.priority;
    let verb = match rule.action {
        Action::Expire => "delete",
        Action::Archive => "archive",
    };
    let shielded = |entry: Entry<'_>| {
        let alone = |other: &&Rule| other.tags.entries().len() == 1 && other.storage() == rule.storage();
        above.iter().filter(alone).any(|other| entry.is_within(other.tags.entries()[0]))
    };
    let which = how_many(rule.count);
    let takes_keys = match &rule.tags {
        TagSelection::Any => declared.is_some(),
        TagSelection::Untagged => false,
        tags => tags.entries().into_iter().all(|entry| entry.can_match_beginning(CONTENT_KEY)),
    };
    if takes_keys && !shielded(Entry::Prefix(CONTENT_KEY)) {
        doubt(
            format!(
                "rule {priority} would {verb} images with content keys (`src-…`){which}, whatever else they are tagged with"
            ),
            "an image whose key is gone is built again; and its release tags go with it".to_owned(),
        );
    }
    let Some(declared) = declared else { return };
    let taken: Vec<String> = declared
        .release_tags
        .iter()
        .filter(|tag| match &rule.tags {
            TagSelection::Any => true,
            TagSelection::Untagged => false,
            tags => tags.entries().into_iter().any(|entry| entry.matches(tag)),
        })
        .filter(|tag| !shielded(Entry::Pattern(tag)))
        .map(|tag| format!("`{tag}`"))
        .collect();
    if !taken.is_empty() {
        doubt(
            format!("rule {priority} would {verb} images with the release tags {}{which}", taken.join(", ")),
            "put a rule above it that matches them and keeps 9999, or `protect` them in the short form".to_owned(),
        );
    }
}

fn how_many(count: Count) -> String {
    match count {
        Count::MoreThan(count) => format!(" beyond the newest {count}"),
        Count::SincePushed(days) => format!(" {days} days after their push"),
        Count::SincePulled(days) => format!(" {days} days after their last pull"),
        Count::SinceTransitioned(days) => format!(" {days} days in the archive"),
    }
}
