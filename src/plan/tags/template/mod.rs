//! Templates: the part of Handlebars that tags are written with.
//!
//! `{{name}}` is replaced by what it stands for, with the characters that mean something in HTML escaped;
//! `{{{name}}}` without. Names that nobody knows are empty. `{{name 'argument' key='value'}}` calls, and `{{#if name}}…
//! {{else}}…{{/if}}` and `{{#unless}}` choose. Source: Handlebars language guide.

mod lex;
mod parse;
mod render;

use std::ops::Range;

pub(super) use parse::parse;
pub(super) use render::{Arguments, Scope, Value};

/// What is wrong with a template, and where in it, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub message: String,
    pub range: Range<usize>,
}

impl Fault {
    fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Fault { message: message.into(), range }
    }
}

/// A template that has been read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    Output { call: Call, escaped: bool },
    Choice { call: Call, unless: bool, then: Vec<Node>, otherwise: Vec<Node> },
}

/// A name with its arguments.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    path: Path,
    arguments: Vec<Expression>,
    pairs: Vec<(String, Expression)>,
    range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
struct Path {
    /// The names between dots; none for the scope itself.
    names: Vec<String>,
    /// It began with `this` or a dot, and so cannot call.
    scoped: bool,
    /// It began with two dots, and so is outside of everything.
    outside: bool,
    /// It was written as a text or a number.
    literal: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Path(Path),
    Constant(Value),
    Call(Call),
}

impl Template {
    /// Whether it is this one name in braces and nothing else.
    pub fn is_only(&self, name: &str) -> bool {
        match self.nodes.as_slice() {
            [Node::Output { call, .. }] => !call.path.literal && call.path.names == [name],
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
