//! What `longshore tags` prints.

use serde::Serialize;

use crate::plan::tags::DerivedTags;
use crate::plan::{PlannedTag, SkippedRule};

#[derive(Serialize)]
struct JsonImageTags<'a> {
    /// The first tag; null if there is none.
    version: Option<&'a str>,
    tags: Vec<&'a str>,
    explain: &'a [PlannedTag],
    skipped: &'a [SkippedRule],
}

/// The tags as JSON: `{"images": {NAME: {"version", "tags", "explain": [{"tag", "rule", "why"}], "skipped"}}}`.
pub fn json(images: &[(String, DerivedTags)]) -> String {
    let images = images.iter().map(|(name, derived)| {
        let tags: Vec<&str> = derived.tags.iter().map(|planned| planned.tag.as_str()).collect();
        let entry =
            JsonImageTags { version: tags.first().copied(), tags, explain: &derived.tags, skipped: &derived.skipped };
        (name.clone(), serde_json::to_value(entry).unwrap_or_default())
    });
    let images: serde_json::Map<String, serde_json::Value> = images.collect();
    super::json::text(&serde_json::json!({ "images": images }))
}

/// The tags one a line; with the image's name before them where there are several images.
pub fn plain(images: &[(String, DerivedTags)]) -> String {
    let mut text = String::new();
    for (name, derived) in images {
        for planned in &derived.tags {
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
pub fn explained(images: &[(String, DerivedTags)]) -> String {
    let mut text = String::new();
    for (name, derived) in images {
        text.push_str(&format!("{name}\n"));
        let given = derived.tags.iter().map(|planned| (planned.tag.as_str(), &planned.rule, &planned.why));
        let skipped = derived.skipped.iter().map(|skipped| ("-", &skipped.rule, &skipped.why));
        let rows: Vec<_> = given.chain(skipped).collect();
        let width = |of: fn(&(&str, &String, &String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let (tag_width, rule_width) = (width(|row| row.0.len()), width(|row| row.1.len()));
        for (tag, rule, why) in &rows {
            text.push_str(&format!("  {tag:tag_width$}  {rule:rule_width$}  {why}\n"));
        }
    }
    text
}
