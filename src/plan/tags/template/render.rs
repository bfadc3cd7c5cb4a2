//! Fills templates in.

use std::fmt;

use super::{Call, Expression, Fault, Node, Path, Template};

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan::tags) enum Value {
    /// Nobody knows it.
    Missing,
    /// The word `null`.
    Null,
    /// A text.
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// Something that is no text.
    Object,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Missing | Value::Null => Ok(()),
            Value::Text(text) | Value::Number(text) => f.write_str(text),
            Value::Bool(value) => value.fmt(f),
            Value::Object => f.write_str("[object Object]"),
        }
    }
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Value::Missing | Value::Null => false,
            Value::Text(text) => !text.is_empty(),
            Value::Number(text) => text.parse::<f64>().is_ok_and(|number| number != 0.0),
            Value::Bool(value) => *value,
            Value::Object => true,
        }
    }
}

/// What stands behind a name in braces.
#[derive(Debug, Default)]
pub(in crate::plan::tags) struct Arguments {
    /// By their places.
    pub values: Vec<Value>,
    /// By their names.
    pub pairs: Vec<(String, Value)>,
}

/// Who knows what names stand for.
pub(in crate::plan::tags) trait Scope {
    /// What this name stands for; `None` if nobody knows it.
    ///
    /// # Errors
    /// If it cannot be had with these arguments.
    fn value(&self, name: &str, arguments: &Arguments) -> Result<Option<Value>, String>;
}

impl Template {
    /// The text that the template makes with what this scope knows.
    ///
    /// # Errors
    /// If a name cannot be had with its arguments, or nobody knows one that has some.
    pub fn render(&self, scope: &dyn Scope) -> Result<String, Fault> {
        let mut out = String::new();
        nodes(&self.nodes, scope, &mut out)?;
        Ok(out)
    }
}

fn nodes(list: &[Node], scope: &dyn Scope, out: &mut String) -> Result<(), Fault> {
    for node in list {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Output { call, escaped } => {
                let text = evaluate(call, scope)?.to_string();
                if *escaped { escape(&text, out) } else { out.push_str(&text) }
            }
            Node::Choice { call, unless, then, otherwise } => {
                let [condition] = call.arguments.as_slice() else { continue };
                let is_true = expression(condition, call, scope)?.is_true();
                nodes(if is_true != *unless { then } else { otherwise }, scope, out)?;
            }
        }
    }
    Ok(())
}

/// Words of the language, which are no names.
const WORDS: [&str; 5] = ["if", "unless", "each", "with", "lookup"];

fn evaluate(call: &Call, scope: &dyn Scope) -> Result<Value, Fault> {
    if let [name] = call.path.names.as_slice()
        && WORDS.contains(&name.as_str())
        && !call.path.scoped
        && !call.path.outside
    {
        return Err(Fault::new(format!("`{name}` cannot stand here without `#`"), call.range.clone()));
    }
    if call.arguments.is_empty() && call.pairs.is_empty() {
        return path(&call.path, call, scope);
    }
    let values = call.arguments.iter().map(|value| argument(value, call, scope));
    let pairs = call.pairs.iter().map(|(key, value)| Ok((key.clone(), argument(value, call, scope)?)));
    let arguments =
        Arguments { values: values.collect::<Result<_, _>>()?, pairs: pairs.collect::<Result<_, Fault>>()? };
    let fault = |message: String| Fault::new(message, call.range.clone());
    let name = call.path.names.join(".");
    let known = match call.path.names.as_slice() {
        [name] if !call.path.outside => scope.value(name, &arguments).map_err(fault)?,
        _ => None,
    };
    match known {
        Some(value) => Ok(value),
        None if call.arguments.is_empty() || name == "log" => Ok(Value::Missing),
        None => Err(fault(format!("nothing is called `{name}` that takes arguments"))),
    }
}

/// An argument. A name there stands for whatever makes its text, which is no text; in parentheses it is called.
fn argument(value: &Expression, around: &Call, scope: &dyn Scope) -> Result<Value, Fault> {
    match value {
        Expression::Path(path) => Ok(match path.names.as_slice() {
            [name] if !path.outside => match scope.value(name, &Arguments::default()) {
                Ok(None) => Value::Missing,
                Ok(Some(_)) | Err(_) => Value::Object,
            },
            [] if !path.outside => Value::Object,
            _ => Value::Missing,
        }),
        Expression::Constant(_) | Expression::Call(_) => expression(value, around, scope),
    }
}

fn expression(expression: &Expression, around: &Call, scope: &dyn Scope) -> Result<Value, Fault> {
    match expression {
        Expression::Constant(value) => Ok(value.clone()),
        Expression::Path(name) => path(name, around, scope),
        Expression::Call(call) if call.arguments.is_empty() => {
            let name = call.path.names.join(".");
            let known = scope.value(&name, &Arguments::default());
            let known = known.map_err(|message| Fault::new(message, around.range.clone()))?;
            known.ok_or_else(|| Fault::new(format!("nothing is called `{name}`"), around.range.clone()))
        }
        Expression::Call(call) => evaluate(call, scope),
    }
}

fn path(path: &Path, around: &Call, scope: &dyn Scope) -> Result<Value, Fault> {
    match path.names.as_slice() {
        _ if path.outside => Ok(Value::Missing),
        [] => Ok(Value::Object),
        [name] => {
            let value = scope.value(name, &Arguments::default());
            Ok(value.map_err(|message| Fault::new(message, around.range.clone()))?.unwrap_or(Value::Missing))
        }
        _ => Ok(Value::Missing),
    }
}

/// Source: Handlebars language guide, "HTML escaping".
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            _ => out.push(c),
        }
    }
}
