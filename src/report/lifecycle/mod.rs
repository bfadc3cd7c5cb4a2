//! What `longshore lifecycle` prints.

mod json;
mod reach;
mod simulation;

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::lifecycle::{Action, Count, Disagreement, Moment, Policy, Rule, TagSelection};
use crate::retry::Sum;

pub use json::json;
pub use reach::{Reach, expiring, removing};
pub use simulation::{Bearing, text};

/// The policy in ECR's form, indented.
pub fn policy(policy: &Policy) -> String {
    super::json::text(policy)
}

/// What the linter says of a policy that is valid.
pub fn valid(name: &str, policy: &Policy, warnings: usize) -> String {
    let count = policy.rules().len();
    let rules = if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") };
    match warnings {
        0 => format!("{name}: {rules}, nothing to say"),
        1 => format!("{name}: {rules}, valid; 1 warning"),
        _ => format!("{name}: {rules}, valid; {warnings} warnings"),
    }
}

/// The findings of the linter as JSON: `{"valid", "rules", "errors", "warnings"}`.
pub fn lint_json(policy: Option<&Policy>, errors: &[Diagnostic], warnings: &[Diagnostic]) -> String {
    let told = |all: &[Diagnostic]| -> Vec<Value> { all.iter().map(super::json::diagnostic).collect() };
    super::json::text(&json!({
        "valid": policy.is_some(),
        "rules": policy.map(|policy| policy.rules().len()),
        "errors": told(errors),
        "warnings": told(warnings),
    }))
}

fn action_json(action: Action) -> Value {
    match action {
        Action::Expire => json!({ "type": "EXPIRE" }),
        Action::Archive => json!({ "type": "TRANSITION", "targetStorageClass": "ARCHIVE" }),
    }
}

/// Where ECR's preview and the simulation differ.
pub fn disagreements(found: &[Disagreement]) -> String {
    let told = |end: Option<(Action, u32)>| match end {
        None => "keeps it".to_owned(),
        Some((Action::Expire, rule)) => format!("deletes it by rule {rule}"),
        Some((Action::Archive, rule)) => format!("archives it by rule {rule}"),
    };
    if found.is_empty() {
        return "ECR's preview and the simulation agree".to_owned();
    }
    let lines = found
        .iter()
        .map(|one| format!("{}  ECR {}, the simulation {}", one.digest, told(one.service), told(one.simulation)));
    let head = format!("ECR's preview and the simulation differ for {} images:", found.len());
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The same as JSON: `{"agree", "disagreements": [{"imageDigest", "ecr", "simulation"}], "retries"}`.
pub fn disagreements_json(found: &[Disagreement], at: Moment, retries: Sum) -> Value {
    let end = |end: Option<(Action, u32)>| {
        end.map(|(action, rule)| json!({ "action": action_json(action), "appliedRulePriority": rule }))
    };
    let one = |found: &Disagreement| json!({ "imageDigest": found.digest, "ecr": end(found.service), "simulation": end(found.simulation) });
    json!({
        "at": at.text(),
        "agree": found.is_empty(),
        "disagreements": found.iter().map(one).collect::<Vec<_>>(),
        "retries": retries_json(retries),
    })
}

/// What had to be asked for again, in ECR's way of naming.
fn retries_json(retries: Sum) -> Value {
    json!({ "count": retries.retries, "waitedSeconds": super::json::seconds(retries.waited) })
}

/// A rule in words.
fn rule_words(rule: &Rule) -> String {
    let action = match rule.action {
        Action::Expire => "expire",
        Action::Archive => "archive",
    };
    let list =
        |texts: &[String], end: &str| texts.iter().map(|text| format!("{text}{end}")).collect::<Vec<_>>().join(" and ");
    let of = match &rule.tags {
        TagSelection::Any => "all images".to_owned(),
        TagSelection::Untagged => "untagged images".to_owned(),
        TagSelection::Prefixes(prefixes) => format!("images tagged {}", list(prefixes, "*")),
        TagSelection::Patterns(patterns) => format!("images tagged {}", list(patterns, "")),
    };
    let days = |count: u32| if count == 1 { "1 day".to_owned() } else { format!("{count} days") };
    let which = match rule.count {
        Count::MoreThan(count) => format!("{of} but the newest {count}"),
        Count::SincePushed(count) => format!("{of} pushed more than {} ago", days(count)),
        Count::SincePulled(count) => format!("{of} not pulled for more than {}", days(count)),
        Count::SinceTransitioned(count) => format!("{of} archived more than {} ago", days(count)),
    };
    format!("{action} {which}")
}
