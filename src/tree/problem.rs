//! What is wrong or odd, before it becomes a message with a place to show.

use super::At;

/// One thing that is wrong or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text; nothing for what is missing from the whole of it.
    pub at: Option<At>,
    /// What, in one line.
    pub message: String,
    /// The service's own words for it, where they are known.
    pub service: Option<&'static str>,
    /// What can be done.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(at: &At, message: impl Into<String>) -> Self {
        Problem { at: Some(at.clone()), message: message.into(), service: None, hint: None }
    }

    /// A problem of the whole text.
    pub fn of_all(message: impl Into<String>) -> Self {
        Problem { at: None, message: message.into(), service: None, hint: None }
    }

    /// Adds the service's own words.
    #[must_use]
    pub fn service(mut self, words: &'static str) -> Self {
        self.service = Some(words);
        self
    }

    /// Adds what can be done.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that is wrong with a policy, in the order of its text.
pub type Problems = Vec<Problem>;

/// The same in the order of the text.
pub fn sorted(mut problems: Problems) -> Problems {
    problems.sort_by_key(|problem| problem.at.as_ref().map(|at| at.start));
    problems
}
