//! IAM's own form, as far as it applies to a repository.

use super::actions::is_known;
use super::principal::is_aws;
use crate::tree::{At, Entry, Member, Members, Node, Problem, Problems, Value};

const POLICY: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
const PRINCIPALS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];
const NEWER: &str = "2012-10-17";

/// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// Says what is wrong with a policy, and what is valid and odd.
pub(super) fn check(node: &Node, problems: &mut Problems, doubts: &mut Problems) {
    let Some(policy) = Members::of(node, String::new(), &POLICY, problems) else { return };
    match policy.get("Version") {
        Some(version) => {
            version.word(&[(NEWER, ()), ("2008-10-17", ())], problems);
        }
        None => {
            let doubt = Problem::at(&node.at, "the policy has no `Version`, which means that of 2008");
            doubts.push(doubt.hint(format!("write `\"Version\": \"{NEWER}\"`")));
        }
    }
    if let Some(id) = policy.get("Id") {
        id.text(problems);
    }
    let Some(statements) = policy.required("Statement", problems) else { return };
    let all: Vec<(&Node, String)> = match &statements.node.value {
        Value::List(items) => {
            let path = |at: usize| format!("Statement[{at}]");
            items.iter().enumerate().map(|(at, node)| (node, path(at))).collect()
        }
        _ => vec![(statements.node, "Statement".to_owned())],
    };
    if all.is_empty() {
        problems.push(Problem::at(statements.at(), "`Statement` is empty: the policy says nothing"));
    }
    let mut ids: Vec<&str> = Vec::new();
    for (node, path) in all {
        let Some(members) = Members::of(node, path, &STATEMENT, problems) else { continue };
        if let Some(id) = members.get("Sid").and_then(|id| id.text(problems)) {
            if ids.contains(&id.value) {
                problems.push(Problem::at(&id.at, format!("two statements have the `Sid` `{}`", id.value)));
            }
            ids.push(id.value);
        }
        statement(&members, &node.at, problems, doubts);
    }
}

fn statement(members: &Members<'_>, at: &At, problems: &mut Problems, doubts: &mut Problems) {
    let effect = members.required("Effect", problems);
    let allows = effect.and_then(|effect| effect.word(&[("Allow", true), ("Deny", false)], problems));
    let everybody = match one_of(members, "Principal", "NotPrincipal", at, problems) {
        Some((member, false)) => principal(&member, problems),
        Some((member, true)) => {
            if allows.as_ref().is_some_and(|allows| allows.value) {
                let problem = Problem::at(member.at(), "`NotPrincipal` with `Allow` lets everybody else in");
                doubts.push(problem.hint("name those who may, under `Principal`"));
            }
            principal(&member, problems);
            false
        }
        None => false,
    };
    if let Some((member, _)) = one_of(members, "Action", "NotAction", at, problems) {
        actions(&member, problems, doubts);
    }
    for key in ["Resource", "NotResource"] {
        if let Some(member) = members.get(key) {
            texts(&member, problems);
            let doubt =
                Problem::at(member.at(), format!("`{}`: a repository's policy is about that repository", member.path));
            doubts.push(doubt.hint("leave it out"));
        }
    }
    let condition = members.get("Condition");
    if let Some(member) = &condition {
        conditions(member, problems);
    }
    if everybody && condition.is_none() && allows.is_some_and(|allows| allows.value) {
        let doubt = Problem::at(at, "this statement lets every AWS account in the world in");
        doubts.push(doubt.hint("name accounts, or add a condition such as `aws:PrincipalOrgID`"));
    }
}

/// The member under one of two names that exclude each other, and whether it is the second.
fn one_of<'n>(
    members: &Members<'n>,
    plain: &str,
    not: &str,
    at: &At,
    problems: &mut Problems,
) -> Option<(Member<'n>, bool)> {
    match (members.get(plain), members.get(not)) {
        (Some(_), Some(second)) => {
            problems.push(Problem::at(second.at(), format!("a statement has both `{plain}` and `{not}`")));
            None
        }
        (Some(member), None) => Some((member, false)),
        (None, Some(member)) => Some((member, true)),
        (None, None) => {
            problems.push(Problem::at(at, format!("this statement has no `{plain}`")));
            None
        }
    }
}

