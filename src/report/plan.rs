//! What `longshore plan` prints.

use serde::Serialize;
use serde_json::{Value, json};

use super::json;
use crate::names::{Digest, Tag};
use crate::pipeline::{Mutability, TagMutability};
use crate::plan::{ImageAction, ImagePlan, Plan, RepositoryPlan, RepositorySpec, TagChange};

/// The plan for people. `+` is new, `~` changes, `=` stays.
pub fn text(plan: &Plan) -> String {
    let mut lines = vec![format!("registry {}", plan.registry)];
    for repository in &plan.repositories {
        lines.push(match repository {
            RepositoryPlan::Keep { name } => format!("= repository {name}"),
            RepositoryPlan::Create(spec) => format!("+ repository {}{}", spec.name, settings(spec)),
        });
    }
    for image in &plan.images {
        lines.push(String::new());
        image_lines(image, &mut lines);
    }
    if !plan.changes_anything() {
        lines.extend([String::new(), "nothing to do".to_owned()]);
    }
    lines.join("\n")
}

fn settings(spec: &RepositorySpec) -> String {
    let mut words = Vec::new();
    let TagMutability { mode, except } = &spec.tag_mutability;
    if *mode == Mutability::Immutable || !except.is_empty() {
        let mode = if *mode == Mutability::Immutable { "immutable tags" } else { "mutable tags" };
        let but = if except.is_empty() { String::new() } else { format!(" except {}", except.join(", ")) };
        words.push(format!("{mode}{but}"));
    }
    match spec.scan_on_push {
        Some(true) => words.push("scanned on push".to_owned()),
        Some(false) => words.push("not scanned on push".to_owned()),
        None => {}
    }
    match &spec.encryption {
        crate::pipeline::Encryption::Aes256 => {}
        crate::pipeline::Encryption::Kms { .. } => words.push("encrypted with KMS".to_owned()),
        crate::pipeline::Encryption::KmsDsse { .. } => words.push("encrypted twice with KMS".to_owned()),
    }
    match spec.lifecycle.as_ref().map(|policy| policy.rules().len()) {
        None => {}
        Some(1) => words.push("a lifecycle policy of 1 rule".to_owned()),
        Some(count) => words.push(format!("a lifecycle policy of {count} rules")),
    }
    if words.is_empty() { String::new() } else { format!(": {}", words.join("; ")) }
}

fn image_lines(image: &ImagePlan, lines: &mut Vec<String>) {
    match &image.action {
        ImageAction::Build { why, .. } => {
            lines.push(format!("+ {}: build and push to {}", image.name, image.repository));
            lines.extend(why.iter().map(|why| format!("    {why}")));
        }
        ImageAction::Reuse { digest, why } => {
            lines.push(format!("= {}: reuse {} in {}", image.name, digest.short(), image.repository));
            lines.push(format!("    {why}"));
        }
    }
    let width = image.tags.iter().map(|planned| planned.tag.as_str().len()).max().unwrap_or(0);
    for planned in &image.tags {
        let (sign, now) = match (image.tag_change(&planned.tag), image.taken.get(&planned.tag)) {
            (TagChange::Move, Some(before)) => ('~', format!(", now {}", before.short())),
            (TagChange::Keep, _) => ('=', String::new()),
            (TagChange::New | TagChange::Move, _) => ('+', String::new()),
        };
        lines.push(format!("  {sign} {:width$}  {}: {}{now}", planned.tag.as_str(), planned.rule, planned.why));
    }
    for skipped in &image.skipped {
        lines.push(format!("    {:width$}  {}: {}", "-", skipped.rule, skipped.why));
    }
}

/// The plan for programs. Fields are only ever added.
pub fn json(plan: &Plan) -> String {
    json::text(&json!({
        "version": 1,
        "changes": plan.changes_anything(),
        "registry": plan.registry,
        "repositories": plan.repositories.iter().map(repository).collect::<Vec<_>>(),
        "images": plan.images.iter().map(image).collect::<Vec<_>>(),
    }))
}

fn repository(planned: &RepositoryPlan) -> Value {
    let action = if matches!(planned, RepositoryPlan::Create(_)) { "create" } else { "keep" };
    json!({ "name": planned.name(), "action": action })
}

#[derive(Serialize)]
struct JsonTag<'a> {
    tag: &'a Tag,
    rule: &'a str,
    why: &'a str,
    /// `new`, `move` or `keep`.
    change: TagChange,
    /// What it names now.
    now: Option<&'a Digest>,
}

fn image(image: &ImagePlan) -> Value {
    let (action, digest, why) = match &image.action {
        ImageAction::Build { why, .. } => ("build", None, why.as_slice()),
        ImageAction::Reuse { digest, why } => ("reuse", Some(digest), std::slice::from_ref(why)),
    };
    let tags = image.tags.iter().map(|planned| JsonTag {
        tag: &planned.tag,
        rule: &planned.rule,
        why: &planned.why,
        change: image.tag_change(&planned.tag),
        now: image.taken.get(&planned.tag),
    });
    json!({
        "name": image.name,
        "container": image.container,
        "repository": image.repository,
        "action": action,
        "why": why,
        "digest": digest,
        "staging": image.staging,
        "tags": tags.collect::<Vec<_>>(),
        "skipped": image.skipped,
    })
}

/// What must be built, as the JSON list that a CI system makes a matrix of: `["web","worker"]`, in one line.
pub fn matrix(plan: &Plan) -> String {
    let built = plan.images.iter().filter(|image| matches!(image.action, ImageAction::Build { .. }));
    Value::from_iter(built.map(|image| image.name.as_str())).to_string()
}
