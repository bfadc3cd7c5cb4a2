//! The pipeline as meant, written down again.

use std::path::PathBuf;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{Builder, Environment, Image, Pipeline};

/// The pipeline as a pipeline file that means the same, wherever it is read.
///
/// Every `$` in a value is written `$$`, so that no variable is looked for again. JSON for other programs comes from
/// the type's own `Serialize`, with every text as it is.
///
/// # Errors
/// In words, if it holds what YAML cannot. No file that was read gives that.
pub fn to_yaml(pipeline: &Pipeline) -> Result<String, String> {
    let value = serde_json::to_value(pipeline).map(escaped).map_err(|error| error.to_string())?;
    let options = serde_yaml::ser_options! {
        // A folded text is harder to read than a long line, and harder to write without a fault.
        folded_wrap_chars: usize::MAX,
    };
    let mut yaml = String::new();
    serde_yaml::to_fmt_writer_with_options(&mut yaml, &value, options).map_err(|error| error.to_string())?;
    Ok(yaml)
}

fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('$', "$$")),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, escaped(value))).collect(),
        other => other,
    }
}

/// Environments by their names, in order.
pub(super) fn environments<S: Serializer>(environments: &[Environment], serializer: S) -> Result<S::Ok, S::Error> {
    by_name(environments.iter().map(|environment| (environment.name.as_str(), environment)), serializer)
}

/// Builders by their names, in order.
pub(super) fn builders<S: Serializer>(builders: &[Builder], serializer: S) -> Result<S::Ok, S::Error> {
    by_name(builders.iter().map(|builder| (builder.name.as_str(), builder)), serializer)
}

/// Images by their names, in order.
pub(super) fn images<S: Serializer>(images: &[Image], serializer: S) -> Result<S::Ok, S::Error> {
    by_name(images.iter().map(|image| (image.name.as_str(), image)), serializer)
}

fn by_name<'v, V: Serialize + 'v, S: Serializer>(
    values: impl ExactSizeIterator<Item = (&'v str, &'v V)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, value) in values {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// `false` for no paths, as the field is written.
pub(super) fn paths_or_false<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    if paths.is_empty() { serializer.serialize_bool(false) } else { paths.serialize(serializer) }
}
