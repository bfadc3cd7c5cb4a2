//! Reads templates.

use std::ops::Range;

use super::lex::{Located, Token, tokens};
use super::render::Value;
use super::{Call, Expression, Fault, Node, Path, Template};

/// Reads a template.
///
/// # Errors
/// If braces are not closed, or hold what is no expression.
pub(in crate::plan::tags) fn parse(text: &str) -> Result<Template, Fault> {
    let mut parser = Parser { text, at: 0, trim_next: false };
    let (nodes, end) = parser.nodes()?;
    match end {
        End::Text => Ok(Template { nodes }),
        End::Else(range) => Err(Fault::new("`else` without `#if`", range)),
        End::Close(name, range) => Err(Fault::new(format!("`/{name}` without `#{name}`"), range)),
    }
}

/// What ended a run of nodes.
enum End {
    Text,
    Else(Range<usize>),
    Close(String, Range<usize>),
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// The tag before ended in `~`.
    trim_next: bool,
}

/// A tag between braces.
struct Braces<'t> {
    /// With the braces.
    range: Range<usize>,
    /// Without them, the `~`s, and the sign that says what it is.
    inside: Range<usize>,
    sign: &'t str,
}

impl<'t> Parser<'t> {
    fn nodes(&mut self) -> Result<(Vec<Node>, End), Fault> {
        let mut nodes = Vec::new();
        loop {
            let Some(length) = self.text[self.at..].find("{{") else {
                self.push_text(&mut nodes, self.at..self.text.len(), false);
                self.at = self.text.len();
                return Ok((nodes, End::Text));
            };
            let open = self.at + length;
            let before = &self.text[self.at..open];
            if before.ends_with("\\\\") {
                self.push_text(&mut nodes, self.at..open - 1, false);
            } else if before.ends_with('\\') {
                self.push_text(&mut nodes, self.at..open - 1, false);
                self.at = self.end_of_escaped(open);
                self.push_text(&mut nodes, open..self.at, false);
                continue;
            } else {
                self.push_text(&mut nodes, self.at..open, self.text[open + 2..].starts_with('~'));
            }
            let braces = self.braces(open)?;
            match braces.sign {
                "!" => {}
                "#" => nodes.push(self.block(&braces)?),
                "/" => {
                    let name = self.text[braces.inside].trim().to_owned();
                    return Ok((nodes, End::Close(name, braces.range)));
                }
                "^" | "else" if self.text[braces.inside.clone()].trim().is_empty() => {
                    return Ok((nodes, End::Else(braces.range)));
                }
                "" | "&" | "{" => {
                    let call = self.call(&braces)?;
                    nodes.push(Node::Output { call, escaped: braces.sign.is_empty() });
                }
                sign => return Err(Fault::new(format!("`{{{{{sign}` is not supported in tags"), braces.range)),
            }
        }
    }

    fn push_text(&mut self, nodes: &mut Vec<Node>, range: Range<usize>, trim_end: bool) {
        let mut text = &self.text[range];
        if std::mem::take(&mut self.trim_next) {
            text = text.trim_start();
        }
        if trim_end {
            text = text.trim_end();
        }
        if !text.is_empty() {
            nodes.push(Node::Text(text.to_owned()));
        }
    }

    /// Braces after a backslash are text, up to the next braces.
    fn end_of_escaped(&self, open: usize) -> usize {
        let from = open + 2;
        let Some(length) = self.text[from..].find("{{") else { return self.text.len() };
        let next = from + length;
        let backslashes = self.text[from..next].bytes().rev().take_while(|byte| *byte == b'\\').take(2).count();
        next - backslashes
    }

    fn braces(&mut self, open: usize) -> Result<Braces<'t>, Fault> {
        let text = self.text;
        let unclosed = || Fault::new("`{{` is never closed", open..text.len());
        let mut start = open + 2;
        start += usize::from(text[start..].starts_with('~'));
        let rest = &text[start..];
        if rest.starts_with('!') {
            let ends: &[&str] = if rest.starts_with("!--") { &["--}}", "--~}}"] } else { &["}}"] };
            let found = ends.iter().filter_map(|end| Some(start + rest.find(end)? + end.len())).min();
            let close = found.ok_or_else(unclosed)?;
            self.trim_next = text[..close].ends_with("~}}");
            self.at = close;
            return Ok(Braces { range: open..close, inside: start..start, sign: "!" });
        }
        let is_else = rest.trim_start().starts_with("else");
        let sign = if is_else {
            "else"
        } else {
            match rest.chars().next() {
                Some('{' | '&' | '#' | '/' | '^' | '>' | '*') => &rest[..1],
                _ => "",
            }
        };
        let inside = match is_else {
            true => text.len() - rest.trim_start().len() + "else".len(),
            false => start + sign.len(),
        };
        let close = closing(text, inside).ok_or_else(unclosed)?;
        let rest = &text[close..];
        let (ends, fault) = match sign {
            "{" => ([("}}}", false), ("}~}}", true)], Fault::new("`{{{` is never closed", open..text.len())),
            _ => ([("}}", false), ("~}}", true)], Fault::new("`}` cannot stand here", close..close + 1)),
        };
        // `{{else}}` is one word, so a brace after it is text.
        if matches!(sign, "" | "&" | "#" | "/") && (rest.starts_with("}}}") || rest.starts_with("}~}}")) {
            return Err(Fault::new("`}}}` does not close `{{`", close..close + 3));
        }
        if sign == "{" && rest.starts_with("}}}}") {
            return Err(Fault::new("`}}}}` does not close `{{{`", close..close + 4));
        }
        let (end, trim_next) = ends.into_iter().find(|(end, _)| rest.starts_with(end)).ok_or(fault)?;
        self.trim_next = trim_next;
        let last = close + end.len();
        self.at = last;
        Ok(Braces { range: open..last, inside: inside..close, sign })
    }

    fn block(&mut self, braces: &Braces<'t>) -> Result<Node, Fault> {
        let call = self.call(braces)?;
        let name = call.path.names.join(".");
        let unless = match name.as_str() {
            "if" => false,
            "unless" => true,
            other => {
                let message = format!("the block `#{other}` is not supported in tags; `#if` and `#unless` are");
                return Err(Fault::new(message, braces.range.clone()));
            }
        };
        if call.arguments.len() != 1 {
            return Err(Fault::new(format!("`#{name}` takes exactly one argument"), braces.range.clone()));
        }
        let (then, mut end) = self.nodes()?;
        let mut otherwise = Vec::new();
        if let End::Else(_) = end {
            (otherwise, end) = self.nodes()?;
        }
        match end {
            End::Close(closed, _) if closed == name => Ok(Node::Choice { call, unless, then, otherwise }),
            End::Close(closed, range) => Err(Fault::new(format!("`/{closed}` does not close `#{name}`"), range)),
            End::Else(range) => Err(Fault::new("a second `else`", range)),
            End::Text => Err(Fault::new(format!("`#{name}` is never closed"), braces.range.clone())),
        }
    }

    fn call(&self, braces: &Braces<'_>) -> Result<Call, Fault> {
        let tokens = tokens(self.text, braces.inside.clone())?;
        let mut words = Words { tokens: &tokens, at: 0, range: braces.range.clone() };
        let call = words.call()?;
        match words.peek() {
            None => Ok(call),
            Some(extra) => Err(Fault::new("this cannot stand here", extra.range.clone())),
        }
    }
}

