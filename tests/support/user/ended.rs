//! A program that has ended, and what it printed in a form that is the same in every run.

use std::path::Path;

use regex::Regex;

/// A program that has ended.
#[derive(Clone)]
pub struct Ended {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub(super) shown: String,
    pub(super) redactor: Redactor,
}

impl Ended {
    /// It must have ended with this exit code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n--- stdout\n{}--- stderr\n{}", self.shown, self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// What it printed to stdout, redacted.
    pub fn out(&self) -> String {
        self.redactor.redact(&self.stdout)
    }

    /// What it printed to stderr, redacted. That something is tried again is left out: it is told of waits that are worth
    /// it, and how long a wait becomes is left to chance. So is the warning of contexts with `.git`, which most tests have.
    pub fn err(&self) -> String {
        let text = self.redactor.redact(&self.stderr);
        let with_git = Regex::new("(?m)^warning: the context of image `.*` holds `.git`: .*\n.*\n").unwrap();
        let text = with_git.replace_all(&text, "");
        text.split_inclusive('\n').filter(|line| !line.trim_end().ends_with("; trying again in TIME")).collect()
    }

    /// It must have printed nothing to stdout, and exactly this to stderr once redacted.
    #[track_caller]
    pub fn says(&self, stderr: &str) {
        assert_eq!(self.stdout, "", "stdout is for results");
        assert_eq!(self.err(), stderr);
    }
}

/// Puts names in place of whatever differs from run to run.
#[derive(Clone)]
pub struct Redactor {
    folder: String,
    id: String,
}

impl Redactor {
    pub(super) fn new(id: &str, folder: &Path) -> Self {
        Redactor { folder: folder.display().to_string(), id: id.to_owned() }
    }

    fn redact(&self, text: &str) -> String {
        let text = text.replace(&self.folder, "FOLDER").replace(&self.id, "UNIQUE");
        let patterns = [
            (r"sha256:[0-9a-f]{64}", "DIGEST"),
            (r"sha256:[0-9a-f]{12}\b", "DIGEST"),
            (r"\b[0-9a-f]{40}\b", "COMMIT"),
            (r"\bsrc-[0-9a-f]{20}\b", "src-KEY"),
            (r"built [0-9a-f]{12}", "built ID"),
            (r"in [0-9]+(\.[0-9]+)?s\b", "in TIME"),
            (r"127\.0\.0\.1:[0-9]+", "HOST"),
        ];
        patterns
            .iter()
            .fold(text, |text, (pattern, name)| Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned())
    }
}
