//! Keys with values, as a map or as a list of `KEY=value`.

use std::collections::BTreeMap;

use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::span::Span;

/// Keys with values; `None` where a key stands alone.
pub(super) type Pairs = BTreeMap<String, Option<String>>;

/// Reads build arguments or labels: `{KEY: value}`, `[KEY=value]`, or a key alone.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Pairs> {
    match &field.node.value {
        Value::List(_) => from_list(field, problems),
        Value::Map(_) => from_map(field, problems),
        _ => {
            field.wrong_kind("a map or a list of `KEY=value`", problems);
            None
        }
    }
}

fn from_map(field: &Field<'_>, problems: &mut Problems) -> Option<Pairs> {
    let mut pairs = Pairs::new();
    for (entry, value) in field.entries(problems)? {
        let key = &entry.key.value;
        if !is_legal(key) {
            report_key(key, &field.path, value.key, problems);
        } else if value.node.value == Value::Null {
            pairs.insert(key.clone(), None);
        } else if let Some(text) = value.text_or_empty(problems) {
            pairs.insert(key.clone(), Some(text.to_owned()));
        }
    }
    Some(pairs)
}

fn from_list(field: &Field<'_>, problems: &mut Problems) -> Option<Pairs> {
    let mut pairs = Pairs::new();
    for item in field.items("a list", problems)? {
        let Some(text) = item.text(problems) else { continue };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if !is_legal(key) {
            report_key(key, &item.path, item.span(), problems);
        } else if pairs.insert(key.to_owned(), value).is_some() {
            problems.error(item.span(), format!("`{}` gives `{key}` again", item.path));
        }
    }
    Some(pairs)
}

fn is_legal(key: &str) -> bool {
    !key.is_empty() && !key.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control())
}

fn report_key(key: &str, path: &str, at: Span, problems: &mut Problems) {
    let message = match key {
        "" => format!("`{path}` has an empty key"),
        key => format!("`{path}`: key `{}` contains `=` or white space", key.escape_debug()),
    };
    problems.error(at, message);
}
