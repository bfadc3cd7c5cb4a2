//! What stands between the braces, word by word.

use std::ops::Range;

use super::Fault;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(String),
    True,
    False,
    Null,
    Undefined,
    Separator,
    Equals,
    Open,
    Close,
}

#[derive(Debug)]
pub(super) struct Located {
    pub token: Token,
    pub range: Range<usize>,
}

/// The words of `template[from..to]`.
pub(super) fn tokens(template: &str, range: Range<usize>) -> Result<Vec<Located>, Fault> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(c) = template[at..range.end].chars().next() {
        let rest = &template[at..range.end];
        let (token, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '=' => (Token::Equals, 1),
            '.' if rest.starts_with("..") => (Token::Name("..".to_owned()), 2),
            // A dot before another word is between two names.
            '.' if ends_word(template, at + 1) => (Token::Name(".".to_owned()), 1),
            '.' | '/' => (Token::Separator, 1),
            '"' | '\'' => text(rest, c).ok_or_else(|| Fault::new("this text is never closed", at..range.end))?,
            '[' => {
                let length = rest.find(']').ok_or_else(|| Fault::new("`[` is never closed", at..at + 1))?;
                (Token::Name(rest[1..length].to_owned()), length + 1)
            }
            // Data that the engine keeps for itself; of it only the root is anything here.
            '@' => {
                let length = rest[1..].find(|c| !is_name_character(c)).unwrap_or(rest.len() - 1) + 1;
                (Token::Name(rest[..length].to_owned()), length)
            }
            _ => {
                let word = &rest[..rest.find(|c| !is_name_character(c)).unwrap_or(rest.len())];
                if word.is_empty() {
                    return Err(Fault::new(format!("`{c}` cannot stand here"), at..at + c.len_utf8()));
                }
                match number(template, at, range.end) {
                    Some(length) => (Token::Number(rest[..length].to_owned()), length),
                    None if ends_literal(template, at + word.len()) => (keyword(word), word.len()),
                    None => (Token::Name(word.to_owned()), word.len()),
                }
            }
        };
        if let Token::Name(_) = token
            && !ends_word(template, at + length)
        {
            let next = template[at + length..].chars().next().unwrap_or(' ');
            let end = at + length;
            return Err(Fault::new(format!("`{next}` cannot stand here"), end..end + next.len_utf8()));
        }
        found.push(Located { token, range: at..at + length });
        at += length;
    }
    Ok(found)
}

fn keyword(word: &str) -> Token {
    match word {
        "true" => Token::True,
        "false" => Token::False,
        "null" => Token::Null,
        "undefined" => Token::Undefined,
        _ => Token::Name(word.to_owned()),
    }
}

/// A quoted text; a backslash before the quote keeps it inside.
fn text(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut inside = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if characters.peek().is_some_and(|(_, next)| *next == quote) => {
                inside.push(quote);
                characters.next();
            }
            _ if c == quote => return Some((Token::Text(inside), at + 1)),
            _ => inside.push(c),
        }
    }
    None
}

fn number(template: &str, start: usize, end: usize) -> Option<usize> {
    let rest = &template.as_bytes()[start..end];
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(rest.first() == Some(&b'-'));
    let whole = digits(sign);
    if whole == 0 {
        return None;
    }
    let mut length = sign + whole;
    if rest.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    ends_literal(template, start + length).then_some(length)
}

/// Whether a word may end before this place.
fn ends_word(template: &str, at: usize) -> bool {
    template[at..]
        .starts_with(|c: char| c.is_whitespace() || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | ']' | '|'))
}

/// Whether a number or a word like `true` may end before this place; before anything else they are names.
fn ends_literal(template: &str, at: usize) -> bool {
    template[at..].starts_with(|c: char| c.is_whitespace() || matches!(c, '~' | '}' | ')' | ']'))
}

fn is_name_character(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' | '{'..='~')
}
