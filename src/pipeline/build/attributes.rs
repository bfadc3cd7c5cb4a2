//! Things with attributes, as `key=value,key=value` or as a map: what docker's command line calls CSV.

use std::collections::BTreeMap;

use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;
use crate::pipeline::rule::csv;

/// One text of a list, or one line of a text that stands in a list's place, as build-push-action has it.
pub(super) struct Line<'n> {
    pub field: Field<'n>,
    pub text: &'n str,
}

/// An item that is a text, or something else.
pub(super) enum Item<'n> {
    Line(Line<'n>),
    Other(Field<'n>),
}

/// The items of a list, or the lines of a text.
pub(super) fn items<'n>(field: &Field<'n>, problems: &mut Problems) -> Option<Vec<Item<'n>>> {
    let mut all = Vec::new();
    for item in field.items_or_single(problems)? {
        if !matches!(item.node.value, Value::Text(_)) {
            all.push(Item::Other(item));
            continue;
        }
        let Some(text) = item.text(problems) else { continue };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        all.extend(lines.map(|text| Item::Line(Line { field: item.clone(), text })));
    }
    Some(all)
}

/// The attributes of a text: keys in lower case, and `None` where there is no `=`.
pub(super) fn of_text(line: &Line<'_>, problems: &mut Problems) -> Option<Vec<(String, Option<String>)>> {
    let record = match csv::record(line.text) {
        Ok(record) => record,
        Err(wrong) => {
            problems.error(line.field.span(), format!("`{}`: {}", line.field.path, wrong.message));
            return None;
        }
    };
    let pairs = record.into_iter().map(|part| match part.text.split_once('=') {
        Some((key, value)) => (key.trim().to_ascii_lowercase(), Some(value.trim().to_owned())),
        None => (part.text.trim().to_owned(), None),
    });
    Some(pairs.collect())
}

/// The attributes of a map.
pub(super) fn of_map(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let mut attributes = BTreeMap::new();
    for (entry, value) in field.entries(problems)? {
        if let Some(text) = value.text_or_empty(problems) {
            attributes.insert(entry.key.value.clone(), text.to_owned());
        }
    }
    Some(attributes)
}

/// Attributes that all have a value.
pub(super) fn with_values(line: &Line<'_>, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let mut attributes = BTreeMap::new();
    for (key, value) in of_text(line, problems)? {
        let Some(value) = value else {
            let message = format!("`{}`: `{key}` is not of the form `key=value`", line.field.path);
            problems.error(line.field.span(), message);
            return None;
        };
        attributes.insert(key, value);
    }
    Some(attributes)
}
