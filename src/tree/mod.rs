//! JSON or YAML as it is written: every value with its place, and numbers apart from texts, which AWS tells apart.

pub mod json;
mod members;
mod problem;

pub use members::{Member, Members, Placed};
pub use problem::{Problem, Problems, sorted};

use std::ops::Range;

/// A stretch of the file's text, in bytes.
pub type At = Range<usize>;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub at: At,
}

/// The kinds of values that JSON has.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object or map, in the order of the file; no key comes twice.
    Map(Vec<Entry>),
    /// What was here has been reported already; whoever reads it keeps quiet.
    Broken,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Where the key stands.
    pub key_at: At,
    /// Its value.
    pub value: Node,
}

impl Value {
    /// What the user would call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Flag(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Broken => "unreadable",
        }
    }
}

impl Node {
    /// The members, if this is a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The member of this name, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }
}
