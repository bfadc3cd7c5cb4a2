//! A pipeline file as a tree: texts, lists and maps, each with its place.

use super::span::{Span, Spanned};

/// A value as it is written. Numbers and booleans are texts here: only the field knows what it wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; where a list or a map begins.
    pub span: Span,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// A text, a number or a boolean.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file; no key comes twice.
    Map(Vec<Entry>),
    /// What was here has been reported already; whoever reads it keeps quiet.
    Broken,
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
}

impl Value {
    /// What the user would call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Broken => "unreadable",
        }
    }
}
