//! `reuse:`, whether an image whose content did not change is taken from the registry.

use super::Reuse;
use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;

const SCHEMA: Schema =
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

/// A number and one unit: s, m, h, d or w.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::seconds;

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
