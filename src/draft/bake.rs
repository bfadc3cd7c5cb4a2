//! Targets of a bake file. Source: docs.docker.com, "Bake file reference".

use std::collections::BTreeMap;

use hcl::eval::{Context, Evaluate as _};
use serde_json::{Map, Value};

use super::{Draft, DraftImage};

/// Fields of a target that a build has under another name, or the same.
const FIELDS: [(&str, &str); 19] = [
    ("context", "context"),
    ("dockerfile", "dockerfile"),
    ("dockerfile-inline", "dockerfile_inline"),
    ("target", "target"),
    ("args", "args"),
    ("labels", "labels"),
    ("platforms", "platforms"),
    ("contexts", "additional_contexts"),
    ("secret", "secrets"),
    ("ssh", "ssh"),
    ("cache-from", "cache_from"),
    ("cache-to", "cache_to"),
    ("no-cache", "no_cache"),
    ("no-cache-filter", "no_cache_filter"),
    ("pull", "pull"),
    ("network", "network"),
    ("shm-size", "shm_size"),
    ("ulimits", "ulimits"),
    ("extra-hosts", "extra_hosts"),
];

/// Fields that say nothing about how an image is built.
const SILENT: [&str; 6] = ["inherits", "tags", "output", "description", "call", "name"];

/// A bake file, whichever form it has.
#[derive(Default)]
struct File {
    /// In the order of the file.
    targets: Vec<(String, Map<String, Value>)>,
    groups: BTreeMap<String, Vec<String>>,
}

/// Takes over the targets of the group `default`, or every target whose name does not begin with `_` as those do that
/// others inherit from.
pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    let file = match path.ends_with(".json") {
        true => from_json(text),
        false => from_hcl(path, text, draft),
    };
    let Some(file) = file else { return draft.leave_out(format!("{path}: it cannot be read")) };
    let chosen = file.chosen();
    for (name, own) in file.targets.iter().filter(|(name, _)| chosen.contains(name)) {
        if own.contains_key("matrix") {
            draft.leave_out(format!("{path}: target `{name}` has a `matrix`; write an image for each of its values"));
            continue;
        }
        let fields = file.with_inherited(own, 0);
        let mut image = DraftImage::new(name, format!("target `{name}` of {path}"));
        for (field, value) in &fields {
            match FIELDS.iter().find(|(bake, _)| bake == field) {
                Some((_, ours)) => image.build.push(((*ours).to_owned(), named_contexts(field, value))),
                None if SILENT.contains(&field.as_str()) => {}
                None => draft.leave_out(format!("{path}: `{field}` of target `{name}`")),
            }
        }
        let order = |field: &str| FIELDS.iter().position(|(_, ours)| *ours == field);
        image.build.sort_by_key(|(field, _)| order(field));
        let tags = fields.get("tags").and_then(Value::as_array).into_iter().flatten();
        for tag in tags.filter_map(Value::as_str) {
            draft.note(&mut image, tag);
        }
        draft.add(image);
    }
}

/// What bake calls a target is an image here.
fn named_contexts(field: &str, value: &Value) -> Value {
    let (Value::Object(contexts), "contexts") = (value, field) else { return value.clone() };
    let renamed = contexts.iter().map(|(name, value)| {
        let image = value.as_str().and_then(|text| text.strip_prefix("target:"));
        (name.clone(), image.map_or_else(|| value.clone(), |image| Value::from(format!("image:{image}"))))
    });
    Value::Object(renamed.collect())
}

impl File {
    /// The targets that are built when nothing is named.
    fn chosen(&self) -> Vec<String> {
        let mut chosen = Vec::new();
        let mut left: Vec<&str> = self.groups.get("default").into_iter().flatten().map(String::as_str).collect();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(name) = left.pop() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            match self.groups.get(name) {
                Some(group) => left.extend(group.iter().map(String::as_str)),
                None => chosen.push(name.to_owned()),
            }
        }
        if chosen.is_empty() {
            chosen = self.targets.iter().map(|(name, _)| name.clone()).filter(|name| !name.starts_with('_')).collect();
        }
        chosen
    }

    /// The fields of a target over those that it inherits; maps are merged.
    fn with_inherited(&self, own: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut fields = Map::new();
        let inherits = own.get("inherits").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in inherits.filter(|_| depth < 16) {
            if let Some((_, base)) = self.targets.iter().find(|(known, _)| known == name) {
                merge(&mut fields, self.with_inherited(base, depth + 1));
            }
        }
        merge(&mut fields, own.clone());
        fields
    }
}

fn merge(into: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

fn from_json(text: &str) -> Option<File> {
    let file: Value = serde_json::from_str(text).ok()?;
    let variables = file.get("variable").and_then(Value::as_object);
    let default = |(name, variable): (&String, &Value)| {
        Some((name.clone(), variable.get("default").and_then(Value::as_str)?.to_owned()))
    };
    let variables: BTreeMap<String, String> = variables.into_iter().flatten().filter_map(default).collect();
    let mut found = File::default();
    for (name, target) in file.get("target").and_then(Value::as_object).into_iter().flatten() {
        if let Value::Object(fields) = filled_in(target, &variables) {
            found.targets.push((name.clone(), fields));
        }
    }
    for (name, group) in file.get("group").and_then(Value::as_object).into_iter().flatten() {
        found.groups.insert(name.clone(), texts(group.get("targets")));
    }
    Some(found)
}

/// In the JSON form a text may name variables as `${NAME}`.
fn filled_in(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let filled = |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
            Value::String(variables.iter().fold(text.clone(), filled))
        }
        Value::Array(items) => items.iter().map(|item| filled_in(item, variables)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), filled_in(value, variables))).collect())
        }
        other => other.clone(),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Variables have their defaults. What calls a function is left out, because functions are the user's own.
fn from_hcl(path: &str, text: &str, draft: &mut Draft) -> Option<File> {
    let body = hcl::parse(text).ok()?;
    let mut context = Context::new();
    for block in body.blocks().filter(|block| block.identifier() == "variable") {
        let Some(name) = label(block) else { continue };
        let default = block.body().attributes().find(|attribute| attribute.key() == "default");
        let value = default.and_then(|default| default.expr().evaluate(&context).ok());
        context.declare_var(name, value.unwrap_or_else(|| hcl::Value::from("")));
    }
    for attribute in body.attributes() {
        if let Ok(value) = attribute.expr().evaluate(&context) {
            context.declare_var(attribute.key(), value);
        }
    }
    let mut found = File::default();
    for block in body.blocks() {
        let Some(name) = label(block) else { continue };
        let mut fields = Map::new();
        if matches!(block.identifier(), "target" | "group") {
            for attribute in block.body().attributes() {
                let key = attribute.key().to_owned();
                match attribute.expr().evaluate(&context).ok().and_then(|value| serde_json::to_value(value).ok()) {
                    Some(value) => drop(fields.insert(key, value)),
                    None => draft.leave_out(format!("{path}: `{key}` of `{name}`, which is computed")),
                }
            }
        }
        match block.identifier() {
            "target" => found.targets.push((name, fields)),
            "group" => drop(found.groups.insert(name, texts(fields.get("targets")))),
            _ => {}
        }
    }
    Some(found)
}

fn label(block: &hcl::Block) -> Option<String> {
    block.labels().first().map(|label| label.as_str().to_owned())
}
