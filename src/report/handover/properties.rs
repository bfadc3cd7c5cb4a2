//! Java properties, as Jenkins' `readProperties` takes them.

use super::{Handover, pairs};

/// One `NAME=value` a line, escaped as the class `java.util.Properties` documents it under `load`.
pub fn properties(handover: &Handover) -> String {
    pairs(handover).into_iter().map(|(name, value)| format!("{name}={}\n", escaped(&value))).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // White space before a value is dropped.
            ' ' if at == 0 => out.push_str("\\ "),
            ' '..='~' => out.push(c),
            _ => {
                // Files of properties may be read as ISO 8859-1, so what is beyond goes in units of UTF-16.
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::handover::tests::handover;

    #[test]
    fn word_for_word() {
        let text = properties(&handover());
        let digest = crate::names::Digest::of(b"x");
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        assert!(text.starts_with(&format!("IMAGE_URI={registry}/shop/web@{digest}\nIMAGE_REGISTRY={registry}\n")));
        assert!(text.ends_with("IMAGES_BUILT=web\nIMAGES_REUSED=it's\n"), "{text}");
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(escaped(" a b\\c\n\t\rd"), "\\ a b\\\\c\\n\\t\\rd");
        assert_eq!(escaped("ü😀\u{1}"), "\\u00fc\\ud83d\\ude00\\u0001");
    }
}
