//! Classes and escapes, which JavaScript and our engine read differently.

/// `\s`. Source: ECMAScript, "WhiteSpace" and "LineTerminator".
pub(super) const SPACE: &str =
    r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// What `.` does not match.
pub(super) const LINE_ENDS: &str = r"\n\r\u{2028}\u{2029}";

/// What an escape stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Escape {
    /// One character.
    Character(char),
    /// A class, without the brackets around it.
    Class { inside: String, negated: bool },
}

impl Escape {
    /// The class that a letter after a backslash means.
    pub fn class(letter: char) -> Option<Self> {
        let inside = match letter.to_ascii_lowercase() {
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            's' => SPACE,
            _ => return None,
        };
        Some(Escape::Class { inside: inside.to_owned(), negated: letter.is_ascii_uppercase() })
    }

    /// As it stands outside of brackets, and inside of others.
    pub fn written(&self) -> String {
        match self {
            Escape::Character(c) => literal(*c),
            Escape::Class { inside, negated: false } => format!("[{inside}]"),
            Escape::Class { inside, negated: true } => format!("[^{inside}]"),
        }
    }
}

/// A character that stands for itself, wherever it stands.
pub(super) fn literal(c: char) -> String {
    match c {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '_' => c.to_string(),
        _ => format!(r"\u{{{:X}}}", u32::from(c)),
    }
}

/// The characters that an escape of a control character stands for.
pub(super) fn control(letter: char) -> Option<char> {
    match letter {
        't' => Some('\t'),
        'n' => Some('\n'),
        'v' => Some('\u{B}'),
        'f' => Some('\u{C}'),
        'r' => Some('\r'),
        _ => None,
    }
}
