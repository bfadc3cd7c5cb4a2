//! Regular expressions of Go, rewritten for the `regex` crate.
//!
//! BuildKit's client makes an expression of a pattern by little more than putting texts together, so a character class
//! or an escape of the pattern means what it means in Go's expressions: `\d` is a digit, `[[:alpha:]]` a letter, and a
//! `*` between brackets ends them. The two languages differ in just these corners, so the expression is read as Go
//! reads it, and written down in the forms that mean the same here. Source: Go's package `regexp/syntax`.

use std::fmt::Write as _;

/// Rewrites an expression. It may hold what patterns turn into, and no other operators than `*`, `?`, `|` and counts
/// such as `{2,3}`.
///
/// # Errors
/// What Go finds wrong with it.
pub(super) fn translate(expression: &str) -> Result<String, String> {
    let mut reader = Reader { rest: expression, out: String::with_capacity(expression.len() * 2) };
    let mut before = Before::Nothing;
    while let Some(c) = reader.next() {
        before = match c {
            '{' => match reader.count()? {
                Some(count) => {
                    reader.repeat(&count, before)?;
                    Before::Repetition
                }
                None => {
                    reader.literal(c);
                    Before::Atom
                }
            },
            '*' | '?' => {
                reader.out.push(c);
                Before::Repetition
            }
            '|' | '(' => {
                reader.out.push(c);
                Before::Nothing
            }
            _ => {
                match c {
                    '[' => reader.class()?,
                    '\\' => reader.escape_outside()?,
                    '^' | '$' | ')' | '.' => reader.out.push(c),
                    _ => reader.literal(c),
                }
                Before::Atom
            }
        };
    }
    Ok(reader.out)
}

/// What stands before a count.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Atom,
    Repetition,
}

/// The most that Go counts to.
const MOST_REPETITIONS: u32 = 1000;

/// `\d`, `\s` and `\w`, which know ASCII only.
fn perl_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => r"0-9",
        's' => r"\t\n\x0C\r ",
        'w' => r"0-9A-Za-z_",
        _ => return None,
    })
}

/// The classes of POSIX that have a name, in the crate's own notation, which has the same.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// The categories that one letter names. Go's `C` has no unassigned characters.
fn category(letter: char) -> Option<&'static str> {
    Some(match letter {
        'C' => r"\p{Cc}\p{Cf}\p{Co}",
        'L' => r"\p{L}",
        'M' => r"\p{M}",
        'N' => r"\p{N}",
        'P' => r"\p{P}",
        'S' => r"\p{S}",
        'Z' => r"\p{Z}",
        _ => return None,
    })
}

