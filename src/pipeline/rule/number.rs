//! Numbers as JavaScript reads them from a text, because attributes of the grammar are read that way.

/// The number that a text stands for; NaN if it stands for none, and 0 if it is empty.
///
/// Source: ECMAScript, "StringToNumber".
pub fn number(text: &str) -> f64 {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'+') => (1.0, &text[1..]),
        Some(b'-') => (-1.0, &text[1..]),
        _ => (1.0, text),
    };
    if text.is_empty() {
        return 0.0;
    }
    if digits == "Infinity" {
        return sign * f64::INFINITY;
    }
    let lower = text.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = lower.strip_prefix(prefix) {
            return whole(rest, radix);
        }
    }
    let decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    // Rust would also take words here, such as `nan`.
    if decimal && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return digits.parse().map_or(f64::NAN, |value: f64| sign * value);
    }
    f64::NAN
}

fn whole(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    digits
        .chars()
        .try_fold(0.0, |value, c| Some(value * f64::from(radix) + f64::from(c.to_digit(radix)?)))
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, value) in [
            ("", 0.0),
            (" 12 ", 12.0),
            ("-3", -3.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("0x1F", 31.0),
            ("0b11", 3.0),
            ("Infinity", f64::INFINITY),
            ("007", 7.0),
        ] {
            assert_eq!(number(text), value, "{text:?}");
        }
        for text in ["x", "1x", "infinity", "nan", "-0x1", "0x", "1_000", "1 2", "."] {
            assert!(number(text).is_nan(), "{text:?}");
        }
    }
}
