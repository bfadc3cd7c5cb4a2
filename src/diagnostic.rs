//! One shape for what goes wrong: what failed, where, in whose words, and what to do now.

use std::fmt;
use std::sync::Arc;

use crate::secrecy;

/// Who has to act next; it alone decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blame {
    /// The work failed: a build step, a push, a gate.
    Work,
    /// The user's input: flags, the pipeline file, the plan that follows from them.
    Input,
    /// Credentials or permissions.
    Access,
    /// A service did not answer; trying again is sensible.
    Service,
    /// A defect of Longshore.
    Bug,
    /// The user stopped it.
    Interrupted,
    /// The system stopped it, as a CI system does with a job that was cancelled.
    Terminated,
}

impl Blame {
    /// Every blame, in the order of the exit codes.
    pub const ALL: [Blame; 7] =
        [Blame::Work, Blame::Input, Blame::Access, Blame::Service, Blame::Bug, Blame::Interrupted, Blame::Terminated];

    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Blame::Work => 1,
            Blame::Input => 2,
            Blame::Access => 3,
            Blame::Service => 4,
            Blame::Bug => 70,
            // What shells say of SIGINT and SIGTERM.
            Blame::Interrupted => 130,
            Blame::Terminated => 143,
        }
    }
}

/// A file that the user wrote, as it was when we read it.
#[derive(PartialEq, Eq)]
pub struct Source {
    /// Its name as the user knows it.
    pub name: String,
    /// Its whole text.
    pub text: String,
}

impl fmt::Debug for Source {
    /// Without the text, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A stretch of one line in a file that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// In characters; the caret is drawn at least once, and never past the end of the line.
    pub length: usize,
}

/// One thing that went wrong, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Who has to act.
    pub blame: Blame,
    /// What failed, on which named thing; lower case, no full stop.
    pub message: String,
    /// Where, if it comes from a file of the user's.
    pub place: Option<Place>,
    /// The words of whoever reported it, outermost first.
    pub causes: Vec<String>,
    /// What can be done now; only the first two are shown.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic with nothing but its first line.
    pub fn new(blame: Blame, message: impl Into<String>) -> Self {
        Diagnostic { blame, message: message.into(), place: None, causes: Vec::new(), hints: Vec::new() }
    }

    /// A diagnostic about the user's input.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Blame::Input, message)
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds where it happened, if that is known.
    #[must_use]
    pub fn at_maybe(mut self, place: Option<Place>) -> Self {
        self.place = place.or(self.place);
        self
    }

    /// Adds the words of whoever reported it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same, where a cause is known.
    #[must_use]
    pub fn caused_by_maybe(self, cause: Option<&str>) -> Self {
        match cause {
            Some(cause) => self.caused_by(cause),
            None => self,
        }
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what can be done about it, if anything.
    #[must_use]
    pub fn hint_maybe(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hints.extend(hint.map(Into::into));
        self
    }
}

impl Diagnostic {
    /// The same, said in other words.
    #[must_use]
    pub fn reworded(&self, reword: impl Fn(&str) -> String) -> Self {
        let all = |texts: &[String]| texts.iter().map(|text| reword(text)).collect();
        let (causes, hints) = (all(&self.causes), all(&self.hints));
        Diagnostic { blame: self.blame, message: reword(&self.message), place: self.place.clone(), causes, hints }
    }
}

impl fmt::Display for Diagnostic {
    /// Everything after the word `error: `, on as many lines as it takes, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n{place}")?;
        }
        for cause in &self.causes {
            write!(f, "\ncaused by: {}", cause.trim_end().replace('\n', "\n           "))?;
        }
        for hint in self.hints.iter().take(2) {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    /// The only place where a line of the user's is shown: without what looks like a secret in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        write!(f, "{gutter}--> {}:{}:{}", self.source.name, self.line, self.column)?;
        let Some(line) = secrecy::quoted(&self.source.text, self.line.saturating_sub(1)) else { return Ok(()) };
        let before: String = line.chars().take(self.column.saturating_sub(1)).collect();
        // A tab under a tab keeps the caret in its column, whatever the tab's width.
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let room = line.chars().count().saturating_sub(before.chars().count());
        let carets = "^".repeat(self.length.min(room).max(1));
        write!(f, "\n{gutter} |\n{number} | {line}\n{gutter} | {indent}{carets}")
    }
}

/// Everything that went wrong at once; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// All of these, or nothing if there are none.
    ///
    /// # Errors
    /// If there is at least one diagnostic.
    pub fn check(diagnostics: Vec<Diagnostic>) -> Result<(), Self> {
        if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics(diagnostics)) }
    }

    /// The single diagnostics, at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// The same, said in other words.
    #[must_use]
    pub fn reworded(&self, reword: impl Fn(&str) -> String) -> Self {
        Diagnostics(self.0.iter().map(|diagnostic| diagnostic.reworded(&reword)).collect())
    }

    /// The exit code of the gravest, which is the one that stands first in [`Blame::ALL`] after our own bugs.
    pub fn exit_code(&self) -> u8 {
        let gravest = self.0.iter().map(|diagnostic| diagnostic.blame);
        let bug = gravest.clone().find(|blame| *blame == Blame::Bug);
        bug.or_else(|| gravest.min()).map_or(0, Blame::exit_code)
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, line: usize, column: usize, length: usize) -> Place {
        let source = Arc::new(Source { name: "longshore.yaml".into(), text: text.into() });
        Place { source, line, column, length }
    }

    #[test]
    fn the_whole_form() {
        let diagnostic = Diagnostic::input("unknown field `dockerfle` in `images.api.build`")
            .at(place("images:\n  api:\n    build: { dockerfle: x }\n", 3, 14, 9))
            .caused_by("first\nsecond")
            .hint("did you mean `dockerfile`?")
            .hint("two")
            .hint("three is never shown");
        let expected = "\
unknown field `dockerfle` in `images.api.build`
 --> longshore.yaml:3:14
  |
3 |     build: { dockerfle: x }
  |              ^^^^^^^^^
caused by: first
           second
hint: did you mean `dockerfile`?
hint: two";
        assert_eq!(diagnostic.to_string(), expected);
    }

    #[test]
    fn carets_stay_inside_the_line_and_under_tabs() {
        assert_eq!(place("\tab", 1, 2, 40).to_string(), " --> longshore.yaml:1:2\n  |\n1 | \tab\n  | \t^^");
        assert_eq!(place("ab", 1, 3, 0).to_string(), " --> longshore.yaml:1:3\n  |\n1 | ab\n  |   ^");
        assert_eq!(place("ab", 9, 1, 1).to_string(), " --> longshore.yaml:9:1");
    }

    #[test]
    fn a_secret_beside_the_error_is_not_shown_and_the_caret_stays() {
        let told = place("args: { API_KEY: hunter2, PROT: 80 }", 1, 27, 4).to_string();
        let expected = " --> longshore.yaml:1:27\n  |\n1 | args: { API_KEY: *******, PROT: 80 }\n  |                           ^^^^";
        assert_eq!(told, expected);
    }

    #[test]
    fn the_exit_code_says_who_acts() {
        let all = |blames: &[Blame]| {
            Diagnostics(blames.iter().map(|blame| Diagnostic::new(*blame, "x")).collect()).exit_code()
        };
        assert_eq!(all(&[Blame::Service, Blame::Input]), 2);
        assert_eq!(all(&[Blame::Work, Blame::Bug]), 70);
        assert_eq!(all(&[Blame::Access]), 3);
    }
}
