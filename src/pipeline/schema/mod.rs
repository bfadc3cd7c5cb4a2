//! The JSON Schema of the pipeline file, for editors: made of the very tables that the reader goes by, so that the two
//! cannot differ. What only the values decide, such as the limits of AWS, is left to the reader.

mod build;
mod shape;
mod top;

use serde_json::{Map, Value, json};

use super::fields::Schema;
use shape::Shape;

/// A map whose fields are known, described for people.
pub(in crate::pipeline) struct Described {
    /// Its name among the definitions.
    name: &'static str,
    /// What the reader knows of it.
    schema: &'static Schema,
    /// What each field of the reader's is for, and what it holds, by its proper name.
    fields: &'static [(&'static str, &'static str, Shape)],
    /// The fields that may not be missing.
    required: &'static [&'static str],
}

/// The schema, as draft 7, which every editor knows.
pub fn json_schema() -> Value {
    let mut definitions = Definitions::default();
    let root = object(&top::FILE, &mut definitions);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!("longshore.yaml"));
    schema.insert(
        "description".to_owned(),
        json!("A pipeline of Longshore: container images, and the way to Amazon ECR"),
    );
    schema.extend(root);
    schema.insert("definitions".to_owned(), Value::Object(definitions.done));
    Value::Object(schema)
}

/// Those that were met.
#[derive(Default)]
struct Definitions {
    done: Map<String, Value>,
}

impl Definitions {
    /// A reference to a map's definition, which is made when it is first met.
    fn reference(&mut self, described: &'static Described) -> Value {
        if !self.done.contains_key(described.name) {
            self.done.insert(described.name.to_owned(), Value::Null);
            let definition = object(described, self);
            self.done.insert(described.name.to_owned(), Value::Object(definition));
        }
        json!({ "$ref": format!("#/definitions/{}", described.name) })
    }
}

fn object(described: &'static Described, definitions: &mut Definitions) -> Map<String, Value> {
    let mut properties = Map::new();
    for (name, others) in described.schema.fields {
        let found = described.fields.iter().find(|(known, ..)| known == name);
        let (about, shape) = found.map_or(("", &Shape::Any), |(_, about, shape)| (*about, shape));
        let mut property = with_description(shape::value(shape, definitions), about);
        properties.insert((*name).to_owned(), property.clone());
        for other in *others {
            property = with_description(property, &format!("The same as `{name}`. {about}"));
            properties.insert((*other).to_owned(), property.clone());
        }
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    if !described.required.is_empty() {
        object.insert("required".to_owned(), json!(described.required));
    }
    object.insert("properties".to_owned(), Value::Object(properties));
    object.insert("patternProperties".to_owned(), json!({ "^x-": {} }));
    object.insert("additionalProperties".to_owned(), json!(false));
    object
}

/// In draft 7 nothing that stands beside a reference counts, so one is put into a list of one.
fn with_description(value: Value, about: &str) -> Value {
    let Value::Object(mut map) = value else { return value };
    if let Some(reference) = map.remove("$ref") {
        map.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
    map.insert("description".to_owned(), json!(about));
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every described map that can be reached from the file.
    fn all() -> Vec<&'static Described> {
        let mut found: Vec<&'static Described> = Vec::new();
        let mut left: Vec<&'static Described> = vec![&top::FILE];
        while let Some(described) = left.pop() {
            if found.iter().any(|known| known.name == described.name) {
                continue;
            }
            found.push(described);
            described.fields.iter().for_each(|(_, _, shape)| shape::maps(shape, &mut left));
        }
        found
    }

    #[test]
    fn every_field_of_the_reader_is_described_and_no_other() {
        for described in all() {
            let known: Vec<&str> = described.schema.fields.iter().map(|(name, _)| *name).collect();
            let told: Vec<&str> = described.fields.iter().map(|(name, ..)| *name).collect();
            assert_eq!(told, known, "in src/pipeline/schema, `{}`", described.name);
            for (name, about, _) in described.fields {
                assert!(!about.is_empty() && !about.ends_with('.'), "`{}.{name}`: {about:?}", described.name);
            }
        }
    }

    #[test]
    fn both_spellings_are_there_and_fields_of_ones_own() {
        let schema = json_schema();
        let build = &schema["definitions"]["build"];
        for name in ["args", "build-args", "additional_contexts", "contexts", "dockerfile", "file"] {
            assert!(build["properties"][name].is_object(), "{name}");
        }
        assert_eq!(build["additionalProperties"], false);
        assert!(build["patternProperties"]["^x-"].is_object());
        assert_eq!(schema["required"], json!(["version", "images"]));
    }
}
