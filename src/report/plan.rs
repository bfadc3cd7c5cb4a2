//! What `longshore plan` prints.

use serde::Serialize;
use serde_json::{Value, json};

use super::{json, repository};
use crate::names::{Digest, Tag};
use crate::plan::{GatePlan, ImageAction, ImagePlan, PartAction, PartPlan, Plan, ReplicaPlan, Signing, TagChange};
use crate::retry::Sum;
use crate::scan::OnUnsupported;

/// The plan for people. `+` is new, `~` changes, `=` stays.
pub fn text(plan: &Plan) -> String {
    let mut lines = vec![format!("registry {}", plan.registry)];
    for planned in &plan.repositories {
        repository::lines(planned, &mut lines);
    }
    for image in &plan.images {
        lines.push(String::new());
        image_lines(image, &mut lines);
    }
    for replica in &plan.replicas {
        lines.push(String::new());
        replica_lines(plan, replica, &mut lines);
    }
    if !plan.changes_anything() {
        lines.extend([String::new(), "nothing to do".to_owned()]);
    }
    lines.join("\n")
}

/// What differs in a replica from the run's own registry: its repositories, and what its tags name.
fn replica_lines(plan: &Plan, replica: &ReplicaPlan, lines: &mut Vec<String>) {
    let by = if replica.wait.is_some() { ", by ECR's own replication" } else { "" };
    lines.push(format!("replica {}{by}", replica.registry));
    for planned in replica.repositories.iter().filter(|planned| planned.changes_anything()) {
        repository::lines(planned, lines);
    }
    for (image, there) in plan.images.iter().zip(&replica.images) {
        let with = |wanted: TagChange| {
            let tags = image.tags.iter().filter(|planned| there.tag_change(&planned.tag, &image.action) == wanted);
            tags.map(|planned| planned.tag.as_str()).collect::<Vec<_>>().join(", ")
        };
        let changes = [('+', with(TagChange::New)), ('~', with(TagChange::Move)), ('=', with(TagChange::Keep))];
        let changes = changes.into_iter().filter(|(_, tags)| !tags.is_empty());
        lines.extend(changes.map(|(sign, tags)| format!("{sign} {}: {tags}", image.name)));
    }
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
        ImageAction::Assemble { why, parts } => {
            lines.push(format!("+ {}: assemble {} images in {}", image.name, parts.len(), image.repository));
            lines.extend(why.iter().map(|why| format!("    {why}")));
            parts.iter().for_each(|part| part_lines(part, lines));
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
    lines.extend(image.gate.as_ref().map(|gate| format!("    gate: {}", gate_words(gate))));
    if image.signing == Signing::Require {
        lines.push("    signing: released only when ECR has signed it".to_owned());
    }
}

/// What keeps the release tags back, in one line.
fn gate_words(gate: &GatePlan) -> String {
    let policy = &gate.policy;
    let mut words = vec![format!("released only if its scan finds nothing as bad as {}", policy.fail_on)];
    if policy.unsupported == OnUnsupported::Warn {
        words.push("or if it cannot be scanned".to_owned());
    }
    let (over, borne): (Vec<_>, Vec<_>) = policy.ignore.iter().partition(|ignore| ignore.until < gate.today);
    words.extend(borne.iter().map(|ignore| format!("{} is ignored until {}", ignore.id, ignore.until)));
    words.extend(over.iter().map(|ignore| format!("{} was ignored until {} only", ignore.id, ignore.until)));
    words.join(", ")
}

fn part_lines(part: &PartPlan, lines: &mut Vec<String>) {
    match &part.action {
        PartAction::Build { why, .. } => {
            lines.push(format!("  + {}: build and push", part.platform));
            lines.extend(why.iter().map(|why| format!("      {why}")));
        }
        PartAction::Reuse { digest, why } => {
            lines.push(format!("  = {}: reuse {}", part.platform, digest.short()));
            lines.push(format!("      {why}"));
        }
    }
}

/// The plan for programs. Fields are only ever added.
pub fn json(plan: &Plan, retries: Sum) -> String {
    let document = json!({
        "version": 1,
        "changes": plan.changes_anything(),
        "registry": plan.registry,
        "repositories": plan.repositories.iter().map(repository::json).collect::<Vec<_>>(),
        "images": plan.images.iter().map(image).collect::<Vec<_>>(),
        "replicas": plan.replicas.iter().map(|replica| replicated(plan, replica)).collect::<Vec<_>>(),
    });
    json::text(&json::with_retries(document, retries))
}

fn replicated(plan: &Plan, replica: &ReplicaPlan) -> Value {
    let images = plan.images.iter().zip(&replica.images).map(|(image, there)| {
        let tags = image.tags.iter().map(|planned| JsonTag {
            tag: &planned.tag,
            rule: &planned.rule,
            why: &planned.why,
            change: there.tag_change(&planned.tag, &image.action),
            now: there.taken.get(&planned.tag),
        });
        json!({ "name": image.name, "tags": tags.collect::<Vec<_>>() })
    });
    json!({
        "registry": replica.registry,
        "repositories": replica.repositories.iter().map(repository::json).collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
        "by": if replica.wait.is_some() { "replication" } else { "copy" },
    })
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
        ImageAction::Assemble { why, .. } => ("assemble", None, why.as_slice()),
    };
    let tags = image.tags.iter().map(|planned| JsonTag {
        tag: &planned.tag,
        rule: &planned.rule,
        why: &planned.why,
        change: image.tag_change(&planned.tag),
        now: image.taken.get(&planned.tag),
    });
    let mut value = json!({
        "name": image.name,
        "container": image.container,
        "repository": image.repository,
        "action": action,
        "why": why,
        "digest": digest,
        "staging": image.staging,
        "parts": parts(image),
        "tags": tags.collect::<Vec<_>>(),
        "skipped": image.skipped,
    });
    if let Some(gate) = &image.gate {
        value["gate"] = json!(gate);
    }
    if !image.signing.is_ignored() {
        value["signing"] = json!(image.signing);
    }
    value
}

fn parts(image: &ImagePlan) -> Vec<Value> {
    let ImageAction::Assemble { parts, .. } = &image.action else { return Vec::new() };
    let json = |part: &PartPlan| {
        let (action, digest, why) = match &part.action {
            PartAction::Build { why, .. } => ("build", None, why.as_slice()),
            PartAction::Reuse { digest, why } => ("reuse", Some(digest), std::slice::from_ref(why)),
        };
        json!({ "platform": part.platform, "action": action, "why": why, "digest": digest, "staging": part.staging })
    };
    parts.iter().map(json).collect()
}

/// What must be built, as the JSON list that a CI system makes a matrix of: `["web","worker"]`, in one line.
pub fn matrix(plan: &Plan) -> String {
    let built = plan.images.iter().filter(|image| image.action.builds());
    Value::from_iter(built.map(|image| image.name.as_str())).to_string()
}
