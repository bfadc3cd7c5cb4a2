//! From YAML to a tree of [`Node`]s.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Options, Spanned as YamlSpanned};

use super::node::{Entry, Node, Value};
use super::problems::Problems;
use super::span::{Span, Spanned};
use super::syntax;
use crate::diagnostic::{Diagnostic, Diagnostics, Source};

/// The largest file that is read, in bytes; a pipeline of a hundred images has some 50,000.
pub const MAX_BYTES: usize = 256 * 1024;
/// The most values in a file, those that aliases repeat included.
pub(super) const MAX_NODES: usize = 10_000;
/// How deep lists and maps may be nested.
pub(super) const MAX_DEPTH: usize = 32;

/// Reads the tree. Anchors, aliases and merge keys are followed; places are those of the definition.
///
/// # Errors
/// Text that is not YAML, or more of it than the limits allow; or every key that comes twice in one map.
pub(super) fn read(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    if source.text.len() > MAX_BYTES {
        let message = format!("`{}` is too large: it has {} bytes", source.name, source.text.len());
        return Err(Diagnostic::input(message).hint(format!("a pipeline file has at most {MAX_BYTES} bytes")).into());
    }
    let raw: YamlSpanned<Raw> = serde_yaml::from_str_with_options(&source.text, options())
        .map_err(|error| syntax::diagnostic(&error, source))?;
    let mut problems = Problems::of(source);
    let node = node(raw, source, &mut problems);
    problems.finish()?;
    Ok(node)
}

fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            // Beyond the limit above, so that it is that one which is told of.
            flow_nesting_limit: 2 * MAX_DEPTH,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_NODES },
        // Told by us, all of them and with both places.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // Only the text as written counts, so what a number would come to must not be an error.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// A value as the YAML library hands it out.
enum Raw {
    Null,
    /// A number or a boolean, whose text only the file still has: `012` and `1.10` are not what they come to.
    Plain,
    Text(String),
    List(Vec<YamlSpanned<Raw>>),
    /// A key is `None` where it is `null` or `~`.
    Map(Vec<(YamlSpanned<Option<String>>, YamlSpanned<Raw>)>),
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
        Ok(Raw::Null)
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
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
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

fn node(raw: YamlSpanned<Raw>, source: &Source, problems: &mut Problems) -> Node {
    let span = span(&raw.defined);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Plain => Value::Text(span.text(&source.text).to_owned()),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source, problems)).collect()),
        Raw::Map(entries) => Value::Map(map(entries, source, problems)),
    };
    Node { value, span }
}

fn map(
    raw: Vec<(YamlSpanned<Option<String>>, YamlSpanned<Raw>)>,
    source: &Source,
    problems: &mut Problems,
) -> Vec<Entry> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut entries = Vec::with_capacity(raw.len());
    for (key, value) in raw {
        let span = span(&key.defined);
        let text = key.value.unwrap_or_else(|| span.text(&source.text).to_owned());
        if let Some(first) = seen.get(&text) {
            let line = problems.place(*first).line;
            problems.error(span, format!("key `{text}` comes twice in one map, first in line {line}"));
            continue;
        }
        seen.insert(text.clone(), span);
        entries.push(Entry { key: Spanned { value: text, span }, value: node(value, source, problems) });
    }
    entries
}

/// Byte offsets are always there, because the file is read from memory; without them the place is the beginning.
fn span(location: &Location) -> Span {
    let span = location.span();
    let start = span.byte_offset().and_then(|offset| usize::try_from(offset).ok()).unwrap_or_default();
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    Span::new(start, start.saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source { name: "f".into(), text: text.into() })
    }

    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".into(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}: {}", entry.key.value, show(&entry.value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
            Value::Broken => "broken".into(),
        }
    }

    fn tree(text: &str) -> String {
        show(&read(&source(text)).unwrap())
    }

    fn errors(text: &str) -> Vec<String> {
        let found = read(&source(text)).unwrap_err();
        found.iter().map(|diagnostic| diagnostic.message.clone()).collect()
    }

    #[test]
    fn scalars_keep_their_text() {
        let text = "[012345678901, 1.10, 0x1F, 1e3, .nan, 1e999, true, yes, 1_000, !!str 07, !!int 0x12, 2001-01-01]";
        let expected = r#"["012345678901", "1.10", "0x1F", "1e3", ".nan", "1e999", "true", "yes", "1_000", "07", "0x12", "2001-01-01"]"#;
        assert_eq!(tree(text), expected);
        assert_eq!(tree("{1.10: a, ~: b, true: c}"), r#"{1.10: "a", ~: "b", true: "c"}"#);
        assert_eq!(tree(r#"["012", "", ~, null, 'null', "a\n\x41"]"#), r#"["012", "", null, null, "null", "a\nA"]"#);
        assert_eq!(tree("a: 3 # comment\nb:\t4\t\n"), r#"{a: "3", b: "4"}"#);
        assert_eq!(tree("a: &n 1.20\nb: *n\n"), r#"{a: "1.20", b: "1.20"}"#);
    }

    #[test]
    fn aliases_and_merges() {
        let text = "x: &x {a: 1, b: 01}\ny: *x\nz: {<<: *x, a: 2}\nw: {<<: [{a: 9}, *x]}\n";
        let expected = r#"{x: {a: "1", b: "01"}, y: {a: "1", b: "01"}, z: {a: "2", b: "01"}, w: {a: "9", b: "01"}}"#;
        assert_eq!(tree(text), expected);
    }

    #[test]
    fn every_key_that_comes_twice_is_told() {
        let twice = errors("a: 1\nb: {c: 1, c: 2}\na: 2\n");
        assert_eq!(
            twice,
            ["key `c` comes twice in one map, first in line 2", "key `a` comes twice in one map, first in line 1"]
        );
        let place = read(&source("a: 1\n\"a\": 2\n")).unwrap_err().iter().next().and_then(|d| d.place.clone());
        assert_eq!(place.map(|place| (place.line, place.column, place.length)), Some((2, 1, 3)));
    }

    #[test]
    fn limits_hold() {
        let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
            text + &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))
        });
        assert_eq!(errors(&bomb).len(), 1);
        assert_eq!(errors(&("[".repeat(100_000) + &"]".repeat(100_000))).len(), 1);
        let deep: String = (0..300).map(|i| " ".repeat(i) + "a:\n").collect();
        assert_eq!(errors(&deep).len(), 1);
        assert_eq!(errors(&"- x\n".repeat(MAX_NODES)).len(), 1);
        assert!(errors(&"# comment\n".repeat(MAX_BYTES / 10 + 1))[0].starts_with("`f` is too large"));
        assert_eq!(errors("a: &x\n  b: *x\n").len(), 1);
    }
}
