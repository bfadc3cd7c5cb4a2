//! All problems of one file, collected so that they can be told at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::span::Span;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::names::InvalidName;
use crate::secrecy;

/// What has been found wrong so far.
#[derive(Debug)]
pub(super) struct Problems {
    source: Arc<Source>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Problems {
    /// None yet.
    pub fn of(source: &Arc<Source>) -> Self {
        Problems { source: Arc::clone(source), errors: Vec::new(), warnings: Vec::new() }
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The place of a stretch of the file.
    pub fn place(&self, span: Span) -> Place {
        span.place(&self.source)
    }

    /// Something is wrong here.
    pub fn error(&mut self, span: Span, message: impl Into<String>) {
        self.report(span, Diagnostic::input(message));
    }

    /// Something is wrong here, and this is what can be done about it.
    pub fn error_with_hint(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.report(span, Diagnostic::input(message).hint(hint));
    }

    /// The same where the line must not be shown, since it may hold a secret.
    pub fn error_unquoted(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        let name = self.source.name.clone();
        let place = Place { source: Arc::new(Source { name, text: String::new() }), ..self.place(span) };
        self.errors.push(Diagnostic::input(message).hint(hint).at(place));
    }

    /// Something is wrong at a place that is known already.
    pub fn error_at(&mut self, place: Option<Place>, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Diagnostic::input(message).hint(hint).at_maybe(place));
    }

    /// Something is wrong, as somebody else has found.
    pub fn add(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }

    /// A value is not the name it was meant to be.
    pub fn invalid(&mut self, span: Span, path: &str, invalid: &InvalidName) {
        self.report(span, Diagnostic::input(format!("`{path}`: {invalid}")).hint_maybe(invalid.hint()));
    }

    /// Something is missing from the whole file.
    pub fn missing(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(Diagnostic::input(message).hint(hint));
    }

    /// Something is odd here, but need not be wrong.
    pub fn warn(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Diagnostic::input(message).hint(hint).at(self.place(span)));
    }

    /// Something is odd, as somebody else has found.
    pub fn add_warning(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    fn report(&mut self, span: Span, diagnostic: Diagnostic) {
        self.errors.push(diagnostic.at(self.place(span)));
    }

    /// The warnings, or else every error; both in the order of the file, each once.
    ///
    /// A value under an anchor is read wherever it is used, so the same problem may have been found many times.
    ///
    /// # Errors
    /// If anything was wrong.
    pub fn finish(self) -> Result<Vec<Diagnostic>, Diagnostics> {
        self.finish_without(&BTreeSet::new())
    }

    /// The same, said without these secrets, which have come into the values of the file.
    ///
    /// # Errors
    /// If anything was wrong.
    pub fn finish_without(self, secrets: &BTreeSet<String>) -> Result<Vec<Diagnostic>, Diagnostics> {
        let discreet = |diagnostics| in_order(diagnostics).into_iter().map(|one| discreet(&one, secrets)).collect();
        Diagnostics::check(discreet(self.errors))?;
        Ok(discreet(self.warnings))
    }
}

/// Messages quote values, and a value may be a secret where nobody expects one.
fn discreet(diagnostic: &Diagnostic, secrets: &BTreeSet<String>) -> Diagnostic {
    let discreet = |text: &str| secrecy::told(&secrecy::without(text, secrets));
    let mut told = diagnostic.reworded(discreet);
    // What to write instead may be made of the secret, in other letters.
    if told.message != diagnostic.message {
        told.hints.clear();
    }
    told
}

fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.place.as_ref().map(|place| (place.line, place.column)));
    let mut unique: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        let known = unique.iter().rev().take_while(|earlier| earlier.place == diagnostic.place);
        if !known.into_iter().any(|earlier| earlier.message == diagnostic.message) {
            unique.push(diagnostic);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_in_the_order_of_the_file_and_once() {
        let source = Arc::new(Source { name: "f".into(), text: "ab\n".into() });
        let mut problems = Problems::of(&source);
        problems.error(Span::new(1, 2), "second");
        problems.error(Span::new(0, 1), "first");
        problems.error(Span::new(1, 2), "third");
        problems.error(Span::new(1, 2), "second");
        problems.missing("nowhere", "add it");
        let found = problems.finish().unwrap_err();
        let messages: Vec<&str> = found.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(messages, ["nowhere", "first", "second", "third"]);
    }

    #[test]
    fn warnings_alone_are_no_failure() {
        let source = Arc::new(Source { name: "f".into(), text: "ab\n".into() });
        let mut problems = Problems::of(&source);
        problems.warn(Span::new(0, 1), "odd", "look again");
        assert_eq!(problems.finish().map(|warnings| warnings.len()), Ok(1));
    }
}
