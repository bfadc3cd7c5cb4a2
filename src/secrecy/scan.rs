//! Names with their values in one line of whatever it is: YAML in any style, JSON, a Dockerfile, a shell's command.

use std::ops::Range;

/// A name with what stands after it, by characters of the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The name, as written.
    pub name: String,
    /// `:` or `=`.
    pub sign: char,
    /// The value, without its quotes.
    pub value: Range<usize>,
    /// Whether the value is a list or a map.
    pub is_structure: bool,
    /// Whether the name is the first thing in the line.
    pub leads: bool,
}

/// What a character stands in.
#[derive(Default)]
struct Scope {
    quote: Option<char>,
    depth: usize,
}

impl Scope {
    fn enter(&mut self, chars: &[char], at: usize) {
        let c = chars[at];
        match self.quote {
            Some(quote) if c == quote && !is_escaped(chars, at, quote) => self.quote = None,
            Some(_) => {}
            None if is_quote(c) && begins_value(&chars[..at]) => self.quote = Some(c),
            None if matches!(c, '{' | '[') => self.depth += 1,
            None if matches!(c, '}' | ']') => self.depth = self.depth.saturating_sub(1),
            None => {}
        }
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

fn is_escaped(chars: &[char], at: usize, quote: char) -> bool {
    quote == '"' && chars[..at].iter().rev().take_while(|c| **c == '\\').count() % 2 == 1
}

/// Whether what comes next begins something: an apostrophe within a word opens no quote.
fn begins_value(before: &[char]) -> bool {
    before.iter().rev().find(|c| !c.is_whitespace()).is_none_or(|c| ":,[{-=(".contains(*c))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// All names of the line that have values, in their order; those within values as well.
pub(super) fn assignments(chars: &[char]) -> Vec<Assignment> {
    let mut found = Vec::new();
    let mut scope = Scope::default();
    let mut at = 0;
    while at < chars.len() {
        if !is_name(chars[at]) {
            scope.enter(chars, at);
            at += 1;
            continue;
        }
        let in_braces = at >= 2 && chars[at - 2..at] == ['$', '{'];
        let is_part = |c: char| if in_braces { c.is_alphanumeric() || c == '_' } else { is_name(c) };
        let end = until(chars, at, |c| !is_part(c));
        found.extend(if in_braces { default(chars, at..end) } else { assignment(chars, at..end, &scope) });
        // A dash of braces alone is no name's.
        at = end.max(at + 1);
    }
    found
}

/// `NAME: value`, `NAME=value`, and what comes near it.
fn assignment(chars: &[char], name: Range<usize>, scope: &Scope) -> Option<Assignment> {
    let is_quoted = chars.get(name.end).is_some_and(|c| is_quote(*c));
    let sign_at = until(chars, name.end + usize::from(is_quoted), |c| !c.is_whitespace());
    let sign = *chars.get(sign_at).filter(|c| matches!(c, ':' | '='))?;
    if chars[sign_at..].starts_with(&[':', '/', '/']) {
        return None;
    }
    let start = until(chars, sign_at + 1, |c| !c.is_whitespace());
    let quote = scope.quote.filter(|_| !is_quoted);
    let first = chars.get(start).copied();
    let (value, is_structure) = match (quote, first) {
        (Some(quote), _) => (start..closing(chars, start, quote), false),
        (None, Some(quote)) if is_quote(quote) => (start + 1..closing(chars, start + 1, quote), false),
        (None, Some('{' | '[')) => (start..bracket(chars, start), true),
        (None, _) if scope.depth > 0 => (start..plain(chars, start), false),
        (None, _) => (start..chars.len(), false),
    };
    let before = &chars[..name.start];
    let leads = before.iter().all(|c| c.is_whitespace() || is_quote(*c) || *c == '-' || *c == '{');
    Some(Assignment { name: chars[name].iter().collect(), sign, value, is_structure, leads })
}

/// The default of a variable, as in `${NAME:-default}`.
fn default(chars: &[char], name: Range<usize>) -> Option<Assignment> {
    let sign_at = name.end + usize::from(chars.get(name.end) == Some(&':'));
    chars.get(sign_at).filter(|c| matches!(c, '-' | '+'))?;
    let value = sign_at + 1..closing_brace(chars, sign_at + 1);
    Some(Assignment { name: chars[name].iter().collect(), sign: '=', value, is_structure: false, leads: false })
}

fn until(chars: &[char], from: usize, is_end: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(chars[*at])).unwrap_or(chars.len())
}

fn closing(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() {
        // A quote that is written twice stands for one of the text's own.
        if quote == '\'' && chars[at..].starts_with(&[quote, quote]) {
            at += 2;
            continue;
        }
        if chars[at] == quote && !is_escaped(chars, at, quote) {
            return at;
        }
        at += 1;
    }
    chars.len()
}

fn closing_brace(chars: &[char], from: usize) -> usize {
    let mut open = 1_usize;
    for (at, c) in chars.iter().enumerate().skip(from) {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    chars.len()
}

/// Behind the bracket that closes the one here.
fn bracket(chars: &[char], from: usize) -> usize {
    let mut scope = Scope::default();
    for at in from..chars.len() {
        scope.enter(chars, at);
        if scope.depth == 0 {
            return at + 1;
        }
    }
    chars.len()
}

/// The end of a text without quotes in a list or a map of one line.
fn plain(chars: &[char], from: usize) -> usize {
    let mut at = from;
    while at < chars.len() {
        if chars[at..].starts_with(&['$', '{']) {
            at = closing_brace(chars, at + 2) + 1;
        } else if matches!(chars[at], ',' | '{' | '}' | '[' | ']') {
            return at;
        } else {
            at += 1;
        }
    }
    chars.len()
}
