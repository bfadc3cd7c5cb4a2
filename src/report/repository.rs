//! What is told of repositories before anything is done.

use serde_json::{Value, json};

use super::json;
use crate::pipeline::{Encryption, Mutability, TagMutability};
use crate::plan::{Change, Difference, RepositoryPlan, RepositorySpec, Setting};
use crate::retry::Sum;

/// One registry's repositories.
pub struct Registry<'a> {
    /// Its host.
    pub host: String,
    /// What is planned for its repositories.
    pub repositories: &'a [RepositoryPlan],
}

/// What `longshore repo plan` prints: `+` is new, `~` changes, `!` is not as it is stated and stays so, `=` is as it
/// should be.
pub fn text(registries: &[Registry<'_>]) -> String {
    let mut lines = Vec::new();
    for registry in registries {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("registry {}", registry.host));
        for planned in registry.repositories {
            self::lines(planned, &mut lines);
        }
    }
    let differs = |planned: &RepositoryPlan| planned.changes_anything() || !planned.drift().is_empty();
    if !registries.iter().flat_map(|registry| registry.repositories).any(differs) {
        lines.extend([String::new(), "nothing to do".to_owned()]);
    }
    lines.join("\n")
}

/// The same for programs. Fields are only ever added.
pub fn all_json(registries: &[Registry<'_>], retries: Sum) -> String {
    let listed = |registry: &Registry<'_>| {
        let repositories: Vec<Value> = registry.repositories.iter().map(json).collect();
        json!({ "registry": registry.host, "repositories": repositories })
    };
    let changes = registries.iter().flat_map(|registry| registry.repositories).any(RepositoryPlan::changes_anything);
    let document = json!({
        "version": 1,
        "changes": changes,
        "registries": registries.iter().map(listed).collect::<Vec<_>>(),
    });
    json::text(&json::with_retries(document, retries))
}

/// One repository for people.
pub(super) fn lines(planned: &RepositoryPlan, lines: &mut Vec<String>) {
    match planned {
        RepositoryPlan::Keep { name, drift } if drift.is_empty() => lines.push(format!("= repository {name}")),
        RepositoryPlan::Keep { name, .. } => lines.push(format!("! repository {name}")),
        RepositoryPlan::Create(spec) => lines.push(format!("+ repository {}{}", spec.name, settings(spec))),
        RepositoryPlan::Change { name, changes, .. } => {
            lines.push(format!("~ repository {name}"));
            changes.iter().for_each(|difference| difference_lines('~', difference, lines));
        }
        RepositoryPlan::OnPush { name, template } => {
            lines.push(format!("= repository {name}: ECR creates it at the first push, by the template `{template}`"));
        }
    }
    planned.drift().iter().for_each(|difference| difference_lines('!', difference, lines));
}

fn difference_lines(sign: char, difference: &Difference, lines: &mut Vec<String>) {
    lines.push(format!("  {sign} {}", difference.words()));
    let list = match difference.setting {
        Setting::Lifecycle => "rules",
        Setting::Policy => "Statement",
        _ => "",
    };
    if !list.is_empty() {
        let (there, wanted) = (items(&difference.there, list), items(&difference.wanted, list));
        lines.extend(there.iter().filter(|item| !wanted.contains(item)).map(|item| format!("      - {item}")));
        lines.extend(wanted.iter().filter(|item| !there.contains(item)).map(|item| format!("      + {item}")));
    }
    if let Err(why) = &difference.change {
        lines.push(format!("      {why}"));
    }
}

/// The rules or statements of a policy, each in one line.
fn items(policy: &Value, list: &str) -> Vec<String> {
    match policy.get(list) {
        Some(Value::Array(items)) => items.iter().map(Value::to_string).collect(),
        Some(one) => vec![one.to_string()],
        None if policy.is_null() => Vec::new(),
        None => vec![policy.to_string()],
    }
}

/// One repository for programs.
pub(super) fn json(planned: &RepositoryPlan) -> Value {
    let action = match planned {
        RepositoryPlan::Create(_) => "create",
        RepositoryPlan::Keep { .. } => "keep",
        RepositoryPlan::Change { .. } => "change",
        RepositoryPlan::OnPush { .. } => "on-push",
    };
    let mut told = json!({ "name": planned.name(), "action": action });
    match planned {
        RepositoryPlan::Create(spec) => told["settings"] = json!(spec),
        RepositoryPlan::Change { changes, .. } => {
            told["changes"] = changes.iter().map(difference_json).collect();
        }
        RepositoryPlan::OnPush { template, .. } => told["template"] = json!(template),
        RepositoryPlan::Keep { .. } => {}
    }
    if !planned.drift().is_empty() {
        told["drift"] = planned.drift().iter().map(difference_json).collect();
    }
    told
}

fn difference_json(difference: &Difference) -> Value {
    let mut told = json!({
        "setting": difference.setting,
        "there": difference.there,
        "wanted": difference.wanted,
    });
    match &difference.change {
        Err(why) => told["unchangeable"] = json!(why),
        Ok(Change::ResourceTags { remove, .. }) if !remove.is_empty() => told["remove"] = json!(remove),
        Ok(Change::ScanningRule) => told["registryWide"] = json!(true),
        Ok(_) => {}
    }
    told
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
        Encryption::Aes256 => {}
        Encryption::Kms { .. } => words.push("encrypted with KMS".to_owned()),
        Encryption::KmsDsse { .. } => words.push("encrypted twice with KMS".to_owned()),
    }
    match spec.lifecycle.as_ref().map(|policy| policy.rules().len()) {
        None => {}
        Some(1) => words.push("a lifecycle policy of 1 rule".to_owned()),
        Some(count) => words.push(format!("a lifecycle policy of {count} rules")),
    }
    if spec.policy.is_some() {
        words.push("a policy".to_owned());
    }
    if words.is_empty() { String::new() } else { format!(": {}", words.join("; ")) }
}
