//! Policies in one form, whatever order and lists they were written with.

use serde_json::{Map, Value};

use super::principal::account_of_root;

/// The members of a statement whose values are lists of texts, also where only one stands there.
const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

/// What a policy says, in a form that is the same for two policies that say the same.
pub(super) fn normal(policy: &Value) -> Value {
    let Value::Object(members) = policy else { return policy.clone() };
    let members = members.iter().map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("Statement", statements) => sorted(items(statements).iter().map(|one| statement(one)).collect()),
            // The older version is what counts where none is given.
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    let mut normal: Map<String, Value> = members.collect();
    normal.entry("Version").or_insert_with(|| "2008-10-17".into());
    in_order(normal)
}

fn statement(statement: &Value) -> Value {
    let Value::Object(members) = statement else { return statement.clone() };
    let members = members.iter().map(|(key, value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" => texts(value, str::to_ascii_lowercase),
            key if LISTS.contains(&key) => texts(value, str::to_owned),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    in_order(members.collect())
}

fn principal(value: &Value) -> Value {
    let kinds = match value {
        // Everybody, in the other of its two spellings.
        Value::String(_) => vec![("AWS".to_owned(), value)],
        Value::Object(kinds) => kinds.iter().map(|(kind, who)| (kind.clone(), who)).collect(),
        _ => return value.clone(),
    };
    let one = |text: &str| account_of_root(text).unwrap_or(text).to_owned();
    in_order(kinds.into_iter().map(|(kind, who)| (kind, texts(who, one))).collect())
}

fn condition(value: &Value) -> Value {
    let Value::Object(operators) = value else { return value.clone() };
    let operators = operators.iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Object(keys) => {
                // The names of condition keys are not case-sensitive, their values are.
                in_order(
                    keys.iter().map(|(key, value)| (key.to_ascii_lowercase(), texts(value, str::to_owned))).collect(),
                )
            }
            other => other.clone(),
        };
        (operator.clone(), keys)
    });
    in_order(operators.collect())
}

/// One text or several as a sorted list; each once.
fn texts(value: &Value, one: impl Fn(&str) -> String) -> Value {
    let text = |item: &Value| match item {
        Value::String(text) => Value::String(one(text)),
        Value::Bool(_) | Value::Number(_) => Value::String(one(&item.to_string())),
        other => other.clone(),
    };
    sorted(items(value).iter().map(|item| text(item)).collect())
}

fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by_cached_key(ToString::to_string);
    items.dedup();
    Value::Array(items)
}

fn in_order(members: Map<String, Value>) -> Value {
    let mut members: Vec<(String, Value)> = members.into_iter().collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(members.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_ecr_writes_anew_is_the_same() {
        let ours = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "pull", "Effect": "Allow", "Principal": { "AWS": ["123456789012", "arn:aws:iam::1:role/a"] },
              "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] },
            { "Sid": "all", "Effect": "Deny", "Principal": "*", "Action": "ecr:*",
              "Condition": { "Bool": { "aws:SecureTransport": false } } } ] });
        let theirs = json!({ "Statement": [
            { "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": ["ecr:*"], "Sid": "all",
              "Condition": { "Bool": { "aws:securetransport": "false" } } },
            { "Sid": "pull", "Effect": "Allow", "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
              "Principal": { "AWS": ["arn:aws:iam::1:role/a", "arn:aws:iam::123456789012:root"] } } ],
            "Version": "2012-10-17" });
        assert_eq!(normal(&ours), normal(&theirs));
        let wider =
            json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Principal": "*", "Action": "ecr:*" } });
        assert_ne!(normal(&ours), normal(&wider));
    }
}
