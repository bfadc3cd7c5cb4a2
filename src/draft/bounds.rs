//! How much a draft may hold. A checkout is anybody's: what is more than a pipeline file may have is left out and told.

use serde_json::Value;

use super::write::scalar;

/// The bytes that all images and secrets may have in a pipeline file together, which itself may have 256 KiB.
pub(super) const ROOM: usize = 192 << 10;

/// What a value takes of it besides its text: a pipeline file may have 10,000 of them.
const EACH: usize = 20;

/// How deep lists and maps may be nested; with what stands around them, a pipeline file may have 32.
const DEEPEST: usize = 16;

/// The most bytes of a key as it is written. Source: YAML 1.2.2, section 7.4.2: a key that stands on the line of its value
/// has at most 1,024 characters.
const LONGEST_KEY: usize = 1000;

/// The most lines about what is left out, and the most bytes of one.
pub(super) const LEFT_OUT: usize = 100;
pub(super) const LONGEST_LINE: usize = 200;

/// The room that a value takes; `None` if a pipeline file cannot hold it.
pub(super) fn room(value: &Value) -> Option<usize> {
    below(value, 0)
}

fn below(value: &Value, depth: usize) -> Option<usize> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(EACH + value.to_string().len()),
        Value::String(text) => Some(EACH + scalar(text).len()),
        Value::Array(items) => items.iter().try_fold(EACH, |sum, item| Some(sum + below(item, depth + 1)?)),
        Value::Object(fields) => {
            fields.iter().try_fold(EACH, |sum, (name, value)| Some(sum + key(name)? + below(value, depth + 1)?))
        }
    }
}

/// The room that a key takes; `None` if it is too long for one.
pub(super) fn key(name: &str) -> Option<usize> {
    Some(EACH + scalar(name).len()).filter(|room| *room <= EACH + LONGEST_KEY)
}

/// A text on one line, fit for a comment and a terminal, and not without end.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        if line.len() > LONGEST_LINE {
            line.push('…');
            break;
        }
        match c {
            '\n' => line.push(' '),
            c if is_unseen(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// Whether a character is one that YAML does not take, that it may take for the end of a line, or that changes how others
/// are shown. Source: YAML 1.2.2, section 5.1; Unicode TR 9, section 2.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\nb"), "a b");
        assert_eq!(one_line("a\r\u{85}\u{2028}b\u{1b}[2J"), "a\\u{d}\\u{85}\\u{2028}b\\u{1b}[2J");
        assert_eq!(one_line("größe ñ 日本"), "größe ñ 日本");
        assert_eq!(one_line(&"x".repeat(1_000_000)).len(), LONGEST_LINE + 1 + '…'.len_utf8());
    }

    #[test]
    fn what_a_pipeline_file_cannot_hold_has_no_room() {
        let nested = |depth| (0..depth).fold(Value::from("x"), |value, _| Value::from(vec![value]));
        assert!(room(&nested(DEEPEST)).is_some());
        assert_eq!(room(&nested(DEEPEST + 1)), None);
        let named = |name: String| room(&Value::Object([(name, Value::Null)].into_iter().collect()));
        assert!(named("k".repeat(1000)).is_some());
        assert_eq!(named("k".repeat(1001)), None);
        assert_eq!(named("\u{1}".repeat(300)), None, "each is written as \\u0001");
    }
}
