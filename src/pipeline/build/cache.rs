//! `cache_from`, `cache_to`, and our own `cache`.

use super::attributes::{self, Item};
use crate::names::nearest;
use crate::pipeline::fields::Schema;
use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;
use crate::pipeline::{Cache, CacheEntry, CacheKind, CacheMode};

/// The words for the kinds of a cache.
pub(in crate::pipeline) const KINDS: [&str; 2] = ["registry", "inline"];

pub(in crate::pipeline) const CACHE: Schema = Schema {
    expected: "`registry`, `inline`, `false`, or a map",
    fields: &[("type", &[]), ("mode", &[]), ("repository", &[])],
    unsupported: &[],
};

/// Reads `type=…,key=value`, the reference of an image, which stands for `type=registry,ref=…`, or maps; one or a list.
pub(super) fn entries(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<CacheEntry>> {
    let mut all = Vec::new();
    for item in attributes::items(field, problems)? {
        let (field, mut attributes) = match item {
            Item::Line(line) if !line.text.contains('=') => {
                let attributes = [("ref".to_owned(), line.text.to_owned())].into();
                all.push(CacheEntry { kind: "registry".into(), attributes });
                continue;
            }
            Item::Line(line) => match attributes::with_values(&line, problems) {
                Some(attributes) => (line.field, attributes),
                None => continue,
            },
            Item::Other(field) => match attributes::of_map(&field, problems) {
                Some(attributes) => (field, attributes),
                None => continue,
            },
        };
        match attributes.remove("type").filter(|kind| !kind.is_empty()) {
            Some(kind) => all.push(CacheEntry { kind, attributes }),
            None => problems.error_with_hint(
                field.span(),
                format!("`{}` has no `type`", field.path),
                "write `type=registry,ref=…`, or the reference alone",
            ),
        }
    }
    Some(all)
}

/// Reads `registry`, `inline`, `false`, or `{type, mode, repository}`.
pub(super) fn cache(field: &Field<'_>, problems: &mut Problems) -> Option<Cache> {
    if let Value::Text(text) = &field.node.value
        && text == "false"
    {
        return Some(Cache::Off);
    }
    if let Value::Text(_) = field.node.value {
        let kind = word(field, &kinds(), problems)?;
        return Some(Cache::On { kind, mode: CacheMode::default(), repository: None });
    }
    let fields = CACHE.read(field, problems)?;
    let modes = [("max", CacheMode::Max), ("min", CacheMode::Min)];
    Some(Cache::On {
        kind: fields.read("type", problems, |field, problems| word(field, &kinds(), problems)).unwrap_or_default(),
        mode: fields.read("mode", problems, |field, problems| word(field, &modes, problems)).unwrap_or_default(),
        repository: fields.read("repository", problems, Field::name),
    })
}

fn kinds() -> [(&'static str, CacheKind); 2] {
    [(KINDS[0], CacheKind::Registry), (KINDS[1], CacheKind::Inline)]
}

fn word<T: Copy>(field: &Field<'_>, known: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let text = field.text(problems)?;
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    if found.is_none() {
        let words: Vec<String> = known.iter().map(|(word, _)| format!("`{word}`")).collect();
        let hint = match nearest(text, known.iter().map(|(word, _)| *word)) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known are {}", words.join(" and ")),
        };
        problems.error_with_hint(field.span(), format!("`{}`: `{text}` is not known", field.path), hint);
    }
    found
}