/// Whether it means everybody.
fn principal(member: &Member<'_>, problems: &mut Problems) -> bool {
    if let Value::Text(text) = &member.node.value {
        if text != "*" {
            let problem = Problem::at(member.at(), format!("`{}` must be `*` or a map, not `{text}`", member.path));
            problems.push(problem.hint(format!("write `{{\"AWS\": \"{text}\"}}`")));
        }
        return text == "*";
    }
    let Some(kinds) = Members::of(member.node, member.path.clone(), &PRINCIPALS, problems) else { return false };
    let mut everybody = false;
    for kind in PRINCIPALS {
        let Some(who) = kinds.get(kind) else { continue };
        for (text, at) in texts(&who, problems) {
            everybody |= kind == "AWS" && text == "*";
            let problem = match kind {
                "AWS" if !is_aws(&text) => {
                    format!("`{text}` is no principal: `AWS` takes accounts and the ARNs of users and roles")
                }
                "Service" if !text.contains('.') => format!("`{text}` is no service, such as `lambda.amazonaws.com`"),
                _ => continue,
            };
            problems.push(Problem::at(&at, problem));
        }
    }
    everybody
}

fn actions(member: &Member<'_>, problems: &mut Problems, doubts: &mut Problems) {
    for (text, at) in texts(member, problems) {
        let service = text.split_once(':').map(|(service, _)| service);
        if text == "*" || service.is_some_and(|service| service.eq_ignore_ascii_case("ecr")) {
            if text.eq_ignore_ascii_case("ecr:GetAuthorizationToken") {
                let doubt = Problem::at(
                    &at,
                    "`ecr:GetAuthorizationToken` is of no repository, so that no repository's policy can allow it",
                );
                doubts.push(doubt.hint("allow it on `*` in the IAM policy of those who log in"));
            } else if !is_known(&text) {
                doubts.push(Problem::at(&at, format!("`{text}` is no action on a repository that is known here")));
            }
        } else {
            let problem = Problem::at(&at, format!("`{text}` is no action of ECR"));
            problems.push(problem.hint("write actions as in `ecr:BatchGetImage`"));
        }
    }
}

fn conditions(member: &Member<'_>, problems: &mut Problems) {
    let Some(operators) = member.node.entries() else {
        member.wrong("a map of operators", problems);
        return;
    };
    for Entry { key, key_at, value } in operators {
        let plain = key.rsplit_once(':').map_or(key.as_str(), |(set, rest)| {
            if matches!(set, "ForAllValues" | "ForAnyValue") { rest } else { key.as_str() }
        });
        let plain = plain.strip_suffix("IfExists").unwrap_or(plain);
        if !OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(plain)) {
            let problem = Problem::at(key_at, format!("`{key}` is no condition operator"));
            problems.push(problem.hint("write one such as `StringEquals`, `ArnLike` or `Bool`"));
        }
        let operator = Member { node: value, path: format!("{}.{key}", member.path) };
        let Some(keys) = value.entries() else {
            operator.wrong("a map of condition keys", problems);
            continue;
        };
        for key in keys {
            let path = format!("{}.{}", operator.path, key.key);
            if !key.key.contains(':') {
                let problem = Problem::at(&key.key_at, format!("`{}` is no condition key", key.key));
                problems.push(problem.hint("write one such as `aws:PrincipalOrgID`"));
            }
            texts(&Member { node: &key.value, path }, problems);
        }
    }
}

/// One text or a list of them; IAM takes numbers and booleans for texts.
fn texts(member: &Member<'_>, problems: &mut Problems) -> Vec<(String, At)> {
    let text = |node: &Node| match &node.value {
        Value::Text(text) | Value::Number(text) => Some((text.clone(), node.at.clone())),
        Value::Flag(flag) => Some((flag.to_string(), node.at.clone())),
        _ => None,
    };
    let nodes: Vec<&Node> = match &member.node.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![member.node],
    };
    let found: Vec<(String, At)> = nodes.iter().filter_map(|node| text(node)).collect();
    if found.len() < nodes.len() {
        member.wrong("a text or a list of texts", problems);
    } else if found.is_empty() {
        problems.push(Problem::at(member.at(), format!("`{}` is empty", member.path)));
    }
    found
}
