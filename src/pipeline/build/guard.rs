//! Build arguments that look like secrets. An argument stays readable in the image's history for ever; a secret does not.
//! Source: Docker documentation, build check `SecretsUsedInArgOrEnv`; "Build variables".

use std::collections::BTreeSet;

use super::Pairs;
use crate::pipeline::node::Value;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;
use crate::secrecy::{name_tells, value_tells};

/// Reports each argument that looks like a secret and is not named among those that are none.
pub(super) fn check(args: &Field<'_>, pairs: &Pairs, public: &BTreeSet<String>, problems: &mut Problems) {
    for (name, value) in pairs {
        let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else { continue };
        let why = if value_tells(value) {
            "its value looks like a secret"
        } else if name_tells(name) {
            "its name says that it is a secret"
        } else {
            continue;
        };
        if !public.contains(name) {
            report(args, name, why, problems);
        }
    }
}

fn report(args: &Field<'_>, name: &str, why: &str, problems: &mut Problems) {
    let at = match &args.node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key.value == name).map(|entry| entry.key.span),
        Value::List(items) => {
            let is_it = |text: &str| text.split_once('=').map_or(text, |(key, _)| key) == name;
            items.iter().find(|item| matches!(&item.value, Value::Text(text) if is_it(text))).map(|item| item.span)
        }
        _ => None,
    };
    let id = name.to_lowercase();
    let message = format!("`{}`: {why}, and build arguments stay readable in the image: `{name}`", args.path);
    let hint = format!(
        "use `secrets: [\"id={id},env={name}\"]`, and in the Dockerfile `RUN --mount=type=secret,id={id}`; if it is no \
         secret, say so with `public_args: [{name}]`"
    );
    problems.error_unquoted(at.unwrap_or(args.key), message, hint);
}
