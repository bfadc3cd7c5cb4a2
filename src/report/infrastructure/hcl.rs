//! Values in Terraform's language, laid out as `terraform fmt` does.

use serde_json::Value;

/// One attribute or block inside of another, or a line of its own.
pub enum Item {
    /// `name = value`
    Attribute(String, Expression),
    /// `name { … }`, with labels.
    Block(String, Vec<String>, Vec<Item>),
    /// `# …`
    Comment(String),
    /// An empty line.
    Gap,
}

/// What an attribute is set to.
pub enum Expression {
    /// As it is written.
    Raw(String),
    /// A value.
    Value(Value),
    /// A value as the text of its JSON.
    Json(Value),
}

/// The lines of a file.
pub fn file(items: &[Item]) -> String {
    let mut lines = Vec::new();
    body(items, 0, &mut lines);
    lines.join("\n")
}

fn body(items: &[Item], depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let mut run: Vec<(String, String)> = Vec::new();
    for item in items {
        if let Item::Attribute(name, expression) = item {
            add(&mut run, name.clone(), expression.lines(depth), &indent, lines);
            continue;
        }
        flush(&mut run, &indent, lines);
        match item {
            Item::Attribute(..) => {}
            Item::Gap => lines.push(String::new()),
            Item::Comment(text) => lines.push(format!("{indent}# {text}")),
            Item::Block(name, labels, inside) => {
                let labels: String = labels.iter().map(|label| format!(" {}", quoted(label))).collect();
                if inside.is_empty() {
                    lines.push(format!("{indent}{name}{labels} {{}}"));
                    continue;
                }
                lines.push(format!("{indent}{name}{labels} {{"));
                body(inside, depth + 1, lines);
                lines.push(format!("{indent}}}"));
            }
        }
    }
    flush(&mut run, &indent, lines);
}

/// The equals signs of attributes in one line each stand below one another, as far as nothing longer comes between.
fn add(run: &mut Vec<(String, String)>, name: String, mut value: Vec<String>, indent: &str, lines: &mut Vec<String>) {
    if value.len() == 1 {
        run.push((name, value.swap_remove(0)));
        return;
    }
    flush(run, indent, lines);
    let mut value = value.into_iter();
    lines.push(format!("{indent}{name} = {}", value.next().unwrap_or_default()));
    lines.extend(value);
}

fn flush(run: &mut Vec<(String, String)>, indent: &str, lines: &mut Vec<String>) {
    let width = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    lines.extend(run.drain(..).map(|(name, value)| format!("{indent}{name:width$} = {value}")));
}

impl Expression {
    fn lines(&self, depth: usize) -> Vec<String> {
        match self {
            Expression::Raw(text) => vec![text.clone()],
            Expression::Value(value) => value_lines(value, depth),
            Expression::Json(value) => {
                let mut lines = value_lines(value, depth);
                if let Some(first) = lines.first_mut() {
                    first.insert_str(0, "jsonencode(");
                }
                if let Some(last) = lines.last_mut() {
                    last.push(')');
                }
                lines
            }
        }
    }
}

/// A value whose first line has no indent, and whose others are indented for something at this depth.
fn value_lines(value: &Value, depth: usize) -> Vec<String> {
    let (indent, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    match value {
        Value::Array(items) if items.is_empty() => vec!["[]".to_owned()],
        Value::Array(items) => {
            let mut lines = vec!["[".to_owned()];
            for item in items {
                let mut item = value_lines(item, depth + 1);
                if let Some(first) = item.first_mut() {
                    first.insert_str(0, &inner);
                }
                if let Some(last) = item.last_mut() {
                    last.push(',');
                }
                lines.extend(item);
            }
            lines.push(format!("{indent}]"));
            lines
        }
        Value::Object(members) if members.is_empty() => vec!["{}".to_owned()],
        Value::Object(members) => {
            let mut lines = vec!["{".to_owned()];
            let mut run = Vec::new();
            for (key, member) in members {
                let is_name = !key.is_empty()
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !key.starts_with(|c: char| c.is_ascii_digit());
                let key = if is_name { key.clone() } else { quoted(key) };
                add(&mut run, key, value_lines(member, depth + 1), &inner, &mut lines);
            }
            flush(&mut run, &inner, &mut lines);
            lines.push(format!("{indent}}}"));
            lines
        }
        Value::String(text) => vec![quoted(text)],
        other => vec![other.to_string()],
    }
}

/// A text in quotes; `${` and `%{` would begin a template.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn laid_out_as_terraform_does() {
        let value = json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Sid": "${a}", "Action": ["x", "y"],
                            "aws:b": true, "None": [] }] });
        let items = [Item::Block(
            "resource".into(),
            vec!["aws_iam_policy".into(), "a".into()],
            vec![
                Item::Attribute("name".into(), Expression::Value(json!("a"))),
                Item::Attribute("longer".into(), Expression::Raw("var.b".into())),
                Item::Attribute("policy".into(), Expression::Json(value)),
            ],
        )];
        let expected = r#"resource "aws_iam_policy" "a" {
  name   = "a"
  longer = var.b
  policy = jsonencode({
    Version = "1"
    Statement = [
      {
        Effect = "Allow"
        Sid    = "$${a}"
        Action = [
          "x",
          "y",
        ]
        "aws:b" = true
        None    = []
      },
    ]
  })
}"#;
        assert_eq!(file(&items), expected);
    }
}