struct Reader<'e> {
    rest: &'e str,
    out: String,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let c = characters.next()?;
        self.rest = characters.as_str();
        Some(c)
    }

    fn take(&mut self, prefix: &str) -> bool {
        let after = self.rest.strip_prefix(prefix);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn literal(&mut self, c: char) {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "\\x{{{:X}}}", u32::from(c));
    }

    /// What follows a `{`, if it is a count and no text.
    fn count(&mut self) -> Result<Option<String>, String> {
        let Some((inside, rest)) = self.rest.split_once('}') else { return Ok(None) };
        let (least, most) = inside
            .split_once(',')
            .map_or((inside, Some(inside)), |(least, most)| (least, Some(most).filter(|most| !most.is_empty())));
        let is_number = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
        };
        if !is_number(least) || most.is_some_and(|most| !is_number(most)) {
            return Ok(None);
        }
        self.rest = rest;
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MOST_REPETITIONS);
        let invalid = || format!("`{{{inside}}}` is no count from 0 to {MOST_REPETITIONS}");
        let least = number(least).ok_or_else(invalid)?;
        if let Some(most) = most
            && number(most).ok_or_else(invalid)? < least
        {
            return Err(invalid());
        }
        Ok(Some(format!("{{{inside}}}")))
    }

    fn repeat(&mut self, count: &str, before: Before) -> Result<(), String> {
        match before {
            Before::Nothing => Err(format!("nothing stands before `{count}`")),
            Before::Repetition => Err(format!("`{count}` counts what is repeated already")),
            Before::Atom => {
                self.out.push_str(count);
                Ok(())
            }
        }
    }

    fn escape_outside(&mut self) -> Result<(), String> {
        match self.rest.chars().next() {
            Some('A') => self.out.push_str(r"\A"),
            Some('z') => self.out.push_str(r"\z"),
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some('B') => self.out.push_str(r"(?-u:\B)"),
            Some('Q') => {
                let quoted = &self.rest[1..];
                let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                quoted.chars().for_each(|c| self.literal(c));
                self.rest = rest;
                return Ok(());
            }
            _ => {
                if let Some(class) = self.escaped_class()? {
                    self.out.push_str(&class);
                } else {
                    let c = self.escaped()?;
                    self.literal(c);
                }
                return Ok(());
            }
        }
        self.next();
        Ok(())
    }

    /// A class that is written as an escape, after its `\`.
    fn escaped_class(&mut self) -> Result<Option<String>, String> {
        let Some(letter) = self.rest.chars().next() else { return Ok(None) };
        let negated = if letter.is_ascii_uppercase() { "^" } else { "" };
        if let Some(members) = perl_class(letter.to_ascii_lowercase()) {
            self.next();
            return Ok(Some(format!("[{negated}{members}]")));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        self.next();
        let name = self.next().unwrap_or_default();
        let members = category(name).ok_or_else(|| format!("`\\{letter}{name}` names no kind of character"))?;
        Ok(Some(format!("[{negated}{members}]")))
    }

    /// The character that is meant by an escape, after its `\`.
    fn escaped(&mut self) -> Result<char, String> {
        let c = self.next().ok_or("nothing follows the last `\\`")?;
        let unknown = || format!("`\\{c}` means nothing");
        let is_octal = |c: char| ('0'..='7').contains(&c);
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0'..='7' if c == '0' || self.rest.starts_with(is_octal) => {
                let length = self.rest.chars().take(2).take_while(|c| is_octal(*c)).count();
                let (digits, rest) = self.rest.split_at(length);
                let number = u32::from_str_radix(&format!("{c}{digits}"), 8).map_err(|_| unknown())?;
                self.rest = rest;
                char::from_u32(number).ok_or_else(unknown)?
            }
            'x' => {
                let digits = self.rest.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(unknown)?;
                self.rest = &self.rest[2..];
                char::from_u32(number).ok_or_else(unknown)?
            }
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(unknown()),
        })
    }

    /// A character class after its `[`.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        while first || !self.take("]") {
            first = false;
            if let Some(named) = self.named_class()? {
                self.out.push_str(&named);
                continue;
            }
            let rest = self.rest;
            if self.take("\\") {
                if let Some(class) = self.escaped_class()? {
                    self.out.push_str(&class);
                    continue;
                }
                self.rest = rest;
            }
            let low = self.member()?;
            self.literal(low);
            if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next();
                let high = self.member()?;
                if high < low {
                    return Err(format!("the range `{low}-{high}` is upside down"));
                }
                self.out.push('-');
                self.literal(high);
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn member(&mut self) -> Result<char, String> {
        if self.take("\\") {
            return self.escaped();
        }
        self.next().ok_or_else(|| "a `[` is not closed".into())
    }

    /// `[:alpha:]` and its like, as far as there is a `:]`.
    fn named_class(&mut self) -> Result<Option<String>, String> {
        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|text| text.split_once(":]")) else {
            return Ok(None);
        };
        if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("`[:{name}:]` names no kind of character"));
        }
        self.rest = rest;
        Ok(Some(format!("[:{name}:]")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_means() {
        let matches = |expression: &str, text: &str| {
            regex::bytes::Regex::new(&translate(expression).unwrap()).unwrap().is_match(text.as_bytes())
        };
        for (expression, text, expected) in [
            ("^a.b$", "axb", true),
            ("^\\.$", "x", false),
            ("^[[a]$", "[", true),
            ("^[a&&b]$", "&", true),
            ("^[[:alpha:]]$", "é", false),
            ("^[^[:alpha:]x]$", "7", true),
            ("^\\w$", "é", false),
            ("^[\\w-]$", "-", true),
            ("^\\pL$", "é", true),
            ("^[\\PL]$", "é", false),
            ("^\\x41\\101\\0$", "AA\0", true),
            ("^\\Qa.b\\E.$", "a.bc", true),
            ("^a\\b/$", "a/", true),
            ("^[]a]$", "]", true),
            ("^a|b$", "ax", true),
            ("^a{2}$", "aa", true),
            ("^[^/]{2,}$", "a", false),
            ("^{a,b}$", "{a,b}", true),
            ("^a{01}$", "a{01}", true),
            ("^a{,2}$", "a{,2}", true),
            ("^{2}a$", "a", true),
        ] {
            assert_eq!(matches(expression, text), expected, "{expression} {text}");
        }
        for wrong in
            ["a{2,1}", "a{1001}", "^a|{2}", "a*{2}", "[z-a]", "\\y", "\\1", "[[:no:]]", "\\pX", "[a", "\\E", "\\é"]
        {
            assert!(translate(wrong).is_err(), "{wrong}");
        }
    }
}
