//! The pipeline file as text, with comments that say what may be wanted next.

use serde_json::Value;

use super::{Checkout, Draft, DraftImage};

/// The text. A field that `refuses` does not take, by its line counted from 1, stands there as a comment that says why.
///
/// Every field stands on a line of its own, so that one may be commented out and the rest still be read.
pub fn pipeline_file(draft: &Draft, checkout: &Checkout, refuses: &dyn Fn(&str) -> Vec<(usize, String)>) -> String {
    let mut lines = lines(draft, checkout);
    // What one field hid may be wrong as well.
    for _ in 0..8 {
        let refused = refuses(&text(&lines));
        if refused.is_empty() {
            break;
        }
        for (line, why) in refused {
            let Some(line) = line.checked_sub(1).and_then(|at| lines.get_mut(at)) else { continue };
            if !line.trim_start().starts_with('#') {
                let indent = line.len() - line.trim_start().len();
                *line = format!("{}# {} # {why}", &line[..indent], line.trim_start());
            }
        }
    }
    text(&lines)
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn lines(draft: &Draft, checkout: &Checkout) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut say = |line: &str| lines.push(line.to_owned());
    say(
        "# How the images of this repository are built and where they go. `longshore config` prints it with everything filled",
    );
    say(
        "# in, `longshore plan` says what a run would do, and `longshore run --local` tries it without an AWS account.",
    );
    say("version: 1");
    say("");
    match (&draft.account, &draft.region) {
        (None, None) => {
            say("# The registry is that of the AWS credentials, in their region, unless it is pinned:");
            say("# registry: { account: \"123456789012\", region: us-east-1 }");
        }
        (account, region) => {
            say("registry:");
            account.iter().for_each(|account| say(&format!("  account: {}", scalar(account))));
            region.iter().for_each(|region| say(&format!("  region: {}", scalar(region))));
        }
    }
    say("");
    say("# The first environment that matches gives its name as a tag.");
    say("environments:");
    say(&format!("  prod: {{ branch: {} }}", scalar(checkout.main_branch.as_deref().unwrap_or("main"))));
    say("  dev: { branch: \"**\" }");
    say("");
    say("defaults:");
    say("  # 1.2.3, 1.2 and 1 on the git tag v1.2.3; the short commit; the environment.");
    say("  tags: [semver, sha, env]");
    say("  # repository: { scan_on_push: true, lifecycle: [ { expire_untagged_after: 14d } ] }");
    if let Some(secrets) = draft.secrets.as_ref().and_then(Value::as_object) {
        say("");
        say("secrets:");
        secrets.iter().for_each(|(name, secret)| say(&format!("  {}: {}", scalar(name), flow(secret))));
    }
    say("");
    say("images:");
    draft.images.iter().for_each(|image| lines.extend(image_lines(image)));
    if !draft.left_out.is_empty() {
        lines.push(String::new());
        lines.push("# Not taken over:".to_owned());
        lines.extend(draft.left_out.iter().map(|what| format!("# - {}", what.replace('\n', " "))));
    }
    lines
}

fn image_lines(image: &DraftImage) -> Vec<String> {
    let mut lines = vec![format!("  # From {}.", image.from), format!("  {}:", scalar(&image.name))];
    match image.build.as_slice() {
        [(field, Value::String(context))] if field == "context" => {
            lines.push(format!("    build: {}", scalar(context)));
        }
        fields => {
            lines.push("    build:".to_owned());
            lines.extend(fields.iter().map(|(field, value)| format!("      {field}: {}", flow(value))));
        }
    }
    lines.extend(image.repository.iter().map(|name| format!("    repository: {}", scalar(name))));
    lines
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => scalar(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => match fields.is_empty() {
            true => "{}".to_owned(),
            false => {
                let fields = fields.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value)));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
        },
    }
}

/// A text that YAML cannot take for anything else: JSON's form is YAML's too.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if is_word { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_on_one_line() {
        assert_eq!(
            flow(&serde_json::json!({ "A": "b", "C": [1, true, "no", "x: y"] })),
            r#"{ A: b, C: [1, true, "no", "x: y"] }"#
        );
        assert_eq!(scalar("123456789012"), "\"123456789012\"");
        assert_eq!(scalar("."), ".");
        assert_eq!(scalar("**"), "\"**\"");
    }

    #[test]
    fn what_is_refused_becomes_a_comment() {
        let mut image = DraftImage::new("web", "web/Dockerfile");
        image.build = vec![("context".into(), "web".into()), ("odd".into(), 1.into())];
        let draft = Draft { images: vec![image], ..Draft::default() };
        let refuses = |text: &str| -> Vec<(usize, String)> {
            let at = text.lines().position(|line| line == "      odd: 1");
            at.map(|at| (at + 1, "unknown field".to_owned())).into_iter().collect()
        };
        let text = pipeline_file(&draft, &Checkout::default(), &refuses);
        assert!(text.contains("\n      context: web\n      # odd: 1 # unknown field\n"), "{text}");
    }
}
