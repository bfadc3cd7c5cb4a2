//! A rule as one record of comma-separated values: a field in double quotes may hold commas, and `""` for a quote.

use std::ops::Range;

use super::Wrong;

/// A field, and where it stands in the record.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::pipeline) struct Field {
    /// Without the quotes around it.
    pub text: String,
    /// In bytes, without the quotes around it.
    pub range: Range<usize>,
    /// The text stands in the record as it is, so that a place in one is a place in the other.
    pub verbatim: bool,
}

/// Splits the first line of a text into its fields.
///
/// # Errors
/// For a quote inside of a field, after one, or without its partner.
pub(in crate::pipeline) fn record(text: &str) -> Result<Vec<Field>, Wrong> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let (field, end) = if text[at..].starts_with('"') { quoted(text, at)? } else { plain(text, at)? };
        fields.push(field);
        if !text[end..].starts_with(',') {
            return Ok(fields);
        }
        at = end + 1;
    }
}

fn plain(text: &str, start: usize) -> Result<(Field, usize), Wrong> {
    let end = text[start..].find([',', '\n', '\r']).map_or(text.len(), |length| start + length);
    let field = &text[start..end];
    if let Some(quote) = field.find('"') {
        let hint = "put the whole field in quotes, and write a quote inside of it twice";
        return Err(Wrong::new("there is a quote inside of a field", start + quote..start + quote + 1).hint(hint));
    }
    Ok((Field { text: field.to_owned(), range: start..end, verbatim: true }, end))
}

fn quoted(text: &str, start: usize) -> Result<(Field, usize), Wrong> {
    let inside = start + 1;
    let mut field = String::new();
    let mut at = inside;
    loop {
        let Some(length) = text[at..].find('"') else {
            return Err(Wrong::new("this quote is never closed", start..text.len()));
        };
        field.push_str(&text[at..at + length]);
        let quote = at + length;
        if text[quote + 1..].starts_with('"') {
            field.push('"');
            at = quote + 2;
            continue;
        }
        let end = quote + 1;
        if !text[end..].is_empty() && !text[end..].starts_with([',', '\n', '\r']) {
            return Err(Wrong::new("after a quoted field there must be a comma", end..text.len()));
        }
        let verbatim = field.len() == quote - inside;
        return Ok((Field { text: field, range: inside..quote, verbatim }, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Result<Vec<String>, String> {
        let fields = record(text).map_err(|wrong| wrong.message)?;
        Ok(fields.into_iter().map(|field| field.text).collect())
    }

    #[test]
    fn fields_and_quotes() {
        assert_eq!(texts("a,b=c, d "), Ok(vec!["a".into(), "b=c".into(), " d ".into()]));
        assert_eq!(texts(r#"a,"b=1,2",c"#), Ok(vec!["a".into(), "b=1,2".into(), "c".into()]));
        assert_eq!(texts(r#""say ""x""""#), Ok(vec![r#"say "x""#.into()]));
        assert_eq!(texts("a,"), Ok(vec!["a".into(), String::new()]));
        assert_eq!(texts(""), Ok(vec![String::new()]));
    }

    #[test]
    fn quotes_in_the_wrong_places() {
        assert_eq!(texts(r#"a="b""#), Err("there is a quote inside of a field".into()));
        assert_eq!(texts(r#""a"b"#), Err("after a quoted field there must be a comma".into()));
        assert_eq!(texts(r#"a,"b"#), Err("this quote is never closed".into()));
    }
}
