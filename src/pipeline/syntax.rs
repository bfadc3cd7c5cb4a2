//! Text that is not YAML, told in words that help.

use std::sync::Arc;

use serde_yaml::{Error, RenderOptions, SnippetMode, UserMessageFormatter};

use super::span::Span;
use super::yaml::{MAX_DEPTH, MAX_NODES};
use crate::diagnostic::{Diagnostic, Source};
use crate::secrecy;

/// What the YAML library found, at its place.
pub(super) fn diagnostic(error: &Error, source: &Arc<Source>) -> Diagnostic {
    let name = &source.name;
    let span = span(error, source);
    let diagnostic = match innermost(error) {
        Error::MultipleDocuments { .. } => Diagnostic::input(format!("`{name}` has more than one YAML document"))
            .hint("a pipeline is one document; move the other into a file of its own, and choose with `-f`"),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Diagnostic::input(format!("`{name}` holds too much"))
            .hint(format!("a pipeline file has at most {MAX_NODES} values, {MAX_DEPTH} deep; aliases count in full")),
        Error::UnknownAnchor { .. } => {
            Diagnostic::input(format!("`{name}` uses an anchor that is not defined before this alias"))
                .hint("a text that begins with `*` must be in quotes")
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            Diagnostic::input(format!("`{name}` has an anchor that contains itself"))
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            Diagnostic::input(format!("`{name}` merges something that is not a map"))
                .hint("after `<<:` comes an alias of a map, or a list of them")
        }
        _ => Diagnostic::input(format!("`{name}` is not valid YAML"))
            .caused_by(secrecy::told(&words(error)))
            .hint_maybe(hint(&source.text, span)),
    };
    diagnostic.at(span.place(source))
}

/// An error inside something that an alias repeats comes wrapped.
fn innermost(error: &Error) -> &Error {
    match error {
        Error::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

/// The library's own words, without the place, which is ours to tell.
fn words(error: &Error) -> String {
    let formatter = UserMessageFormatter;
    let mut options = RenderOptions::new(&formatter);
    options.snippets = SnippetMode::Off;
    let words = error.render_with_options(options);
    let end = words.find(" at line ").unwrap_or(words.len());
    words[..end].replace('`', "'")
}

/// What stands at the place tells what was meant more often than the words of a parser do.
fn hint(text: &str, span: Span) -> Option<&'static str> {
    let (before, after) = text.split_at_checked(span.start)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    match after.chars().next() {
        Some('\t') => Some("indent with spaces"),
        _ if line.chars().all(char::is_whitespace) && line.contains('\t') => Some("indent with spaces"),
        Some('@' | '`' | '%' | '*' | '&') => Some("put the value in quotes"),
        Some('{') if line.ends_with('$') => Some("inside `{ }` and `[ ]`, put a value with `${…}` in quotes"),
        Some(':') => {
            Some("a value that contains `: ` must be in quotes; else a bracket is open or the indentation is off")
        }
        _ => None,
    }
}

/// Places in broken text come in characters, not in bytes.
fn span(error: &Error, source: &Source) -> Span {
    let Some(location) = error.location() else { return Span::new(0, 0) };
    let characters = usize::try_from(location.span().offset()).unwrap_or(usize::MAX);
    let end = source.text.len();
    let start = source.text.char_indices().nth(characters).map_or(end, |(offset, _)| offset);
    Span::new(start, source.text[start..].chars().next().map_or(end, |c| start + c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::yaml;

    fn told(text: &str) -> String {
        let source = Arc::new(Source { name: "f".into(), text: text.into() });
        let diagnostics = yaml::read(&source).unwrap_err();
        let found: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1);
        found.into_iter().next().unwrap()
    }

    #[test]
    fn places_count_characters() {
        assert!(told("é: 한\nb: @x\n").contains("--> f:2:4"));
    }

    #[test]
    fn hints_say_what_was_meant() {
        for (text, hint) in [
            ("a:\n\tb: 1\n", "indent with spaces"),
            ("a: @x\n", "put the value in quotes"),
            ("a: {b: ${X}}\n", "put a value with `${…}` in quotes"),
            ("a: b: c\n", "a value that contains `: ` must be in quotes"),
            ("a: *x\n", "a text that begins with `*` must be in quotes"),
            ("a: 1\n---\nb: 2\n", "a pipeline is one document"),
        ] {
            let told = told(text);
            assert!(told.contains(hint), "{text}\n{told}");
        }
    }

    #[test]
    fn the_place_is_told_once() {
        let told = told("a: \"x\nb: 3\n");
        assert!(told.contains("caused by: unclosed quote\n") || told.ends_with("caused by: unclosed quote"), "{told}");
    }
}
