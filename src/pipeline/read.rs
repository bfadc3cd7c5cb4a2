//! Reads fields of the tree as what they should be, and reports whatever they are instead.
//!
//! A reader gives `None` for a value that it has reported; the caller goes on with the next field, so that all
//! problems of a file come at once.

use std::str::FromStr;

use super::node::{Entry, Node, Value};
use super::problems::Problems;
use super::span::Span;
use crate::names::InvalidName;

/// A value with the words for it.
#[derive(Debug, Clone)]
pub(super) struct Field<'n> {
    /// The way to it, as in `images.web.build`.
    pub path: String,
    /// Where its key stands; where it stands itself, if it has none.
    pub key: Span,
    /// The value.
    pub node: &'n Node,
}

impl<'n> Field<'n> {
    /// Where the value stands; its key if there is nothing to point at.
    pub fn span(&self) -> Span {
        match self.node.value {
            Value::Text(_) | Value::List(_) if self.node.span.start < self.node.span.end => self.node.span,
            _ => self.key,
        }
    }

    /// A field below this one.
    pub fn child(&self, key: &str, span: Span, node: &'n Node) -> Field<'n> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Field { path, key: span, node }
    }

    /// The value is not what it should be.
    pub fn wrong_kind(&self, expected: &str, problems: &mut Problems) {
        let path = &self.path;
        match &self.node.value {
            Value::Broken => {}
            Value::Null => problems.error_with_hint(
                self.span(),
                format!("`{path}` has no value"),
                format!("give it {expected}, or leave the field out"),
            ),
            other => problems.error(self.span(), format!("`{path}` must be {expected}, not {}", other.kind())),
        }
    }

    /// A text, which may be empty.
    pub fn text_or_empty(&self, problems: &mut Problems) -> Option<&'n str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => {
                self.wrong_kind("a text", problems);
                None
            }
        }
    }

    /// A text that is not empty.
    pub fn text(&self, problems: &mut Problems) -> Option<&'n str> {
        let text = self.text_or_empty(problems)?;
        if text.trim().is_empty() {
            problems.error(self.span(), format!("`{}` is empty", self.path));
            return None;
        }
        Some(text)
    }

    /// A text of the caller's own.
    pub fn owned(&self, problems: &mut Problems) -> Option<String> {
        self.text(problems).map(str::to_owned)
    }

    /// A name of the domain.
    pub fn name<T: FromStr<Err = InvalidName>>(&self, problems: &mut Problems) -> Option<T> {
        match self.text(problems)?.parse() {
            Ok(name) => Some(name),
            Err(invalid) => {
                problems.invalid(self.span(), &self.path, &invalid);
                None
            }
        }
    }

    /// `true` or `false`, with or without quotes.
    pub fn flag(&self, problems: &mut Problems) -> Option<bool> {
        if !matches!(self.node.value, Value::Text(_)) {
            self.wrong_kind("`true` or `false`", problems);
            return None;
        }
        match self.text(problems)? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                problems.error(self.span(), format!("`{}` must be `true` or `false`, not `{other}`", self.path));
                None
            }
        }
    }

    /// The items of a list.
    pub fn items(&self, expected: &str, problems: &mut Problems) -> Option<Vec<Field<'n>>> {
        match &self.node.value {
            Value::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, node)| Field { path: format!("{}[{i}]", self.path), key: node.span, node })
                    .collect(),
            ),
            _ => {
                self.wrong_kind(expected, problems);
                None
            }
        }
    }

    /// The items of a list, or the one text that stands in its place.
    pub fn items_or_single(&self, problems: &mut Problems) -> Option<Vec<Field<'n>>> {
        match &self.node.value {
            Value::Text(_) => Some(vec![self.clone()]),
            _ => self.items("a text or a list of texts", problems),
        }
    }

    /// The entries of a map whose keys are the user's.
    pub fn entries(&self, problems: &mut Problems) -> Option<Vec<(&'n Entry, Field<'n>)>> {
        match &self.node.value {
            Value::Map(entries) => Some(
                entries
                    .iter()
                    .map(|entry| (entry, self.child(&entry.key.value, entry.key.span, &entry.value)))
                    .collect(),
            ),
            _ => {
                self.wrong_kind("a map", problems);
                None
            }
        }
    }
}
