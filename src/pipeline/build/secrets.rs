//! `secrets:`, at the top of the file and in a build. Values are read by whoever builds, never here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use super::Given;
use super::attributes::{self, Item, Line};
use crate::names::nearest;
use crate::pipeline::SecretSource;
use crate::pipeline::fields::Schema;
use crate::pipeline::interpolate::Environment;
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;

/// Secrets by their ids.
pub(super) type Secrets = BTreeMap<String, SecretSource>;

/// What is defined at the top of the file, by name; `None` where that is wrong and has been reported.
pub(in crate::pipeline) type Definitions = BTreeMap<String, Option<SecretSource>>;

pub(in crate::pipeline) const DEFINITION: Schema = Schema {
    expected: "a map with `file` or `environment`",
    fields: &[("file", &[]), ("environment", &[])],
    unsupported: &["external", "name", "driver", "driver_opts", "labels", "template_driver"],
};

/// The long form of a build: Compose's has a `source` defined at the top of the file, bake's an `id`.
pub(in crate::pipeline) const ITEM: Schema = Schema {
    expected: "the name of a secret, `id=NAME,src=FILE`, `id=NAME,env=VARIABLE`, or a map",
    fields: &[
        ("id", &[]),
        ("source", &["src", "file"]),
        ("environment", &["env"]),
        ("type", &[]),
        ("target", &[]),
        ("uid", &[]),
        ("gid", &[]),
        ("mode", &[]),
    ],
    unsupported: &[],
};

/// Reads the definitions at the top of the file.
pub(in crate::pipeline) fn definitions(field: &Field<'_>, problems: &mut Problems) -> Option<Definitions> {
    let entries = field.entries(problems)?;
    Some(entries.into_iter().map(|(entry, field)| (entry.key.value.clone(), definition(&field, problems))).collect())
}

fn definition(field: &Field<'_>, problems: &mut Problems) -> Option<SecretSource> {
    let fields = DEFINITION.read(field, problems)?;
    let file = fields.read("file", problems, Field::owned).map(|file| SecretSource::File(PathBuf::from(file)));
    let variable = fields.read("environment", problems, Field::owned).map(SecretSource::Variable);
    if fields.get("file").is_some() == fields.get("environment").is_some() {
        problems.error(field.key, format!("`{}` needs either `file` or `environment`", field.path));
        return None;
    }
    file.or(variable)
}

/// Reads the secrets of a build.
pub(super) fn read(field: &Field<'_>, given: &Given<'_>, problems: &mut Problems) -> Option<Secrets> {
    let mut all = Secrets::new();
    for item in attributes::items(field, problems)? {
        let (field, found) = match item {
            Item::Line(line) if line.text.contains('=') => (line.field.clone(), from_text(&line, given, problems)),
            Item::Line(line) => (line.field.clone(), defined(line.text, None, &line.field, given, problems)),
            Item::Other(field) => (field.clone(), from_map(&field, given, problems)),
        };
        if let Some((id, source)) = found {
            add(&mut all, id, source, &field, problems);
        }
    }
    Some(all)
}

/// Reads build-push-action's `secret-files` and `secret-envs`: `id=path`, `id=VARIABLE`.
pub(super) fn short(
    field: &Field<'_>,
    make: impl Fn(String) -> SecretSource,
    problems: &mut Problems,
) -> Option<Secrets> {
    let mut all = Secrets::new();
    for item in attributes::items(field, problems)? {
        match item {
            Item::Line(Line { field, text }) => match text
                .split_once('=')
                .filter(|(id, rest)| !id.is_empty() && !rest.is_empty())
            {
                Some((id, rest)) => add(&mut all, id.to_owned(), make(rest.to_owned()), &field, problems),
                None => problems.error(field.span(), format!("`{}`: `{text}` is not of the form `id=…`", field.path)),
            },
            Item::Other(field) => field.wrong_kind("a text", problems),
        }
    }
    Some(all)
}

/// Adds a secret, once.
pub(super) fn add(all: &mut Secrets, id: String, source: SecretSource, field: &Field<'_>, problems: &mut Problems) {
    match all.entry(id) {
        Entry::Occupied(known) => {
            problems.error(field.span(), format!("`{}` gives the secret `{}` again", field.path, known.key()));
        }
        Entry::Vacant(free) => {
            free.insert(source);
        }
    }
}

