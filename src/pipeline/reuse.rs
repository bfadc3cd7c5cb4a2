//! `reuse:`, whether an image whose content did not change is taken from the registry.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Reuse;
use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;

pub(super) const SCHEMA: Schema =
    Schema { expected: "`true`, `false` or a map", fields: &[("max_age", &["max-age"])], unsupported: &[] };

/// Reads `true`, `false` or `{ max_age: 7d }`.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Reuse> {
    if matches!(field.node.value, Value::Text(_)) {
        return field.flag(problems).map(|on| if on { Reuse::default() } else { Reuse::Never });
    }
    let fields = SCHEMA.read(field, problems)?;
    Some(fields.read("max_age", problems, age).unwrap_or_default())
}

fn age(field: &Field<'_>, problems: &mut Problems) -> Option<Reuse> {
    let text = field.text(problems)?;
    let seconds = seconds(text);
    if seconds.is_none() {
        let message = format!("`{}`: `{text}` is not a time span", field.path);
        problems.error_with_hint(field.span(), message, "a time span looks like `7d`, `12h`, `30m` or `90s`");
    }
    seconds.map(|max_age| Reuse::UpTo { max_age })
}

/// The units and their seconds, the largest first.
const UNITS: [(&str, u64); 5] = [("w", 7 * 24 * 60 * 60), ("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

/// The seconds of a number and one unit, as in `7d`.
pub fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time span in days or less, so that it can be written with a whole number.
fn written(seconds: u64) -> String {
    let units = &UNITS[1..];
    let (name, factor) = units.iter().find(|(_, factor)| seconds.is_multiple_of(*factor)).unwrap_or(&("s", 1));
    format!("{}{name}", seconds / factor)
}

impl Serialize for Reuse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reuse::Never => serializer.serialize_bool(false),
            Reuse::UpTo { max_age } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("max_age", &written(*max_age))?;
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{seconds, written};

    #[test]
    fn time_spans_are_written_as_they_are_read() {
        for text in ["7d", "12h", "90m", "59s", "14d", "0d"] {
            assert_eq!(seconds(text).map(written).as_deref(), Some(text));
        }
    }

    #[test]
    fn time_spans() {
        for (text, expected) in [("90s", Some(90)), ("7d", Some(604_800)), ("1w", Some(604_800)), ("0d", Some(0))] {
            assert_eq!(seconds(text), expected);
        }
        for text in ["7", "d", "", "7 d", "-1d", "1d12h", "99999999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
