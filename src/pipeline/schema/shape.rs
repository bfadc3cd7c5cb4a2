//! What a field may hold.

use serde_json::{Value, json};

use super::{Definitions, Described};

/// The kinds of values, as the readers take them. Numbers and booleans are texts too, and `${…}` may stand for any.
pub(super) enum Shape {
    /// Anything.
    Any,
    /// Nothing: the reader refuses the field and says where it belongs.
    Nothing,
    /// A text, a number or a boolean.
    Text,
    /// `true` or `false`, with or without quotes.
    Flag,
    /// `false`.
    Off,
    /// A whole number, with or without quotes.
    Number,
    /// This number, with or without quotes.
    Exactly(u32),
    /// One of these.
    Words(&'static [&'static str]),
    /// A text of this form. The pattern is of ECMAScript.
    Like(&'static str),
    /// A map whose fields are known.
    Map(&'static Described),
    /// A map whose keys are the user's.
    MapOf(&'static Shape),
    /// A list.
    ListOf(&'static Shape),
    /// A map in which a value may be left out, or a list of `KEY=value`.
    Pairs,
    /// Any one of these.
    Either(&'static [Shape]),
}

/// A text, or a list of texts.
pub(super) const TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::ListOf(&Shape::Text)]);

/// Text, or a list of what are texts or maps of attributes.
pub(super) const ATTRIBUTES: Shape =
    Shape::Either(&[Shape::Text, Shape::ListOf(&Shape::Either(&[Shape::Text, Shape::MapOf(&Shape::Text)]))]);

/// A variable of the environment in place of a value.
const VARIABLE: &str = "\\$";

pub(super) fn value(shape: &'static Shape, definitions: &mut Definitions) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Nothing => json!({ "not": {} }),
        Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Flag => json!({ "anyOf": [
            { "type": "boolean" },
            { "type": "string", "pattern": format!("^(true|false)$|{VARIABLE}") },
        ] }),
        Shape::Off => json!({ "enum": [false, "false"] }),
        Shape::Number => json!({ "anyOf": [
            { "type": "integer" },
            { "type": "string", "pattern": format!("^-?[0-9]+$|{VARIABLE}") },
        ] }),
        Shape::Exactly(number) => json!({ "enum": [number, number.to_string()] }),
        Shape::Words(words) => json!({ "anyOf": [
            { "enum": words },
            { "type": "string", "pattern": VARIABLE },
        ] }),
        Shape::Like(pattern) => {
            json!({ "type": ["string", "number"], "pattern": format!("{pattern}|{VARIABLE}") })
        }
        Shape::Map(described) => definitions.reference(described),
        Shape::MapOf(shape) => {
            json!({ "type": "object", "additionalProperties": value(shape, definitions) })
        }
        Shape::ListOf(shape) => json!({ "type": "array", "items": value(shape, definitions) }),
        Shape::Pairs => json!({ "anyOf": [
            { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } },
            { "type": "array", "items": value(&Shape::Text, definitions) },
        ] }),
        Shape::Either(shapes) => {
            let any: Vec<Value> = shapes.iter().map(|shape| value(shape, definitions)).collect();
            json!({ "anyOf": any })
        }
    }
}

/// The maps that are met in a shape.
#[cfg(test)]
pub(super) fn maps(shape: &'static Shape, found: &mut Vec<&'static Described>) {
    match shape {
        Shape::Map(described) => found.push(described),
        Shape::MapOf(shape) | Shape::ListOf(shape) => maps(shape, found),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| maps(shape, found)),
        _ => {}
    }
}