fn from_text(line: &Line<'_>, given: &Given<'_>, problems: &mut Problems) -> Option<(String, SecretSource)> {
    const KEYS: [&str; 5] = ["id", "src", "source", "env", "type"];
    let path = &line.field.path;
    let attributes = attributes::of_text(line, problems)?;
    if let [(key, Some(_))] = attributes.as_slice()
        && !KEYS.contains(&key.as_str())
    {
        let hint = format!("name the file or the variable that holds it, as in `id={key},env=VARIABLE`");
        let message = format!("`{path}`: the value of a secret, here `{key}`, cannot stand in the pipeline file");
        problems.error_with_hint(line.field.span(), message, hint);
        return None;
    }
    let mut given_item = Written::default();
    for (key, value) in attributes {
        let place = match (key.as_str(), &value) {
            ("id", Some(_)) => &mut given_item.id,
            ("src" | "source", Some(_)) => &mut given_item.file,
            ("env", Some(_)) => &mut given_item.variable,
            ("type", Some(_)) => &mut given_item.kind,
            _ => {
                let hint = nearest(&key, KEYS).map_or("known are `id`, `src`, `env` and `type`".to_owned(), |word| {
                    format!("did you mean `{word}=`?")
                });
                // Never the value, which may be the secret itself.
                let message = format!("`{path}`: `{key}` is no attribute of a secret");
                problems.error_with_hint(line.field.span(), message, hint);
                return None;
            }
        };
        *place = value.filter(|value| !value.is_empty());
    }
    given_item.finish(&line.field, given.environment, problems)
}

fn from_map(field: &Field<'_>, given: &Given<'_>, problems: &mut Problems) -> Option<(String, SecretSource)> {
    let fields = ITEM.read(field, problems)?;
    let text = |name: &str, problems: &mut Problems| fields.read(name, problems, Field::owned);
    let id = text("id", problems);
    let source = text("source", problems);
    for ignored in ["uid", "gid", "mode"].iter().filter_map(|name| fields.get(name)) {
        let message = format!("`{}` has no effect in a build", ignored.path);
        problems.warn(ignored.key, message, "write it into the Dockerfile's `RUN --mount=type=secret,…`");
    }
    let target = text("target", problems);
    let written = Written { id, file: source, variable: text("environment", problems), kind: text("type", problems) };
    if fields.get("id").is_some() {
        return written.finish(field, given.environment, problems);
    }
    match written.file {
        Some(name) => defined(&name, target, field, given, problems),
        None if fields.get("source").is_some() => None,
        None => {
            let hint = "give it a `source`, the name of a secret at the top of the file, or an `id` with `file` or `environment`";
            problems.error_with_hint(field.key, format!("`{}` names no secret", field.path), hint);
            None
        }
    }
}

/// A secret that is defined at the top of the file.
fn defined(
    name: &str,
    id: Option<String>,
    field: &Field<'_>,
    given: &Given<'_>,
    problems: &mut Problems,
) -> Option<(String, SecretSource)> {
    match given.secrets.get(name) {
        Some(source) => Some((id.unwrap_or_else(|| name.to_owned()), source.clone()?)),
        None => {
            let hint = match nearest(name, given.secrets.keys().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!(
                    "define it at the top of the file, as in `secrets: {{ {name}: {{ environment: VARIABLE }} }}`"
                ),
            };
            problems.error_with_hint(field.span(), format!("`{}`: there is no secret `{name}`", field.path), hint);
            None
        }
    }
}

/// A secret as docker's command line describes it.
#[derive(Default)]
struct Written {
    id: Option<String>,
    file: Option<String>,
    variable: Option<String>,
    kind: Option<String>,
}

impl Written {
    /// Where nothing is said, the variable of the secret's name is meant if there is one, and else the file. Source:
    /// BuildKit's `secretsprovider`.
    fn finish(
        self,
        field: &Field<'_>,
        environment: Environment<'_>,
        problems: &mut Problems,
    ) -> Option<(String, SecretSource)> {
        let path = &field.path;
        let Some(id) = self.id else {
            problems.error(field.span(), format!("`{path}` has no `id`"));
            return None;
        };
        let kind = self.kind.as_deref();
        let source = match (kind, self.file, self.variable) {
            (Some(kind), _, _) if !matches!(kind, "file" | "env") => {
                problems.error(field.span(), format!("`{path}`: `{kind}` is neither `file` nor `env`"));
                return None;
            }
            (_, Some(_), Some(_)) => {
                problems.error(field.span(), format!("`{path}` names both a file and a variable"));
                return None;
            }
            (Some("env"), Some(name), None) | (_, None, Some(name)) => SecretSource::Variable(name),
            (_, Some(file), None) => SecretSource::File(PathBuf::from(file)),
            (Some("env"), None, None) => SecretSource::Variable(id.clone()),
            (None, None, None) if environment(&id).is_some() => SecretSource::Variable(id.clone()),
            (_, None, None) => SecretSource::File(PathBuf::from(&id)),
        };
        Some((id, source))
    }
}
