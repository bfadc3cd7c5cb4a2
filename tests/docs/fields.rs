//! The page of all fields of the pipeline file is what the JSON Schema says; UPDATE_DOCS=1 writes it anew.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{at, read};

const PAGE: &str = "docs/fields.md";

const INTRODUCTION: &str = "\
# All fields of the pipeline file

Made from [the JSON Schema](../longshore.schema.json); [the pipeline file](pipeline-file.md) says how they go together. A
field with a `-` in place of the `_`, such as `scan-on-push`, is the same field, and so are the other names that are listed.
";

/// The map that the fields of a definition are in: the definition itself, or one of its alternatives.
fn fields(definition: &Value) -> Option<&Map<String, Value>> {
    let alternatives = ["anyOf", "oneOf"].into_iter().flat_map(|key| definition[key].as_array().into_iter().flatten());
    std::iter::once(definition).chain(alternatives).find_map(|one| one["properties"].as_object())
}

fn described(field: &Value) -> &str {
    field["description"].as_str().unwrap_or_default()
}

fn table(fields: &Map<String, Value>) -> String {
    let mut rows = "| field | what it is |\n| --- | --- |\n".to_owned();
    for (name, field) in fields {
        if described(field).starts_with("The same as `") {
            continue;
        }
        let same = format!("The same as `{name}`. ");
        let others: Vec<String> = fields
            .iter()
            .filter(|(other, field)| described(field).starts_with(&same) && other.replace('-', "_") != *name)
            .filter(|(other, _)| !other.contains('-') || !fields.contains_key(&other.replace('-', "_")))
            .map(|(other, _)| format!("`{other}`"))
            .collect();
        let named = if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) };
        let _ = writeln!(rows, "| `{name}`{named} | {} |", described(field).replace('|', "\\|"));
    }
    rows
}

fn page() -> String {
    let schema: Value = serde_json::from_str(&read("longshore.schema.json")).unwrap();
    let mut page = format!("{INTRODUCTION}\n## The file\n\n{}", table(schema["properties"].as_object().unwrap()));
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        let Some(fields) = fields(definition) else { continue };
        let _ = write!(page, "\n## {}\n\n{}", name.replace('_', " "), table(fields));
    }
    page
}

#[test]
fn the_page_of_fields_is_the_schema() {
    let made = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(at(PAGE), &made).unwrap();
    }
    assert!(read(PAGE) == made, "{PAGE} is not what the schema says; UPDATE_DOCS=1 cargo test --test docs writes it");
}
