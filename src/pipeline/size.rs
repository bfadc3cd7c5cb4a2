//! Sizes in bytes, as Compose writes them.

use super::problems::Problems;
use super::read::Field;

/// Reads a number of bytes, as in `67108864`, `64m` or `2gb`.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<u64> {
    let text = field.text(problems)?;
    match bytes(text) {
        Some(bytes) if bytes > 0 => Some(bytes),
        _ => {
            let message = format!("`{}`: `{text}` is not a size", field.path);
            problems.error_with_hint(field.span(), message, "a size looks like `64m`, `2gb` or `67108864`");
            None
        }
    }
}

/// Units are powers of 1024, in either case. Source: Compose specification, "Specifying byte values". The limit is
/// that of the engine's API, which takes a signed number of 64 bits.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| i64::try_from(*bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("67108864", Some(67_108_864)),
            ("64m", Some(64 << 20)),
            ("2gb", Some(2 << 30)),
            ("1 KB", Some(1024)),
            ("7b", Some(7)),
            ("8589934591g", Some(8_589_934_591 << 30)),
            ("8589934592g", None),
            ("99999999999999999999", None),
            ("1.5g", None),
            ("-1", None),
            ("m", None),
            ("", None),
            ("1t", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
