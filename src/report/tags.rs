//! What `longshore tags` prints.

use serde::Serialize;

use crate::plan::labels::Labels;
use crate::plan::tags::DerivedTags;
use crate::plan::{PlannedTag, SkippedRule};

/// An image's tags, and what goes with them.
#[derive(Debug)]
pub struct Tagged {
    /// The tags.
    pub derived: DerivedTags,
    /// The labels.
    pub labels: Labels,
    /// The annotations, `level:key=value` each, where they were asked for.
    pub annotations: Option<Vec<String>>,
}

#[derive(Serialize)]
struct JsonTags<'a> {
    /// The first tag; null if there is none.
    version: Option<&'a str>,
    tags: Vec<&'a str>,
    labels: &'a Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a [String]>,
    explain: &'a [PlannedTag],
    skipped: &'a [SkippedRule],
}

impl<'a> From<&'a Tagged> for JsonTags<'a> {
    fn from(tagged: &'a Tagged) -> Self {
        let tags: Vec<&str> = tagged.derived.tags.iter().map(|planned| planned.tag.as_str()).collect();
        JsonTags {
            version: tags.first().copied(),
            tags,
            labels: &tagged.labels,
            annotations: tagged.annotations.as_deref(),
            explain: &tagged.derived.tags,
            skipped: &tagged.derived.skipped,
        }
    }
}

/// The tags as JSON: `{"images": {NAME: …}}` with [`json_of_rules`] for each.
pub fn json(images: &[(String, Tagged)]) -> String {
    let images = images
        .iter()
        .map(|(name, tagged)| (name.clone(), serde_json::to_value(JsonTags::from(tagged)).unwrap_or_default()));
    let images: serde_json::Map<String, serde_json::Value> = images.collect();
    super::json::text(&serde_json::json!({ "images": images }))
}

/// The tags as JSON: `{"version", "tags", "labels", "explain": [{"tag", "rule", "why"}], "skipped": [{"rule", "why"}]}`.
pub fn json_of_rules(tagged: &Tagged) -> String {
    super::json::text(&JsonTags::from(tagged))
}

/// The tags one a line; with the image's name before them where there are several images.
pub fn plain(images: &[(String, Tagged)]) -> String {
    let mut text = String::new();
    for (name, tagged) in images {
        for planned in &tagged.derived.tags {
            if images.len() > 1 {
                text.push_str(name);
                text.push(' ');
            }
            text.push_str(planned.tag.as_str());
            text.push('\n');
        }
    }
    text
}

/// The tags with the rule and the fact behind each, and the rules that gave none.
pub fn explained(images: &[(String, Tagged)]) -> String {
    images.iter().map(|(name, tagged)| format!("{name}\n{}", rows(&tagged.derived, "  "))).collect()
}

/// Like [`explained`], for rules that belong to no image.
pub fn explained_rules(tagged: &Tagged) -> String {
    rows(&tagged.derived, "")
}

fn rows(derived: &DerivedTags, indent: &str) -> String {
    let given = derived.tags.iter().map(|planned| (planned.tag.as_str(), &planned.rule, &planned.why));
    let skipped = derived.skipped.iter().map(|skipped| ("-", &skipped.rule, &skipped.why));
    let rows: Vec<_> = given.chain(skipped).collect();
    let width = |of: fn(&(&str, &String, &String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (tag_width, rule_width) = (width(|row| row.0.len()), width(|row| row.1.chars().count()));
    let rows = rows.iter().map(|(tag, rule, why)| format!("{indent}{tag:tag_width$}  {rule:rule_width$}  {why}\n"));
    rows.collect()
}
