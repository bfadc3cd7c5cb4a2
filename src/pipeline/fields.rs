//! Maps whose fields are known.

use std::collections::BTreeMap;

use super::node::{Entry, Value};
use super::problems::Problems;
use super::read::Field;
use crate::names::nearest;

/// The fields that a map may have.
#[derive(Debug)]
pub(super) struct Schema {
    /// What may stand there, for people: `a map`, and the short form if there is one.
    pub expected: &'static str,
    /// Each with the other spellings that mean the same.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    /// Fields that people know from elsewhere, and that this version does not support.
    pub unsupported: &'static [&'static str],
}

/// The fields that a map has, by their proper names.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    found: BTreeMap<&'static str, Field<'n>>,
}

impl Schema {
    /// Reads a map: reports fields that it may not have, and fields under two spellings.
    pub fn read<'n>(&self, map: &Field<'n>, problems: &mut Problems) -> Option<Fields<'n>> {
        let Value::Map(entries) = &map.node.value else {
            map.wrong_kind(self.expected, problems);
            return None;
        };
        let mut found: BTreeMap<&'static str, Field<'n>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !is_own(entry)) {
            let Some(name) = self.proper(&entry.key.value) else {
                self.report_unknown(entry, map, problems);
                continue;
            };
            let field = map.child(&entry.key.value, entry.key.span, &entry.value);
            if let Some(other) = found.get(name) {
                let line = problems.place(other.key).line;
                let message = format!("`{}` says the same as `{}` in line {line}", field.path, other.path);
                problems.error_with_hint(field.key, message, format!("keep one of them, best as `{name}`"));
                continue;
            }
            found.insert(name, field);
        }
        Some(Fields { found })
    }

    fn proper(&self, key: &str) -> Option<&'static str> {
        let same = |(name, others): &&(&'static str, &'static [&'static str])| *name == key || others.contains(&key);
        self.fields.iter().find(same).map(|(name, _)| *name)
    }

    fn report_unknown(&self, entry: &Entry, map: &Field<'_>, problems: &mut Problems) {
        let key = entry.key.value.as_str();
        let within = if map.path.is_empty() { String::new() } else { format!(" in `{}`", map.path) };
        if self.unsupported.contains(&key) {
            return problems.error_with_hint(
                entry.key.span,
                format!("field `{key}`{within} is not supported by this version"),
                self.listed(),
            );
        }
        let spellings = self.fields.iter().flat_map(|(name, others)| std::iter::once(name).chain(*others)).copied();
        let hint = match nearest(key, spellings) {
            Some(word) => format!("did you mean `{word}`?"),
            None => self.listed(),
        };
        problems.error_with_hint(entry.key.span, format!("unknown field `{key}`{within}"), hint);
    }

    fn listed(&self) -> String {
        let names: Vec<String> = self.fields.iter().map(|(name, _)| format!("`{name}`")).collect();
        format!("known fields: {}; a field of your own begins with `x-`", names.join(", "))
    }
}

impl<'n> Fields<'n> {
    /// The field of this proper name, if it is there.
    pub fn get(&self, name: &str) -> Option<&Field<'n>> {
        self.found.get(name)
    }

    /// What a reader makes of the field of this proper name.
    pub fn read<T>(
        &self,
        name: &str,
        problems: &mut Problems,
        reader: impl FnOnce(&Field<'n>, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        reader(self.get(name)?, problems)
    }
}

/// Whether this is a field of the user's own, at which nobody looks.
pub(super) fn is_own(entry: &Entry) -> bool {
    entry.key.value.starts_with("x-")
}
