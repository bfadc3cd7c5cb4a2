//! What `longshore lifecycle` prints.

mod simulation;

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::lifecycle::{Action, Count, Disagreement, Image, Moment, Outcome, Pass, Policy, Rule, TagSelection};

pub use simulation::{Price, text};

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

/// A simulation in the shape of ECR's GetLifecyclePolicyPreview, with what that does not tell beside it: `at`,
/// `referrers`, `kept` (reasons and counts), `freed`, and `passes` where there are several.
pub fn json(repository: Option<&str>, policy: &Policy, first: &Outcome<'_>, passes: &[Pass], price: &Price) -> String {
    let taken = first.taken.iter().map(|taken| (taken.image, taken.action, taken.priority));
    let mut value = json!({
        "repositoryName": repository,
        "lifecyclePolicyText": policy.to_text(),
        "status": "COMPLETE",
        "at": first.at.text(),
        "previewResults": results(taken.clone()),
        "summary": summary(taken),
        "kept": simulation::kept(first).into_iter().map(|(why, count, _)| json!({ "reason": why, "imageCount": count })).collect::<Vec<_>>(),
        "freed": price.freed(first.taken.iter().map(|taken| (taken.image, taken.action))).to_json(price),
    });
    if repository.is_none()
        && let Some(members) = value.as_object_mut()
    {
        members.shift_remove("repositoryName");
    }
    let referrers = |pass: &Pass| -> Vec<Value> {
        let one = |(image, action): &(Image, Action)| json!({ "imageDigest": image.digest, "subjectManifestDigest": image.subject, "action": action_json(*action) });
        pass.referrers.iter().map(one).collect()
    };
    if let Some(pass) = passes.first() {
        value["referrers"] = referrers(pass).into();
    }
    if passes.len() > 1 {
        let each = passes.iter().map(|pass| {
            let taken = pass.taken.iter().map(|(image, action, priority)| (image, *action, *priority));
            json!({
                "at": pass.at.text(),
                "previewResults": results(taken.clone()),
                "summary": summary(taken),
                "referrers": referrers(pass),
            })
        });
        value["passes"] = each.collect();
    }
    super::json::text(&value)
}

fn results<'a>(taken: impl Iterator<Item = (&'a Image, Action, u32)>) -> Vec<Value> {
    let one = |(image, action, priority): (&Image, Action, u32)| {
        json!({
            "imageTags": image.tags,
            "imageDigest": image.digest,
            "imagePushedAt": image.pushed_at.text(),
            "action": action_json(action),
            "appliedRulePriority": priority,
            "storageClass": if image.state == crate::lifecycle::ImageState::Archived { "ARCHIVE" } else { "STANDARD" },
        })
    };
    taken.map(one).collect()
}

fn action_json(action: Action) -> Value {
    match action {
        Action::Expire => json!({ "type": "EXPIRE" }),
        Action::Archive => json!({ "type": "TRANSITION", "targetStorageClass": "ARCHIVE" }),
    }
}

/// As ECR counts: what is not archived at all is not mentioned.
fn summary<'a>(taken: impl Iterator<Item = (&'a Image, Action, u32)>) -> Value {
    let (mut expiring, mut transitioning) = (0, 0);
    for (_, action, _) in taken {
        *(if action == Action::Expire { &mut expiring } else { &mut transitioning }) += 1;
    }
    let mut summary = json!({ "expiringImageTotalCount": expiring });
    if transitioning > 0 {
        let counts = json!([{ "targetStorageClass": "ARCHIVE", "imageTotalCount": transitioning }]);
        summary["transitioningImageTotalCounts"] = counts;
    }
    summary
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

/// The same as JSON: `{"agree", "disagreements": [{"imageDigest", "ecr", "simulation"}]}`.
pub fn disagreements_json(found: &[Disagreement], at: Moment) -> Value {
    let end = |end: Option<(Action, u32)>| {
        end.map(|(action, rule)| json!({ "action": action_json(action), "appliedRulePriority": rule }))
    };
    let one = |found: &Disagreement| json!({ "imageDigest": found.digest, "ecr": end(found.service), "simulation": end(found.simulation) });
    json!({
        "at": at.text(),
        "agree": found.is_empty(),
        "disagreements": found.iter().map(one).collect::<Vec<_>>(),
    })
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
