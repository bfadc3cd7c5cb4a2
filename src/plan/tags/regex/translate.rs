//! From JavaScript's spelling to our engine's.

use super::class::{Escape, LINE_ENDS, control, literal};
use super::{Flags, Unusable};

/// The same expression as our engine writes it.
pub(super) fn translate(text: &str, flags: Flags) -> Result<String, Unusable> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let (groups, named) = count_groups(&characters);
    let mut translator = Translator { text, characters, at: 0, flags, groups, named, out: String::new(), open: 0 };
    translator.run()?;
    Ok(translator.out)
}

/// What stood last, as far as a quantifier cares.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// Something that can be repeated.
    Atom,
    /// A quantifier.
    Quantifier,
    /// Nothing, or what cannot be repeated.
    Nothing,
}

struct Translator<'t> {
    text: &'t str,
    characters: Vec<(usize, char)>,
    at: usize,
    flags: Flags,
    groups: usize,
    named: bool,
    out: String,
    open: usize,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Unusable> {
        let mut last = Last::Nothing;
        while let Some(c) = self.peek(0) {
            last = match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' if self.open == 0 => return Err(self.fault("`)` without `(`", 1)),
                ')' => {
                    self.open -= 1;
                    self.take(")")
                }
                '|' => {
                    self.take("|");
                    Last::Nothing
                }
                '^' | '$' => {
                    self.take(&c.to_string());
                    Last::Nothing
                }
                '.' if self.flags.dot_all => self.take(r"(?s:.)"),
                '.' => self.take(&format!("[^{LINE_ENDS}]")),
                '*' | '+' | '?' => self.quantifier(&c.to_string(), 1, last)?,
                '{' => match self.bounds() {
                    Some((written, length)) => self.quantifier(&written, length, last)?,
                    None if self.flags.unicode => return Err(self.fault("`{` without a number", 1)),
                    None => self.take(&literal('{')),
                },
                ']' | '}' if self.flags.unicode => return Err(self.fault(&format!("`{c}` stands alone"), 1)),
                _ => self.take(&literal(c)),
            };
        }
        if self.open > 0 {
            return Err(Unusable::new("`(` is never closed", 0..self.text.len()));
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).map(|(_, c)| *c)
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, c)| self.peek(index) == Some(c))
    }

    fn take(&mut self, written: &str) -> Last {
        self.at += 1;
        self.out.push_str(written);
        Last::Atom
    }

    /// A fault about the next so many characters.
    fn fault(&self, message: &str, length: usize) -> Unusable {
        let byte = |index: usize| self.characters.get(index).map_or(self.text.len(), |(at, _)| *at);
        Unusable::new(message, byte(self.at)..byte(self.at + length))
    }

    fn unsupported(&self, name: &str, length: usize) -> Unusable {
        let what: String = (0..length).filter_map(|index| self.peek(index)).collect();
        self.fault(&format!("{name} `{what}` cannot be used here: it takes more than linear time"), length)
    }

    fn group(&mut self) -> Result<Last, Unusable> {
        for (opening, name) in [("(?=", "lookahead"), ("(?!", "negative lookahead")] {
            if self.starts_with(opening) {
                return Err(self.unsupported(name, 3));
            }
        }
        for (opening, name) in [("(?<=", "lookbehind"), ("(?<!", "negative lookbehind")] {
            if self.starts_with(opening) {
                return Err(self.unsupported(name, 4));
            }
        }
        self.open += 1;
        if self.starts_with("(?:") {
            self.at += 2;
            self.take("(?:");
        } else if self.starts_with("(?<") {
            let name: String = (3..).map_while(|ahead| self.peek(ahead)).take_while(|c| *c != '>').collect();
            let length = name.chars().count();
            let starts_well = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '$' | '_'));
            if !starts_well || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '$' | '_')) {
                return Err(self.fault(&format!("`{name}` is no name of a group"), length + 3));
            }
            self.at += length + 3;
            // By its number alone a group is ever asked for.
            self.take("(");
        } else if self.starts_with("(?") {
            return Err(self.fault("an unknown kind of group", 3));
        } else {
            self.take("(");
        }
        Ok(Last::Nothing)
    }

    fn quantifier(&mut self, written: &str, length: usize, last: Last) -> Result<Last, Unusable> {
        if last != Last::Atom {
            return Err(self.fault("there is nothing to repeat", length));
        }
        self.at += length;
        self.out.push_str(written);
        if self.peek(0) == Some('?') {
            self.take("?");
        }
        Ok(Last::Quantifier)
    }

    /// `{2}`, `{2,}` or `{2,5}`, and its length; braces that hold anything else are characters.
    fn bounds(&self) -> Option<(String, usize)> {
        let inside: String = (1..).map_while(|ahead| self.peek(ahead)).take_while(|c| *c != '}').collect();
        self.peek(inside.chars().count() + 1)?;
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = is_number(least) && (most.is_empty() || is_number(most));
        well_formed.then(|| (format!("{{{inside}}}"), inside.len() + 2))
    }

    /// An escape outside of brackets.
    fn escape(&mut self) -> Result<Last, Unusable> {
        match self.peek(1) {
            Some('b') => {
                self.at += 1;
                self.take(r"(?-u:\b)");
                return Ok(Last::Nothing);
            }
            Some('B') => {
                self.at += 1;
                self.take(r"(?-u:\B)");
                return Ok(Last::Nothing);
            }
            Some('k') if self.named || self.flags.unicode => {
                let name: String = (2..).map_while(|ahead| self.peek(ahead)).take_while(|c| *c != '>').collect();
                return Err(self.unsupported("backreference", name.chars().count() + 3));
            }
            Some('1'..='9') => {
                let digits: String =
                    (1..).map_while(|ahead| self.peek(ahead)).take_while(char::is_ascii_digit).collect();
                let group = digits.parse::<usize>().unwrap_or(usize::MAX);
                if group <= self.groups || self.flags.unicode {
                    return Err(self.unsupported("backreference", digits.len() + 1));
                }
            }
            _ => {}
        }
        let escape = self.escaped(false)?;
        self.out.push_str(&escape.written());
        Ok(Last::Atom)
    }

    /// What a backslash and what follows stand for, in brackets and outside; moves past it.
    fn escaped(&mut self, in_class: bool) -> Result<Escape, Unusable> {
        let Some(c) = self.peek(1) else { return Err(self.fault("a backslash at the end", 1)) };
        if let Some(class) = Escape::class(c) {
            self.at += 2;
            return Ok(class);
        }
        if self.flags.unicode && matches!(c, 'p' | 'P') && self.peek(2) == Some('{') {
            let name: String = (3..).map_while(|ahead| self.peek(ahead)).take_while(|c| *c != '}').collect();
            self.at += name.chars().count() + 4;
            return Ok(Escape::Class { inside: format!(r"\p{{{name}}}"), negated: c == 'P' });
        }
        let (character, length) = self.character(c, in_class)?;
        self.at += length;
        Ok(Escape::Character(character))
    }

    /// The character that a backslash and what follows stand for, and the length of it all.
    fn character(&self, c: char, in_class: bool) -> Result<(char, usize), Unusable> {
        let digits = |from: usize, most: usize, radix: u32| -> String {
            (from..from + most).map_while(|ahead| self.peek(ahead)).take_while(|c| c.is_digit(radix)).collect()
        };
        let code = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        if let Some(control) = control(c) {
            return Ok((control, 2));
        }
        let hex = |length: usize| Some(digits(2, length, 16)).filter(|found| found.len() == length);
        match c {
            'x' if hex(2).is_some() => Ok((code(&digits(2, 2, 16), 16).unwrap_or('x'), 4)),
            'u' if self.flags.unicode && self.peek(2) == Some('{') => {
                let found = digits(3, 6, 16);
                let closed = self.peek(3 + found.len()) == Some('}');
                let character = code(&found, 16).filter(|_| closed);
                character.map(|c| (c, found.len() + 4)).ok_or_else(|| self.fault("no character has this number", 3))
            }
            'u' if hex(4).is_some() => match (code(&digits(2, 4, 16), 16), self.surrogates()) {
                (Some(character), _) => Ok((character, 6)),
                (None, Some(character)) => Ok((character, 12)),
                (None, None) => Err(self.fault("half of a character (a surrogate) cannot be matched alone", 6)),
            },
            'c' if self.peek(2).is_some_and(|letter| letter.is_ascii_alphabetic()) => {
                let letter = self.peek(2).map_or(0, u32::from);
                Ok((char::from_u32(letter % 32).unwrap_or('\0'), 3))
            }
            // A backslash that escapes nothing is a character of its own.
            'c' if !self.flags.unicode => Ok(('\\', 1)),
            '0'..='7' if !self.flags.unicode || c == '0' => {
                let most = if c <= '3' { 3 } else { 2 };
                let found = digits(1, most, 8);
                Ok((code(&found, 8).unwrap_or('\0'), found.len() + 1))
            }
            _ if self.flags.unicode && !is_syntax(c) && !(in_class && c == '-') => {
                Err(self.fault(&format!("an unknown escape `\\{c}`"), 2))
            }
            _ => Ok((c, 2)),
        }
    }

    /// The character that two escapes for the halves of one stand for.
    fn surrogates(&self) -> Option<char> {
        let half = |from: usize| {
            let escape: String = (from..from + 6).filter_map(|ahead| self.peek(ahead)).collect();
            u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok()
        };
        char::decode_utf16([half(0)?, half(6)?]).next()?.ok()
    }

    fn class(&mut self) -> Result<Last, Unusable> {
        let start = self.at;
        self.at += 1;
        let negated = self.peek(0) == Some('^');
        self.at += usize::from(negated);
        let mut inside = String::new();
        loop {
            let Some(c) = self.peek(0) else {
                self.at = start;
                return Err(self.fault("`[` is never closed", 1));
            };
            if c == ']' {
                self.at += 1;
                break;
            }
            let from = self.class_item()?;
            let is_range = self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']');
            if !is_range {
                inside.push_str(&from.written());
                continue;
            }
            let dash = self.at;
            self.at += 1;
            let to = self.class_item()?;
            match (&from, &to) {
                (Escape::Character(from), Escape::Character(to)) if from <= to => {
                    inside.push_str(&format!("{}-{}", literal(*from), literal(*to)));
                }
                (Escape::Character(_), Escape::Character(_)) => {
                    self.at = dash.saturating_sub(1);
                    return Err(self.fault("a range whose end comes before its beginning", 3));
                }
                // A class is no end of a range; then the dash is a character.
                _ if self.flags.unicode => {
                    self.at = dash;
                    return Err(self.fault("a range that ends in a class", 1));
                }
                _ => inside.push_str(&format!("{}{}{}", from.written(), literal('-'), to.written())),
            }
        }
        self.out.push_str(&match (inside.is_empty(), negated) {
            (true, true) => "(?s:.)".to_owned(),
            (true, false) => "[a&&b]".to_owned(),
            (false, true) => format!("[^{inside}]"),
            (false, false) => format!("[{inside}]"),
        });
        Ok(Last::Atom)
    }

    fn class_item(&mut self) -> Result<Escape, Unusable> {
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), Some('b')) => {
                self.at += 2;
                Ok(Escape::Character('\u{8}'))
            }
            (Some('\\'), _) => self.escaped(true),
            (Some(c), _) => {
                self.at += 1;
                Ok(Escape::Character(c))
            }
            (None, _) => Err(self.fault("`[` is never closed", 1)),
        }
    }
}

/// Characters that mean something in an expression, so that they can be escaped. Source: ECMAScript, "SyntaxCharacter".
fn is_syntax(c: char) -> bool {
    matches!(c, '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '/')
}

/// How many groups there are, and whether one of them has a name.
fn count_groups(characters: &[(usize, char)]) -> (usize, bool) {
    let (mut groups, mut named, mut in_class) = (0, false, false);
    let mut at = 0;
    let peek = |at: usize| characters.get(at).map(|(_, c)| *c);
    while let Some(c) = peek(at) {
        match c {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class && peek(at + 1) != Some('?') => groups += 1,
            '(' if !in_class && peek(at + 2) == Some('<') && !matches!(peek(at + 3), Some('=' | '!')) => {
                groups += 1;
                named = true;
            }
            _ => {}
        }
        at += 1;
    }
    (groups, named)
}
