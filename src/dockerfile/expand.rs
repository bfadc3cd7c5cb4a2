//! Variables in the words of an instruction.

/// A word with its variables replaced and its quotes taken off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    pub text: String,
    /// A variable in it has no value that is known here.
    pub unset: bool,
}

/// Why a word cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported(pub String);

/// Expands `$NAME`, `${NAME}`, and `${NAME:-word}`, `${NAME:+word}`, `${NAME:?word}` with and without the colon.
///
/// # Errors
/// For a brace that is not closed, a modifier that is not understood, and a value that must be there and is not.
pub(super) fn expand(
    word: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Expanded, Unsupported> {
    let mut expander = Expander { chars: word.chars().collect(), at: 0, escape, lookup, unset: false };
    let text = expander.text(None, 0)?;
    Ok(Expanded { text, unset: expander.unset })
}

/// How deep braces may be nested.
const DEEPEST: usize = 32;

struct Expander<'a> {
    chars: Vec<char>,
    at: usize,
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: bool,
}

impl Expander<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Everything up to the closing character, which is taken; up to the end without one.
    fn text(&mut self, until: Option<char>, depth: usize) -> Result<String, Unsupported> {
        if depth > DEEPEST {
            return Err(Unsupported("its braces are nested too deep".into()));
        }
        let mut text = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                c if Some(c) == until && !quoted => return Ok(text),
                c if c == self.escape => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                '"' => quoted = !quoted,
                '\'' if !quoted => {
                    while let Some(c) = self.peek().filter(|c| *c != '\'') {
                        text.push(c);
                        self.at += 1;
                    }
                    self.at += 1;
                }
                '$' => text.push_str(&self.variable(depth)?),
                c => text.push(c),
            }
        }
        match until {
            None => Ok(text),
            Some(_) => Err(Unsupported("a `${` is not closed".into())),
        }
    }

    fn variable(&mut self, depth: usize) -> Result<String, Unsupported> {
        if self.peek() != Some('{') {
            let name = self.name();
            // A `$` before anything else stands for itself.
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(&name).unwrap_or_default() });
        }
        self.at += 1;
        let name = self.name();
        let colon = self.peek() == Some(':');
        self.at += usize::from(colon);
        let Some(sign) = self.peek() else { return Err(Unsupported("a `${` is not closed".into())) };
        self.at += 1;
        let known = (self.lookup)(&name).filter(|value| !colon || !value.is_empty());
        match sign {
            _ if name.is_empty() => Err(Unsupported("a `${` names no variable".into())),
            '}' if !colon => Ok(self.value(&name).unwrap_or_default()),
            '-' => self.text(Some('}'), depth + 1).map(|word| known.unwrap_or(word)),
            '+' => self.text(Some('}'), depth + 1).map(|word| if known.is_some() { word } else { String::new() }),
            '?' => {
                let word = self.text(Some('}'), depth + 1)?;
                known.ok_or_else(|| Unsupported(format!("`{name}` must be set: {word}")))
            }
            _ => Err(Unsupported(format!("`${{{name}` goes on in a way that is not understood"))),
        }
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c == '_' || c.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name);
        self.unset |= value.is_none();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(word: &str) -> Result<String, Unsupported> {
        let lookup = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(word, '\\', &lookup).map(|expanded| expanded.text)
    }

    #[test]
    fn forms() {
        let cases = [
            ("a$A-b", "a1-b"),
            ("${A}b", "1b"),
            ("$NO", ""),
            ("${NO:-x}", "x"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${A:+x}${NO:+y}${EMPTY+z}", "xz"),
            ("${A:?no}", "1"),
            ("${NO:-${A}2}", "12"),
            (r"\$A", "$A"),
            ("'$A'", "$A"),
            ("\"$A'\"", "1'"),
            ("a$", "a$"),
            ("${NO:-'}'}", "}"),
        ];
        for (word, expected) in cases {
            assert_eq!(expanded(word).as_deref(), Ok(expected), "{word}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said_so() {
        for word in ["${A", "${A:", "${A#x}", "${A/x/y}", "${}", "${NO:?gone}", "${NO:-"] {
            assert!(expanded(word).is_err(), "{word}");
        }
    }

    #[test]
    fn variables_without_a_value_are_noticed() {
        let unset = |word| expand(word, '\\', &|name| (name == "A").then(String::new)).unwrap().unset;
        assert!(unset("x$B") && unset("${B}") && !unset("$A") && !unset("${B:-1}"));
    }
}
