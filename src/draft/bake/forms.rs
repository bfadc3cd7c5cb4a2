//! The two forms of a bake file, HCL and JSON, as one. Source: "HCL JSON Syntax Specification", by which every text of the
//! JSON form is a template, names of fields of an expression included.

use hcl::Expression;
use hcl::expr::{Object, ObjectKey, TemplateExpr};
use serde_json::{Map, Value};

/// The most fields of a file, by the signs that stand between a name and its value. To read an object takes time by the
/// square of its fields.
const FIELDS: usize = 8_000;

/// A bake file as written.
#[derive(Default)]
pub(super) struct Written {
    /// In the order of the file.
    pub variables: Vec<Variable>,
    /// In the order of the file.
    pub targets: Vec<Block>,
    pub groups: Vec<Block>,
}

pub(super) struct Variable {
    pub name: String,
    pub value: Expression,
}

pub(super) struct Block {
    pub name: String,
    pub fields: Vec<(String, Expression)>,
}

impl Written {
    /// Reads the form that the file's name says; `None` if it is not of this form, or has more fields than anybody writes.
    pub fn read(path: &str, text: &str) -> Option<Self> {
        if text.matches(['=', ':']).nth(FIELDS).is_some() {
            return None;
        }
        if path.ends_with(".json") { serde_json::from_str(text).ok().map(|file| json(&file)) } else { hcl(text) }
    }

    fn add(&mut self, kind: &str, block: Block) {
        match kind {
            "variable" => {
                let default = block.fields.into_iter().find(|(name, _)| name == "default").map(|(_, value)| value);
                // Not set is as good as empty.
                let value = default.filter(|value| *value != Expression::Null);
                let value = value.unwrap_or_else(|| Expression::from(""));
                self.variables.push(Variable { name: block.name, value });
            }
            "target" => self.targets.push(block),
            "group" => self.groups.push(block),
            _ => {}
        }
    }
}

fn hcl(text: &str) -> Option<Written> {
    let mut written = Written::default();
    for structure in hcl::parse(text).ok()? {
        match structure {
            hcl::Structure::Attribute(attribute) => {
                written.variables.push(Variable { name: attribute.key.into_inner(), value: attribute.expr });
            }
            hcl::Structure::Block(block) => {
                let Some(label) = block.labels.into_iter().next() else { continue };
                let attributes = block.body.into_attributes();
                let fields = attributes.map(|attribute| (attribute.key.into_inner(), attribute.expr)).collect();
                written.add(block.identifier.as_str(), Block { name: label.into_inner(), fields });
            }
        }
    }
    Some(written)
}

fn json(file: &Value) -> Written {
    let mut written = Written::default();
    for (kind, value) in file.as_object().into_iter().flatten() {
        match kind.as_str() {
            "variable" | "target" | "group" => {
                let labels = objects(value).flatten();
                for (name, fields) in labels.flat_map(|(name, bodies)| objects(bodies).map(move |body| (name, body))) {
                    let fields = fields.iter().map(|(field, value)| (field.clone(), expression(value))).collect();
                    written.add(kind, Block { name: name.clone(), fields });
                }
            }
            "function" | "//" => {}
            _ => written.variables.push(Variable { name: kind.clone(), value: expression(value) }),
        }
    }
    written
}

/// What is there once may stand alone, what is there several times in a list.
fn objects(value: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter_map(Value::as_object)
}

fn expression(value: &Value) -> Expression {
    match value {
        Value::Null => Expression::Null,
        Value::Bool(value) => Expression::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => Expression::from(number),
            (_, Some(number), _) => Expression::from(number),
            (.., number) => Expression::from(number.unwrap_or_default()),
        },
        Value::String(text) => template(text),
        Value::Array(items) => Expression::Array(items.iter().map(expression).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (ObjectKey::Expression(template(name)), expression(value)));
            Expression::Object(fields.collect::<Object<_, _>>())
        }
    }
}

fn template(text: &str) -> Expression {
    if text.contains("${") || text.contains("%{") {
        Expression::from(TemplateExpr::from(text))
    } else {
        Expression::from(text)
    }
}
