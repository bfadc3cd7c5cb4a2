//! Lines that the runner takes for commands, and lines that it must not.
//!
//! The runner reads commands from stdout and stderr alike: `::name::` at the start of a line, blanks before it or not,
//! and the old `##[name]` anywhere in it. Whatever others may have written is therefore printed between `stop-commands`
//! and a token that they cannot know. Source: actions/runner, `ActionCommand.cs` and `ActionCommandManager.cs`.

use std::cell::Cell;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::Diagnostics;
use crate::names::Digest;
use crate::report::{self, Colors};

/// Whether the runner takes no commands just now; then a secret must not be named to it, since it would print it.
static STOPPED: Mutex<bool> = Mutex::new(false);

/// One line for the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// As it is: a command of ours, or text that comes while commands are stopped.
    Text(String),
    /// From here on no command is taken until the token comes.
    Stop(String),
    /// Commands are taken again.
    Resume(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Text(text) => f.write_str(text),
            Line::Stop(token) => write!(f, "::stop-commands::{token}"),
            Line::Resume(token) => write!(f, "::{token}::"),
        }
    }
}

/// Says a line, on stderr: stdout is for results.
pub fn say(line: &Line) {
    let mut stopped = STOPPED.lock().unwrap_or_else(PoisonError::into_inner);
    match line {
        Line::Text(_) => {}
        Line::Stop(_) => *stopped = true,
        Line::Resume(_) => *stopped = false,
    }
    report::note(&line.to_string());
}

/// Has the runner put `***` in place of these from now on. While commands are stopped nothing is said: a secret is
/// printed nowhere anyway, and only then it would be.
pub fn mask(secrets: &[&str]) {
    let stopped = STOPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*stopped {
        secrets.iter().for_each(|secret| report::note(&format!("::add-mask::{}", escape_data(secret))));
    }
}

/// Whether a runner can hear what is said on stderr: it holds the other end of a pipe. Into a file, or onto a screen, no
/// command belongs.
pub fn runner_listens() -> bool {
    let into_file = std::fs::metadata("/dev/stderr").is_ok_and(|metadata| metadata.is_file());
    !into_file && !std::io::stderr().is_terminal()
}

/// Tells what went wrong: as everywhere, and as annotations.
pub fn errors(diagnostics: &Diagnostics, colors: Colors, annotations: &[String], tokens: &Tokens) {
    let token = tokens.next();
    say(&Line::Stop(token.clone()));
    report::errors(diagnostics, colors);
    say(&Line::Resume(token));
    annotations.iter().for_each(|line| report::note(line));
}

/// Words that nobody can know before they are printed, each another.
pub struct Tokens {
    secret: String,
    given: Cell<u32>,
}

impl Tokens {
    /// Tokens that follow from a secret, which is never printed itself.
    pub fn new(secret: String) -> Self {
        Tokens { secret, given: Cell::new(0) }
    }

    /// The next one.
    pub fn next(&self) -> String {
        let number = self.given.get();
        self.given.set(number.wrapping_add(1));
        let digest = Digest::of(format!("{}{number}", self.secret).as_bytes());
        format!("longshore-{}", digest.as_str().chars().skip(7).take(32).collect::<String>())
    }
}

/// The text of a command. Source: GitHub, "Workflow commands", and actions/toolkit, `command.ts`.
pub(in crate::report) fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of one of a command's properties.
pub(super) fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_another_and_shows_nothing_of_the_secret() {
        let tokens = Tokens::new("secret".into());
        let (first, second) = (tokens.next(), tokens.next());
        assert_ne!(first, second);
        assert_eq!(first.len(), "longshore-".len() + 32);
        assert!(!first.contains("secret"));
    }

    #[test]
    fn the_forms_of_the_runner() {
        assert_eq!(Line::Stop("t".into()).to_string(), "::stop-commands::t");
        assert_eq!(Line::Resume("t".into()).to_string(), "::t::");
        assert_eq!(escape_data("50%\r\n::"), "50%25%0D%0A::");
        assert_eq!(escape_property("a:b,c\n"), "a%3Ab%2Cc%0A");
    }
}
