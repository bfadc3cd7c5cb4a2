//! `ulimits`, `entitlements` and `privileged`: what RUN steps may do.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::{self, Item};
use crate::names::nearest;
use crate::pipeline::fields::Schema;
use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;

/// The soft and the hard limit by name.
pub(super) type Ulimits = BTreeMap<String, (i64, i64)>;

/// The entitlement that `privileged: true` stands for.
pub(super) const INSECURE: &str = "security.insecure";

/// Source: BuildKit, `util/entitlements`.
const ENTITLEMENTS: [&str; 3] = ["network.host", INSECURE, "device"];

/// Source: docker/go-units, `ulimit.go`.
const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(in crate::pipeline) const LIMITS: Schema = Schema {
    expected: "a number, or a map with `soft` and `hard`",
    fields: &[("soft", &[]), ("hard", &[])],
    unsupported: &[],
};

/// Reads `{nofile: 1024}`, `{nofile: {soft, hard}}`, or a list of `nofile=soft:hard`.
pub(super) fn ulimits(field: &Field<'_>, problems: &mut Problems) -> Option<Ulimits> {
    let mut all = Ulimits::new();
    if let Value::Map(_) = field.node.value {
        for (entry, value) in field.entries(problems)? {
            let limits = match &value.node.value {
                Value::Map(_) => soft_and_hard(&value, problems),
                _ => number(&value, problems).map(|both| (both, both)),
            };
            if let Some(limits) = limits {
                add(&mut all, &entry.key.value, limits, &value, problems);
            }
        }
        return Some(all);
    }
    for item in attributes::items(field, problems)? {
        match item {
            Item::Line(line) => {
                let (name, limits) = line.text.split_once('=').unwrap_or((line.text, ""));
                let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
                match (soft.trim().parse(), hard.trim().parse()) {
                    (Ok(soft), Ok(hard)) => add(&mut all, name, (soft, hard), &line.field, problems),
                    _ => problems.error(
                        line.field.span(),
                        format!("`{}`: `{}` is not of the form `name=soft:hard`", line.field.path, line.text),
                    ),
                }
            }
            Item::Other(field) => field.wrong_kind("a text, as in `nofile=1024:2048`", problems),
        }
    }
    Some(all)
}

fn soft_and_hard(field: &Field<'_>, problems: &mut Problems) -> Option<(i64, i64)> {
    let fields = LIMITS.read(field, problems)?;
    let (soft, hard) = (fields.read("soft", problems, number), fields.read("hard", problems, number));
    for missing in ["soft", "hard"].iter().filter(|name| fields.get(name).is_none()) {
        problems.error(field.key, format!("`{}` has no `{missing}`", field.path));
    }
    soft.zip(hard)
}

fn number(field: &Field<'_>, problems: &mut Problems) -> Option<i64> {
    let text = field.text(problems)?;
    let number = text.parse().ok().filter(|number| *number >= -1);
    if number.is_none() {
        let message = format!("`{}`: `{text}` is not a limit", field.path);
        problems.error_with_hint(field.span(), message, "a limit is a number; -1 is none");
    }
    number
}

fn add(all: &mut Ulimits, name: &str, (soft, hard): (i64, i64), field: &Field<'_>, problems: &mut Problems) {
    let path = &field.path;
    if !NAMES.contains(&name) {
        let hint = match nearest(name, NAMES) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known are {}", NAMES.map(|name| format!("`{name}`")).join(", ")),
        };
        problems.error_with_hint(field.key, format!("`{path}`: there is no limit `{name}`"), hint);
    } else if hard != -1 && (soft > hard || soft == -1) {
        problems.error(field.span(), format!("`{path}`: the soft limit {soft} is above the hard limit {hard}"));
    } else if all.insert(name.to_owned(), (soft, hard)).is_some() {
        problems.error(field.span(), format!("`{path}` gives `{name}` again"));
    }
}

/// Reads entitlements, one or a list.
pub(super) fn entitlements(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for item in attributes::items(field, problems)? {
        match item {
            Item::Line(line) if ENTITLEMENTS.contains(&line.text) || line.text.starts_with("device=") => {
                all.insert(line.text.to_owned());
            }
            Item::Line(line) => {
                let hint = match nearest(line.text, ENTITLEMENTS) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "known are `network.host`, `security.insecure` and `device=…`".to_owned(),
                };
                let message = format!("`{}`: there is no entitlement `{}`", line.field.path, line.text);
                problems.error_with_hint(line.field.span(), message, hint);
            }
            Item::Other(field) => field.wrong_kind("a text", problems),
        }
    }
    Some(all)
}
