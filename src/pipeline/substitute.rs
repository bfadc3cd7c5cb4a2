//! Variables in all values of the tree.

use super::interpolate::{Environment, interpolate};
use super::node::{Entry, Node, Value};
use super::problems::Problems;
use super::span::Span;

/// The same tree with the variables in its values replaced; keys stay as they are.
///
/// A value that cannot be interpolated is reported, and becomes [`Value::Broken`].
pub(super) fn substitute(node: &Node, source: &str, environment: Environment<'_>, problems: &mut Problems) -> Node {
    let value = match &node.value {
        Value::Text(text) => substitute_text(text, node.span, source, environment, problems),
        Value::List(items) => {
            Value::List(items.iter().map(|item| substitute(item, source, environment, problems)).collect())
        }
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|Entry { key, value }| Entry {
                    key: key.clone(),
                    value: substitute(value, source, environment, problems),
                })
                .collect(),
        ),
        Value::Null | Value::Broken => node.value.clone(),
    };
    Node { value, span: node.span }
}

fn substitute_text(
    text: &str,
    span: Span,
    source: &str,
    environment: Environment<'_>,
    problems: &mut Problems,
) -> Value {
    if !text.contains('$') {
        return Value::Text(text.to_owned());
    }
    match interpolate(text, environment) {
        Ok(interpolated) => {
            for unset in interpolated.unset {
                let name = unset.name;
                problems.warn(
                    variable_span(text, unset.at, span, source),
                    format!("variable `{name}` is not set; an empty text takes its place"),
                    format!("write `${{{name}:-…}}` to give a default, or `${{{name}:?…}}` to insist on it"),
                );
            }
            Value::Text(interpolated.text)
        }
        Err(refusal) => {
            let at = variable_span(text, refusal.at, span, source);
            match refusal.hint {
                Some(hint) => problems.error_with_hint(at, refusal.message, hint),
                None => problems.error(at, refusal.message),
            }
            Value::Broken
        }
    }
}

/// Where in the file the variable stands whose `$` is at this byte of the value.
///
/// Quotes, escapes and folding move everything but the order: the n-th `$` of the value is the n-th in the file,
/// unless one is written as an escape; then the whole value is the place.
fn variable_span(text: &str, at: usize, span: Span, source: &str) -> Span {
    let written = span.text(source);
    if written.matches('$').count() != text.matches('$').count() {
        return span;
    }
    let nth = text[..at].matches('$').count();
    let Some((offset, _)) = written.match_indices('$').nth(nth) else { return span };
    let start = span.start + offset;
    Span::new(start, start + form_length(&written[offset..]))
}

/// The length of `$NAME`, or of `${…}` up to the brace that closes it.
fn form_length(form: &str) -> usize {
    let end = if form.starts_with("${") {
        form.find(['}', '\n']).map(|end| end + usize::from(form[end..].starts_with('}')))
    } else {
        form[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(|end| end + 1)
    };
    end.unwrap_or(form.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, nth: usize, written: &str) -> String {
        let (at, _) = text.match_indices('$').nth(nth).unwrap();
        variable_span(text, at, Span::new(0, written.len()), written).text(written).to_owned()
    }

    #[test]
    fn variables_are_found_in_every_style() {
        assert_eq!(marked("a$X-b${Y:-z}", 0, "a$X-b${Y:-z}"), "$X");
        assert_eq!(marked("a$X-b${Y:-z}", 1, "a$X-b${Y:-z}"), "${Y:-z}");
        assert_eq!(marked("\t${Y", 0, "\"\\t${Y\""), "${Y\"");
        assert_eq!(marked("one $X\ntwo $Y\n", 1, "one $X\n    two $Y\n"), "$Y");
        assert_eq!(marked("$X $Y", 1, r#""\x24X $Y""#), r#""\x24X $Y""#);
    }
}
