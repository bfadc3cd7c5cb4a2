//! The short form: `{ pull: [WHO, …], push: [WHO, …] }`.
//!
//! WHO is an account, the ARN of a role or user, the id of an organization, or `lambda`, for functions of the accounts
//! that the same list names; `lambda:ACCOUNT` for those of one account. A service alone is never let in: it acts for
//! everybody's functions.

use serde_json::{Value, json};

use super::actions::{PULL, PUSH};
use super::principal::{is_arn, is_organization};
use crate::names::AccountId;
use crate::tree::{Member, Members, Node, Placed, Problem, Problems, Value as Tree};

const FIELDS: [&str; 2] = ["pull", "push"];

/// Whether this is the short form, or is meant to be.
pub(super) fn is_meant(node: &Node) -> bool {
    node.entries().is_some_and(|entries| entries.iter().any(|entry| FIELDS.contains(&entry.key.as_str())))
}

/// Those who are let in by one list.
#[derive(Default)]
struct Who {
    aws: Vec<String>,
    organizations: Vec<String>,
    /// The accounts whose functions are meant.
    lambda: Vec<String>,
}

/// The policy that it means.
pub(super) fn read(node: &Node, problems: &mut Problems) -> Value {
    let mut statements = Vec::new();
    let Some(members) = Members::of(node, String::new(), &FIELDS, problems) else { return Value::Null };
    for field in FIELDS {
        let Some(member) = members.get(field) else { continue };
        let who = who(field, &member, problems);
        statements.extend(said(field, &who));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn who(field: &str, member: &Member<'_>, problems: &mut Problems) -> Who {
    let mut who = Who::default();
    let mut all_lambda: Option<Placed<()>> = None;
    for item in items(member, problems) {
        let text = item.value.as_str();
        let wrong = |message: String| Problem::at(&item.at, message);
        let list = match text.split_once(':') {
            _ if text == "lambda" && field == "pull" => {
                all_lambda = Some(Placed { value: (), at: item.at.clone() });
                continue;
            }
            Some(("lambda", account)) if field == "pull" && account.parse::<AccountId>().is_ok() => {
                add(&mut who.lambda, account);
                continue;
            }
            _ if text.parse::<AccountId>().is_ok() || is_arn(text) => &mut who.aws,
            _ if is_organization(text) => &mut who.organizations,
            _ if text == "*" => {
                let problem = wrong(format!("`{}` would let everybody in", member.path));
                problems
                    .push(problem.hint("name accounts or the organization; `*` can be said in IAM's own form only"));
                continue;
            }
            _ => {
                let problem = wrong(format!("`{text}` in `{}` is nobody that IAM knows", member.path));
                let hint = "name an account by its 12 digits, a role or user by its ARN, or an organization, as `o-a1b2c3d4e5`";
                problems.push(problem.hint(hint));
                continue;
            }
        };
        add(list, text);
    }
    if let Some(lambda) = all_lambda {
        let accounts: Vec<String> = who.aws.iter().filter(|text| text.parse::<AccountId>().is_ok()).cloned().collect();
        if accounts.is_empty() {
            let problem = Problem::at(&lambda.at, "`lambda` does not say whose functions are meant");
            problems.push(problem.hint("write `lambda:` and the account, as in `lambda:123456789012`"));
        }
        accounts.iter().for_each(|account| add(&mut who.lambda, account));
    }
    who
}

fn add(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

/// A list of texts, or the one that stands in its place. An account without quotes is a number.
fn items(member: &Member<'_>, problems: &mut Problems) -> Vec<Placed<String>> {
    let nodes = match &member.node.value {
        Tree::List(items) => items.iter().collect(),
        _ => vec![member.node],
    };
    if nodes.is_empty() {
        problems.push(Problem::at(member.at(), format!("`{}` is empty", member.path)));
    }
    let text = |node: &Node| match &node.value {
        Tree::Text(text) | Tree::Number(text) => Some(Placed { value: text.clone(), at: node.at.clone() }),
        _ => None,
    };
    let found: Vec<Placed<String>> = nodes.iter().filter_map(|node| text(node)).collect();
    if found.len() < nodes.len() {
        member.wrong("a text or a list of texts", problems);
    }
    found
}

/// The statements that let them in.
fn said(field: &str, who: &Who) -> Vec<Value> {
    let actions: &[&str] = if field == "pull" { &PULL } else { &PUSH };
    let mut statements = Vec::new();
    if !who.aws.is_empty() {
        statements.push(json!({
            "Sid": field, "Effect": "Allow", "Principal": { "AWS": who.aws }, "Action": actions,
        }));
    }
    if !who.organizations.is_empty() {
        statements.push(json!({
            "Sid": format!("{field}Organization"), "Effect": "Allow", "Principal": "*", "Action": actions,
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": who.organizations } },
        }));
    }
    if !who.lambda.is_empty() {
        let functions: Vec<String> =
            who.lambda.iter().map(|account| format!("arn:*:lambda:*:{account}:function:*")).collect();
        statements.push(json!({
            "Sid": format!("{field}Lambda"), "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": actions, "Condition": { "StringLike": { "aws:sourceArn": functions } },
        }));
    }
    statements
}
