//! Versions of Python packages. Source: PEP 440, appendix B.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::template::{Arguments, Scope, Value};
use crate::pipeline::rule::number;

#[expect(clippy::expect_used, reason = "the expression is a constant that every test of this file compiles")]
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i-u:\Av?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)",
        r"(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?([0-9]+)?)?",
        r"(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]+)?)?",
        r"(?:[-_.]?(dev)[-_.]?([0-9]+)?)?",
        r"(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\z)",
    ))
    .expect("a valid expression")
});

/// A version, and the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PythonVersion {
    raw: String,
    /// Written the normal way.
    pub clean: String,
    release: Vec<String>,
    /// It is a pre-release, a post-release or a development release.
    pub is_special: bool,
}

/// Reads a version in any of the spellings that PEP 440 allows.
pub(super) fn parse(text: &str) -> Option<PythonVersion> {
    let captures = VERSION.captures(text)?;
    let group = |index: usize| captures.get(index).map(|found| found.as_str());
    let release: Vec<String> = group(2)?.split('.').map(whole).collect();
    let pre = group(3).map(|letter| (spelling(letter), group(4)));
    let post = match (group(5), group(6)) {
        (Some(number), _) => Some(Some(number)),
        (None, Some(_)) => Some(group(7)),
        (None, None) => None,
    };
    let dev = group(8).map(|_| group(9));
    let is_special = pre.is_some() || post.is_some() || dev.is_some();
    let clean = written(&captures, &release, pre, post, dev);
    Some(PythonVersion { raw: text.to_owned(), clean, release, is_special })
}

fn written(
    captures: &Captures<'_>,
    release: &[String],
    pre: Option<(&str, Option<&str>)>,
    post: Option<Option<&str>>,
    dev: Option<Option<&str>>,
) -> String {
    let digits = |number: Option<&str>| number.map_or_else(|| "0".to_owned(), whole);
    let mut clean = String::new();
    let epoch = captures.get(1).map(|epoch| whole(epoch.as_str())).filter(|epoch| epoch != "0");
    if let Some(epoch) = epoch {
        let _ = write!(clean, "{epoch}!");
    }
    clean.push_str(&release.join("."));
    if let Some((letter, number)) = pre {
        let _ = write!(clean, "{letter}{}", digits(number));
    }
    if let Some(number) = post {
        let _ = write!(clean, ".post{}", digits(number));
    }
    if let Some(number) = dev {
        let _ = write!(clean, ".dev{}", digits(number));
    }
    if let Some(local) = captures.get(10) {
        // With commas, where PEP 440 would have dots: so does docker/metadata-action, and in a tag both become legal.
        let parts: Vec<String> = local.as_str().split(['.', '_', '-']).map(local_part).collect();
        let _ = write!(clean, "+{}", parts.join(","));
    }
    clean
}

fn spelling(letter: &str) -> &'static str {
    match letter.to_ascii_lowercase().as_str() {
        "a" | "alpha" => "a",
        "b" | "beta" => "b",
        _ => "rc",
    }
}

fn local_part(part: &str) -> String {
    let value = number(part);
    if value.is_nan() { part.to_ascii_lowercase() } else { shown(value) }
}

/// Digits without leading zeros.
fn whole(digits: &str) -> String {
    shown(number(digits))
}

/// A number as JavaScript writes it. Source: ECMAScript, "Number::toString".
fn shown(value: f64) -> String {
    if value.is_infinite() {
        return "Infinity".to_owned();
    }
    if value < 1e21 {
        return value.to_string();
    }
    let scientific = format!("{value:e}");
    scientific.replace('e', "e+")
}

/// What a pattern can name.
impl Scope for PythonVersion {
    fn value(&self, name: &str, _arguments: &Arguments) -> Result<Option<Value>, String> {
        let part = |index: usize| self.release.get(index).cloned().unwrap_or_else(|| "0".to_owned());
        Ok(Some(match name {
            "raw" => Value::Text(self.raw.clone()),
            "version" => Value::Text(self.clean.clone()),
            "major" => Value::Number(part(0)),
            "minor" => Value::Number(part(1)),
            "patch" => Value::Number(part(2)),
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> Option<String> {
        parse(text).map(|version| version.clean)
    }

    #[test]
    fn spellings_become_one() {
        for (text, expected) in [
            ("v1.2.3", "1.2.3"),
            ("1!2.0", "1!2.0"),
            ("0!2.0", "2.0"),
            ("1.0-Alpha.1", "1.0a1"),
            ("1.0.preview", "1.0rc0"),
            ("1.0-1", "1.0.post1"),
            ("1.0.rev_7", "1.0.post7"),
            ("1.0DEV", "1.0.dev0"),
            ("1.0a1.post2.dev03+Ubuntu.007", "1.0a1.post2.dev3+ubuntu,7"),
            ("2007.010.1", "2007.10.1"),
        ] {
            assert_eq!(clean(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "x", "1.", "1.0-x", "1..0", "1.0+", " 1.0", "1.0po\u{17f}t1"] {
            assert_eq!(clean(text), None, "{text}");
        }
    }

    #[test]
    fn huge_numbers_are_rounded_as_javascript_rounds_them() {
        assert_eq!(clean("99999999999999999999").as_deref(), Some("100000000000000000000"));
        assert_eq!(clean("1000000000000000000000").as_deref(), Some("1e+21"));
    }
}
