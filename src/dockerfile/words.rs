//! The words of an instruction, as a shell would split them.

/// Splits at white space that is neither quoted nor escaped. Quotes and escapes stay in the words.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == escape && quote != Some('\'') {
            word.push(c);
            word.extend(chars.next());
            continue;
        }
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The word without its quotes and escapes.
pub(super) fn unquoted(word: &str, escape: char) -> String {
    let mut text = String::new();
    let mut quote: Option<char> = None;
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match quote {
            _ if c == escape && quote != Some('\'') => text.extend(chars.next()),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => text.push(c),
        }
    }
    text
}

/// The flags at the start, `--name=value` without the dashes, and the words after them.
pub(super) fn flags(text: &str, escape: char) -> (Vec<(String, String)>, Vec<String>) {
    let mut words = split(text, escape).into_iter().peekable();
    let mut flags = Vec::new();
    while let Some(flag) = words.next_if(|word| word.starts_with("--")) {
        if flag == "--" {
            break;
        }
        let (name, value) = flag[2..].split_once('=').unwrap_or((&flag[2..], ""));
        flags.push((name.to_ascii_lowercase(), unquoted(value, escape)));
    }
    (flags, words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_hold_words_together() {
        assert_eq!(split(r#"a "b c" 'd "e' f\ g"#, '\\'), ["a", r#""b c""#, r#"'d "e'"#, r"f\ g"]);
        assert_eq!(unquoted(r#"a"b\"c"'d\'e\ f"#, '\\'), r#"ab"cd\e f"#);
        assert_eq!(split("a` b \\c", '`'), ["a` b", "\\c"]);
    }

    #[test]
    fn flags_come_first() {
        let (found, words) = flags(r#"--from="x" --LINK a --b"#, '\\');
        assert_eq!(found, [("from".into(), "x".into()), ("link".into(), String::new())]);
        assert_eq!(words, ["a", "--b"]);
    }
}
