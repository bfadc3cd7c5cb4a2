//! Targets of a bake file. Source: docs.docker.com, "Bake file reference".

mod forms;
mod order;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::forms::{Block, Written};
use self::order::needed_first;
use self::values::{Unknown, Values};
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

/// The fields of a target or a group.
type Fields = Map<String, Value>;

/// A bake file, as far as its values are known.
struct File {
    /// In the order of the file.
    targets: Vec<(String, Fields)>,
    groups: BTreeMap<String, Vec<String>>,
    values: Values,
}

/// Takes over the targets of the group `default`, or every target whose name does not begin with `_` as those do that
/// others inherit from.
pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    let Some(written) = Written::read(path, text) else {
        return draft.leave_out(format!("{path}: it cannot be read"));
    };
    let mut file = File::of(&written, path, draft);
    let chosen = file.chosen();
    for (at, fields) in file.with_inherited(&chosen) {
        let (name, own) = &file.targets[at];
        if own.contains_key("matrix") {
            draft.leave_out(format!("{path}: target `{name}` has a `matrix`; write an image for each of its values"));
            continue;
        }
        let Ok(fields) = fields else {
            draft.leave_out(format!("{path}: target `{name}`, which inherits too much"));
            continue;
        };
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
    /// Evaluates every field, and says of those that are left out why.
    fn of(written: &Written, path: &str, draft: &mut Draft) -> Self {
        let (mut values, unknown) = Values::of(&written.variables);
        for (name, why) in unknown {
            draft.leave_out(format!("{path}: variable `{name}`, {}", why.why()));
        }
        let mut known = |block: &Block| {
            let mut fields = Fields::new();
            for (field, expression) in &block.fields {
                let value = values.evaluate(expression);
                match value.and_then(|value| serde_json::to_value(value).map_err(|_| Unknown::Computed)) {
                    Ok(value) => drop(fields.insert(field.clone(), value)),
                    Err(why) => draft.leave_out(format!("{path}: `{field}` of `{}`, {}", block.name, why.why())),
                }
            }
            fields
        };
        let targets = written.targets.iter().map(|block| (block.name.clone(), known(block))).collect();
        let groups = written.groups.iter().map(|block| (block.name.clone(), texts(known(block).get("targets"))));
        let groups = groups.collect();
        File { targets, groups, values }
    }

    /// The targets that are built when nothing is named, by their places in the file.
    fn chosen(&self) -> Vec<usize> {
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        let mut left: Vec<&str> = self.groups.get("default").into_iter().flatten().map(String::as_str).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            match self.groups.get(name) {
                Some(group) => left.extend(group.iter().map(String::as_str)),
                None => drop(chosen.insert(name)),
            }
        }
        let is_chosen = |name: &str| if chosen.is_empty() { !name.starts_with('_') } else { chosen.contains(name) };
        let targets = self.targets.iter().enumerate();
        targets.filter(|(_, (name, _))| is_chosen(name)).map(|(at, _)| at).collect()
    }

    /// The fields of these targets over those that they inherit, each computed once; maps are merged.
    fn with_inherited(&mut self, chosen: &[usize]) -> Vec<(usize, Result<Fields, Unknown>)> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, (name, _)) in self.targets.iter().enumerate() {
            places.entry(name).or_insert(at);
        }
        let bases = |(_, own): &(String, Fields)| {
            let names = own.get("inherits").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            names.filter_map(|name| places.get(name).copied()).collect()
        };
        let bases: Vec<Vec<usize>> = self.targets.iter().map(bases).collect();
        let mut done: Vec<Option<Result<Merged, Unknown>>> = vec![None; bases.len()];
        for at in needed_first(&bases, chosen.iter().copied()) {
            let below = bases[at].iter().filter_map(|base| done[*base].as_ref());
            done[at] = Some(Merged::of(&self.targets[at].1, below, &mut self.values));
        }
        let fields = |at: &usize| Some((*at, done[*at].take()?.map(|merged| merged.fields)));
        chosen.iter().filter_map(fields).collect()
    }
}

/// The fields of a target with those that it inherits.
#[derive(Clone)]
struct Merged {
    fields: Fields,
    /// In bytes.
    size: usize,
}

impl Merged {
    fn of<'m>(
        own: &Fields,
        bases: impl Iterator<Item = &'m Result<Merged, Unknown>>,
        values: &mut Values,
    ) -> Result<Self, Unknown> {
        let mut fields = Fields::new();
        for base in bases {
            let base = base.as_ref().map_err(|why| *why)?;
            values.grow(base.size)?;
            merge(&mut fields, base.fields.clone());
        }
        merge(&mut fields, own.clone());
        // What it inherits is in it now.
        fields.remove("inherits");
        let size = fields.iter().map(|(name, value)| name.len() + size(value)).sum();
        Ok(Merged { fields, size })
    }
}

fn merge(into: &mut Fields, over: Fields) {
    for (name, value) in over {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

/// The bytes of a value, roughly.
fn size(value: &Value) -> usize {
    const EACH: usize = 16;
    EACH + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| EACH + name.len() + size(value)).sum(),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
