//! The pipeline file as text, with comments that say what may be wanted next.

use serde_json::Value;

use super::bounds::{is_unseen, one_line};
use super::{Checkout, Draft, DraftImage};

/// The most bytes that all reasons in comments may have.
const REASONS: usize = 16 << 10;

/// The text. A field that `refuses` does not take, by its line counted from 1, stands there as a comment that says why.
///
/// Every field stands on a line of its own, so that one may be commented out and the rest still be read.
pub fn pipeline_file(draft: &Draft, checkout: &Checkout, refuses: &dyn Fn(&str) -> Vec<(usize, String)>) -> String {
    let mut lines = lines(draft, checkout);
    let mut left = REASONS;
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
                *line = format!("{}# {}", &line[..indent], line.trim_start());
                let why = one_line(&why);
                if let Some(rest) = left.checked_sub(why.len()) {
                    left = rest;
                    line.push_str(&format!(" # {why}"));
                }
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
        lines.extend(draft.left_out.iter().map(|what| format!("# - {what}")));
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
            lines.extend(fields.iter().map(|(field, value)| format!("      {}: {}", scalar(field), flow(value))));
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
pub(super) fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_path = matches!(text, "." | "..") || text.starts_with("./") || text.starts_with("../");
    let is_word = (is_path || text.starts_with(|c: char| c.is_ascii_alphabetic()))
        && text.chars().all(plain)
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if is_word { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        // All of them have four digits.
        if is_unseen(c) { quoted.push_str(&format!("\\u{:04x}", u32::from(c))) } else { quoted.push(c) }
    }
    quoted
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
    fn every_text_reads_back_as_itself() {
        let texts = [
            "",
            ".5",
            ".inf",
            ".nan",
            "...",
            "---",
            "0x1f",
            "1e3",
            "~",
            "null",
            "True",
            "a: b",
            "a #b",
            "#",
            "- a",
            "? a",
            "a:",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'",
            "\"",
            "\\",
            "{",
            "]",
            "a,b",
            " a ",
            "\t",
            "<<",
            "=",
            "a\nb",
            "a\r\nb",
            "\u{0}\u{1b}[31m\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{feff}\u{fffe}\u{ffff}",
            "é日本🚢",
            "../a",
            "./a",
        ];
        for text in texts {
            for yaml in [format!("a: {}\n", scalar(text)), format!("a: [x, {}]\n", scalar(text))] {
                let read: Value = serde_yaml::from_str(&yaml).map_err(|error| format!("{yaml:?}: {error}")).unwrap();
                let found = read["a"].get(1).unwrap_or(&read["a"]);
                assert_eq!(found, &Value::from(text), "{yaml:?}");
                assert!(!yaml.trim_end().contains(char::is_control), "{yaml:?}");
            }
            for yaml in [format!("{}: x\n", scalar(text)), format!("{{ {}: x }}\n", scalar(text))] {
                let read: Value = serde_yaml::from_str(&yaml).map_err(|error| format!("{yaml:?}: {error}")).unwrap();
                assert_eq!(read.as_object().unwrap().keys().collect::<Vec<_>>(), [text], "{yaml:?}");
            }
        }
    }

    #[test]
    fn reasons_have_an_end() {
        let build: Vec<_> = (0..500).map(|at| (format!("odd{at}"), Value::Null)).collect();
        let image = DraftImage { build, ..DraftImage::new("web", "web/Dockerfile") };
        let mut draft = Draft::default();
        draft.images.push(image);
        let refuses = |text: &str| -> Vec<(usize, String)> {
            let odd = text.lines().enumerate().filter(|(_, line)| line.starts_with("      odd"));
            odd.map(|(at, _)| (at + 1, format!("why\r{}", "x".repeat(10_000)))).collect()
        };
        let text = pipeline_file(&draft, &Checkout::default(), &refuses);
        assert!(text.contains("\n      # odd0: null # why\\u{d}xxx"), "{text}");
        assert!(text.contains("\n      # odd499: null\n"), "{text}");
        assert!(text.len() < 2 * REASONS + 10_000);
    }

    #[test]
    fn what_is_refused_becomes_a_comment() {
        let mut image = DraftImage::new("web", "web/Dockerfile");
        image.build = vec![("context".into(), "web".into()), ("odd".into(), 1.into())];
        let mut draft = Draft::default();
        draft.images.push(image);
        let refuses = |text: &str| -> Vec<(usize, String)> {
            let at = text.lines().position(|line| line == "      odd: 1");
            at.map(|at| (at + 1, "unknown field".to_owned())).into_iter().collect()
        };
        let text = pipeline_file(&draft, &Checkout::default(), &refuses);
        assert!(text.contains("\n      context: web\n      # odd: 1 # unknown field\n"), "{text}");
    }
}
