//! The YAML of other tools, with numbers as they are written: `3.10` is no `3.1` where it becomes an argument of a build.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;

/// Reads a file; `None` if it is no YAML, or has more in it than anybody writes. Aliases and merge keys are followed.
pub(super) fn read(text: &str) -> Option<Value> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_nodes: 50_000, max_depth: 32, max_total_scalar_bytes: 1 << 20 },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: 50_000 },
        with_snippet: false,
    };
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(text, options).ok()?;
    Some(value(raw, text))
}

enum Raw {
    /// What needs no second look.
    Value(Value),
    /// A number or a boolean.
    Plain,
    List(Vec<Spanned<Raw>>),
    /// A key is `None` where it is `null` or `~`.
    Map(Vec<(Option<String>, Spanned<Raw>)>),
}

fn value(raw: Spanned<Raw>, text: &str) -> Value {
    match raw.value {
        Raw::Value(value) => value,
        Raw::Plain => {
            let span = raw.defined.span();
            let start = span.byte_offset().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
            let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
            as_written(text.get(start..start.saturating_add(length)).unwrap_or_default())
        }
        Raw::List(items) => items.into_iter().map(|item| value(item, text)).collect(),
        Raw::Map(entries) => {
            let entries =
                entries.into_iter().map(|(key, item)| (key.unwrap_or_else(|| "null".to_owned()), value(item, text)));
            Value::Object(entries.collect())
        }
    }
}

/// A number that would be written in another way is a text.
fn as_written(plain: &str) -> Value {
    match serde_json::from_str::<Value>(plain).map(|value| (value.to_string(), value)) {
        Ok((written, value)) if written == plain => value,
        _ => Value::from(plain),
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Value(Value::Null))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Value(Value::from(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let text = "a: [3.10, 012, 1e3, 1_0, 0x1F, 3, -1.5, true, yes, True, ~, '3.10', \"é\"]\nb: &b 1.20\nc: *b\n1.10: {~: x}\n";
        let expected = serde_json::json!({
            "a": ["3.10", "012", "1e3", "1_0", "0x1F", 3, -1.5, true, "yes", "True", null, "3.10", "é"],
            "b": "1.20", "c": "1.20", "1.10": { "null": "x" },
        });
        assert_eq!(read(text), Some(expected));
        assert_eq!(read("a: [é, 3.10]"), Some(serde_json::json!({ "a": ["é", "3.10"] })));
        assert_eq!(
            read("x: &x {a: 1}\ny: {<<: *x, b: 2.0}\n").map(|value| value["y"].to_string()),
            Some(r#"{"b":2.0,"a":1}"#.into())
        );
    }
}
