//! From a policy as written to a policy as meant, or to everything that is wrong with it.

mod check;
mod ecr;
mod short;

use super::policy::{Policy, Rule};
use crate::tree::{At, Node, Problem, Problems, Value, json, sorted};
pub use short::FIELDS as SHORT_FORM;

/// The length of a policy's text, in characters. Source: ECR API model, `LifecyclePolicyText`.
pub const MAX_TEXT: usize = 30_720;
const MIN_TEXT: usize = 100;
/// Source: ECR user guide, "Service quotas".
const MAX_RULES: usize = 50;

/// ECR's words for a text that is no JSON.
const NOT_JSON: &str = "Could not map policyString into LifecyclePolicy.";

/// A policy, and where each of its rules was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The policy.
    pub policy: Policy,
    /// Where its rules were written, in their order.
    pub places: Vec<At>,
}

impl Written {
    /// Puts the rules in the order of their priorities.
    fn sorted(mut rules: Vec<(Rule, At)>) -> Self {
        rules.sort_by_key(|(rule, _)| rule.priority);
        let (rules, places) = rules.into_iter().unzip();
        Written { policy: Policy { rules }, places }
    }
}

/// Reads a policy in ECR's own form or in the short form.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn read(node: &Node) -> Result<Written, Problems> {
    of_any_length(node).and_then(fitting)
}

fn of_any_length(node: &Node) -> Result<Written, Problems> {
    let mut problems = Vec::new();
    let rules = match &node.value {
        Value::List(items) => short::read(items, &node.at, &mut problems),
        Value::Map(entries) if node.get("rules").is_none() && entries.iter().any(|e| short::is_known(&e.key)) => {
            short::read(std::slice::from_ref(node), &node.at, &mut problems)
        }
        _ => ecr::read(node, &mut problems),
    };
    if !problems.is_empty() {
        return Err(sorted(problems));
    }
    let written = Written::sorted(rules);
    Ok(written)
}

/// The length counts for the text that ECR is given.
fn fitting(written: Written) -> Result<Written, Problems> {
    let length = written.policy.to_text().chars().count();
    if length > MAX_TEXT { Err(vec![too_long(length)]) } else { Ok(written) }
}

/// Reads a policy as JSON, the text as it would be sent to ECR.
///
/// # Errors
/// Text that is no JSON; or everything else that is wrong with it, its length included.
pub fn read_json(text: &str) -> Result<Written, Problems> {
    let node = json::parse(text).map_err(|unreadable| match unreadable {
        json::Unreadable::NoJson(problem) => vec![problem.service(NOT_JSON)],
        json::Unreadable::Twice(problems) => problems,
    })?;
    let result = of_any_length(&node);
    if node.get("rules").is_none() && result.is_ok() {
        // The short form is ours, and what counts for ECR is what it becomes.
        return result.and_then(fitting);
    }
    let length = text.chars().count();
    let problem = match length {
        ..MIN_TEXT => Problem::of_all(format!(
            "the policy is too short: its text has {length} characters, ECR takes {MIN_TEXT} to {MAX_TEXT}"
        )),
        MIN_TEXT..=MAX_TEXT => return result,
        _ => too_long(length),
    };
    let problem = match &result {
        Ok(written) if length > MAX_TEXT => {
            let without = written.policy.to_text().chars().count();
            problem.hint(format!("without white space it has {without}"))
        }
        _ => problem,
    };
    let mut problems = result.err().unwrap_or_default();
    problems.push(problem);
    Err(sorted(problems))
}

fn too_long(length: usize) -> Problem {
    Problem::of_all(format!("the policy is too long: its text has {length} characters, ECR takes at most {MAX_TEXT}"))
}

fn too_many_rules(at: &At, count: usize) -> Problem {
    Problem::at(at, format!("the policy has {count} rules, ECR takes at most {MAX_RULES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_archived_stays_for_ninety_days() {
        let of_days = |days: u32| {
            let selection = format!(
                r#"{{"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":{days}}}"#
            );
            read_json(&format!(
                r#"{{"rules":[{{"rulePriority":1,"selection":{selection},"action":{{"type":"expire"}}}}]}}"#
            ))
        };
        assert!(of_days(90).is_ok() && of_days(89).is_err());
    }
}
