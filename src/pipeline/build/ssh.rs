//! `ssh:`, the agents and keys that a build may use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::attributes::{self, Item};
use crate::pipeline::fields::Schema;
use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;

/// Paths by ids; none stands for the agent of `SSH_AUTH_SOCK`.
pub(super) type Ssh = BTreeMap<String, Vec<PathBuf>>;

pub(in crate::pipeline) const ITEM: Schema = Schema {
    expected: "`default`, `id=path`, or a map",
    fields: &[("id", &[]), ("paths", &["path"])],
    unsupported: &[],
};

/// Reads `default`, `id=path` or `id=path,path`, one or a list; `{id: path}`; or bake's `[{id, paths}]`.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Ssh> {
    let mut all = Ssh::new();
    if let Value::Map(_) = field.node.value {
        for (entry, value) in field.entries(problems)? {
            let paths = match &value.node.value {
                Value::Null => Some(Vec::new()),
                _ => paths(&value, problems),
            };
            add(&mut all, &entry.key.value, paths.unwrap_or_default(), &value, problems);
        }
        return Some(all);
    }
    for item in attributes::items(field, problems)? {
        match item {
            Item::Line(line) => {
                let (id, paths) = line.text.split_once('=').unwrap_or((line.text, ""));
                let paths = paths.split(',').filter(|path| !path.is_empty()).map(PathBuf::from);
                add(&mut all, id, paths.collect(), &line.field, problems);
            }
            Item::Other(field) => {
                let Some(fields) = ITEM.read(&field, problems) else { continue };
                let id = fields.read("id", problems, Field::owned).unwrap_or_else(|| "default".to_owned());
                let paths = fields.read("paths", problems, paths).unwrap_or_default();
                add(&mut all, &id, paths, &field, problems);
            }
        }
    }
    Some(all)
}

fn paths(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    let items = field.items_or_single(problems)?;
    Some(items.iter().filter_map(|item| item.owned(problems)).map(PathBuf::from).collect())
}

fn add(all: &mut Ssh, id: &str, paths: Vec<PathBuf>, field: &Field<'_>, problems: &mut Problems) {
    if id.is_empty() || id.contains(char::is_whitespace) {
        problems.error(field.span(), format!("`{}`: `{}` is not the id of an agent", field.path, id.escape_debug()));
    } else if all.insert(id.to_owned(), paths).is_some() {
        problems.error(field.span(), format!("`{}` gives `{id}` again", field.path));
    }
}
