//! Values as YAML, for CloudFormation.

use serde_json::Value;

/// A value in block style; every text stands in quotes, so that none is taken for something else.
pub fn text(value: &Value) -> String {
    let mut lines = Vec::new();
    block(value, 0, &mut lines);
    lines.join("\n")
}

fn block(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = if is_plain(key) { key.clone() } else { Value::from(key.as_str()).to_string() };
                match inline(member) {
                    Some(text) => lines.push(format!("{indent}{key}: {text}")),
                    None => {
                        lines.push(format!("{indent}{key}:"));
                        block(member, depth + 1, lines);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match inline(item) {
                    Some(text) => lines.push(format!("{indent}- {text}")),
                    None => {
                        let mut inner = Vec::new();
                        block(item, depth + 1, &mut inner);
                        if let Some(first) = inner.first_mut() {
                            *first = format!("{indent}- {}", first.trim_start());
                        }
                        lines.extend(inner);
                    }
                }
            }
        }
        other => lines.push(format!("{indent}{other}")),
    }
}

/// What fits into the line of its key: scalars, what is empty, and references.
fn inline(value: &Value) -> Option<String> {
    match value {
        Value::Object(members) if members.is_empty() => Some("{}".to_owned()),
        Value::Array(items) if items.is_empty() => Some("[]".to_owned()),
        Value::Object(members) => match members.iter().next() {
            Some((key, Value::String(name))) if members.len() == 1 && key == "Ref" => Some(format!("!Ref {name}")),
            _ => None,
        },
        Value::Array(_) => None,
        scalar => Some(scalar.to_string()),
    }
}

fn is_plain(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