/// Where the expression ends that begins here: at the first `}` or `~` outside of texts.
fn closing(text: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text[from..].char_indices() {
        match quote {
            Some(open) if c == open && !escaped => quote = None,
            Some(_) => escaped = c == '\\',
            None if matches!(c, '"' | '\'') => (quote, escaped) = (Some(c), false),
            None if c == '[' => quote = Some(']'),
            None if matches!(c, '}' | '~') => return Some(from + at),
            None => {}
        }
    }
    None
}

struct Words<'w> {
    tokens: &'w [Located],
    at: usize,
    range: Range<usize>,
}

impl<'w> Words<'w> {
    fn peek(&self) -> Option<&'w Located> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'w Located> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn call(&mut self) -> Result<Call, Fault> {
        let path = match self.expression()? {
            Expression::Path(path) => path,
            Expression::Constant(value) => {
                Path { names: vec![value.to_string()], scoped: false, outside: false, literal: true }
            }
            Expression::Call(call) => return Err(Fault::new("a name must stand here", call.range)),
        };
        let (mut arguments, mut pairs) = (Vec::new(), Vec::new());
        while let Some(token) = self.peek() {
            let is_pair = self.tokens.get(self.at + 1).is_some_and(|next| next.token == Token::Equals);
            match &token.token {
                Token::Close => break,
                Token::Name(key) if is_pair => {
                    self.at += 2;
                    pairs.push((key.clone(), self.expression()?));
                }
                _ if !pairs.is_empty() => return Err(Fault::new("this cannot stand here", token.range.clone())),
                _ => arguments.push(self.expression()?),
            }
        }
        Ok(Call { path, arguments, pairs, range: self.range.clone() })
    }

    fn expression(&mut self) -> Result<Expression, Fault> {
        let Some(Located { token, range }) = self.next() else {
            return Err(Fault::new("an expression is missing here", self.range.clone()));
        };
        Ok(match token {
            Token::Name(_) => Expression::Path(self.path()?),
            Token::Text(text) => Expression::Constant(Value::Text(text.clone())),
            Token::Number(text) => Expression::Constant(Value::Number(text.clone())),
            Token::True => Expression::Constant(Value::Bool(true)),
            Token::False => Expression::Constant(Value::Bool(false)),
            Token::Null => Expression::Constant(Value::Null),
            Token::Undefined => Expression::Constant(Value::Missing),
            Token::Open => {
                let call = self.call()?;
                match self.next() {
                    Some(Located { token: Token::Close, .. }) => Expression::Call(call),
                    _ => return Err(Fault::new("`(` is never closed", range.clone())),
                }
            }
            Token::Separator | Token::Equals | Token::Close => {
                return Err(Fault::new("this cannot stand here", range.clone()));
            }
        })
    }

    /// The names that the last one begins.
    fn path(&mut self) -> Result<Path, Fault> {
        let mut path = Path { names: Vec::new(), scoped: false, outside: false, literal: false };
        self.at -= 1;
        loop {
            match self.next() {
                Some(Located { token: Token::Name(name), range }) => match name.as_str() {
                    "this" | "." | ".." | "@root" if !path.names.is_empty() => {
                        return Err(Fault::new(format!("`{name}` cannot stand inside of a name"), range.clone()));
                    }
                    "this" | "." => path.scoped = true,
                    "@root" => path.scoped = true,
                    ".." => path.outside = true,
                    name if name.starts_with('@') => path.outside = true,
                    _ => path.names.push(name.clone()),
                },
                Some(other) => return Err(Fault::new("a name must stand here", other.range.clone())),
                None => return Err(Fault::new("a name must stand here", self.range.clone())),
            }
            match self.peek() {
                Some(Located { token: Token::Separator, .. }) => self.at += 1,
                _ => return Ok(path),
            }
        }
    }
}
