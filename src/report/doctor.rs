//! What was looked at, and how it is.

use anstyle::AnsiColor;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Colors, json, print, print_json};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::retry::Sum;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, as in `repository shop/web`.
    pub about: String,
    /// How it is.
    pub state: State,
}

/// How something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// As it should be: what was found, and further lines.
    Fine(String, Vec<String>),
    /// It may go wrong.
    Odd(Diagnostic),
    /// A run will fail.
    Wrong(Diagnostic),
}

impl Finding {
    /// As it should be.
    pub fn fine(about: impl Into<String>, text: impl Into<String>) -> Self {
        Finding { about: about.into(), state: State::Fine(text.into(), Vec::new()) }
    }

    /// It may go wrong.
    pub fn odd(about: impl Into<String>, diagnostic: Diagnostic) -> Self {
        Finding { about: about.into(), state: State::Odd(diagnostic) }
    }

    /// A run will fail.
    pub fn wrong(about: impl Into<String>, diagnostic: Diagnostic) -> Self {
        Finding { about: about.into(), state: State::Wrong(diagnostic) }
    }

    /// Adds what else was found, where it is as it should be.
    #[must_use]
    pub fn with(mut self, line: impl Into<String>) -> Self {
        if let State::Fine(_, lines) = &mut self.state {
            lines.push(line.into());
        }
        self
    }

    fn word(&self) -> &'static str {
        match self.state {
            State::Fine(..) => "ok",
            State::Odd(_) => "warning",
            State::Wrong(_) => "problem",
        }
    }

    fn told(&self) -> Vec<String> {
        match &self.state {
            State::Fine(text, lines) => std::iter::once(text).chain(lines).cloned().collect(),
            State::Odd(diagnostic) | State::Wrong(diagnostic) => {
                diagnostic.to_string().lines().map(str::to_owned).collect()
            }
        }
    }
}

/// The problems among findings; their gravest gives the exit code.
///
/// # Errors
/// If there is one.
pub fn problems(findings: &[Finding]) -> Result<(), Diagnostics> {
    let wrong = findings.iter().filter_map(|finding| match &finding.state {
        State::Wrong(diagnostic) => Some(diagnostic.clone()),
        State::Fine(..) | State::Odd(_) => None,
    });
    Diagnostics::check(wrong.collect())
}

/// Prints all findings, and how many are not as they should be.
///
/// # Errors
/// If stdout does not take them.
pub fn findings(findings: &[Finding], colors: Colors) -> Result<(), Diagnostic> {
    print(&text(findings, colors))
}

/// The same as JSON.
///
/// # Errors
/// If stdout does not take it.
pub fn findings_json(findings: &[Finding], retries: Sum) -> Result<(), Diagnostic> {
    let worst = ["problem", "warning"].into_iter().find(|word| findings.iter().any(|finding| finding.word() == *word));
    let checks: Vec<Value> = findings.iter().map(as_json).collect();
    let document = json!({ "version": 1, "status": worst.unwrap_or("ok"), "checks": checks });
    print_json(&json::with_retries(document, retries))
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    about: &'a str,
    state: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    caused_by: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hints: &'a [String],
}

fn as_json(finding: &Finding) -> Value {
    let (about, state) = (finding.about.as_str(), finding.word());
    let found = match &finding.state {
        State::Fine(message, details) => JsonFinding { about, state, message, details, caused_by: &[], hints: &[] },
        State::Odd(found) | State::Wrong(found) => {
            let Diagnostic { message, causes, hints, .. } = found;
            JsonFinding { about, state, message, details: &[], caused_by: causes, hints }
        }
    };
    json!(found)
}

fn text(findings: &[Finding], colors: Colors) -> String {
    let width = findings.iter().map(|finding| finding.about.chars().count()).max().unwrap_or(0).min(40);
    let mut lines = Vec::new();
    for finding in findings {
        let word = finding.word();
        let color = match finding.state {
            State::Fine(..) => AnsiColor::Green,
            State::Odd(_) => AnsiColor::Yellow,
            State::Wrong(_) => AnsiColor::Red,
        };
        for (number, line) in finding.told().iter().enumerate() {
            let (word, about) = if number == 0 { (word, finding.about.as_str()) } else { ("", "") };
            let word = colors.paint(color.on_default().bold(), &format!("{word:7}"));
            lines.push(format!("{word}  {about:width$}  {line}").trim_end().to_owned());
        }
    }
    let count = |word: &str| findings.iter().filter(|finding| finding.word() == word).count();
    let some = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let found: Vec<String> =
        some(count("problem"), "problem").into_iter().chain(some(count("warning"), "warning")).collect();
    lines.push(String::new());
    lines.push(if found.is_empty() { "all is well".to_owned() } else { found.join(", ") });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Blame;

    #[test]
    fn each_line_has_its_state_and_what_follows_stands_under_it() {
        let findings = [
            Finding::fine("docker", "Docker 20.10.24").with("with BuildKit"),
            Finding::odd("clock", Diagnostic::input("it is 2 minutes slow").hint("set it")),
            Finding::wrong("repository web", Diagnostic::new(Blame::Access, "cannot push").caused_by("denied")),
        ];
        let expected = "\
ok       docker          Docker 20.10.24
                         with BuildKit
warning  clock           it is 2 minutes slow
                         hint: set it
problem  repository web  cannot push
                         caused by: denied

1 problem, 1 warning";
        assert_eq!(text(&findings, Colors(false)), expected);
        assert_eq!(problems(&findings).unwrap_err().exit_code(), 3);
        assert_eq!(problems(&findings[..2]), Ok(()));
    }
}
