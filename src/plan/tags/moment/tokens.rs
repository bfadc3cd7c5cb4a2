//! Splits a format into tokens and text.

/// A part of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'f> {
    /// What is replaced.
    Token(&'f str),
    /// What stays.
    Text(String),
}

/// Every token, those before others that they begin with. `w|` and its like are tokens that mean nothing.
const TOKENS: [&str; 72] = [
    "hmmss", "Hmmss", "hmm", "Hmm", "Mo", "MMMM", "MMM", "MM", "M", "Do", "DDDo", "DDDD", "DDD", "DD", "D", "dddd",
    "ddd", "dd", "do", "d", "wo", "w|", "ww", "w", "Wo", "W|", "WW", "Wo", "W", "Qo", "Q", "NNNNN", "NNNN", "NNN",
    "NN", "N", "YYYYYY", "YYYYY", "YYYY", "YY", "yyyy", "yyy", "yy", "yo", "y", "ggggg", "gggg", "gg", "GGGGG", "GGGG",
    "GG", "e", "E", "a", "A", "hh", "h", "HH", "H", "kk", "k", "mm", "m", "ss", "s", "x", "X", "zz", "z", "ZZ", "Z",
    "Y",
];

/// The long formats of the English locale, and the shorter ones that the small letters mean.
const LONG: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// Replaces the long formats by what they stand for.
pub(super) fn expand(format: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let long = |rest: &str| LONG.into_iter().find(|(name, _)| rest.starts_with(name));
        let taken = if let Some(length) = bracketed(rest) {
            out.push_str(&rest[..length]);
            length
        } else if let Some((name, meaning)) = long(rest) {
            out.push_str(meaning);
            name.len()
        } else if let Some((name, _)) = rest.strip_prefix('\\').and_then(long) {
            out.push_str(&rest[..=name.len()]);
            name.len() + 1
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// Splits a format. Brackets keep what is inside of them, a backslash keeps the token after it.
pub(super) fn pieces(format: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let (piece, length) = if let Some(length) = bracketed(rest) {
            (Some(Piece::Text(rest[1..length - 1].to_owned())), length)
        } else if c == '\\' {
            let next = token(&rest[1..]);
            let next = next.or_else(|| rest[1..].chars().next().filter(|c| !is_line_end(*c)).map(char::len_utf8));
            let length = 1 + next.unwrap_or(0);
            (Some(Piece::Text(rest[1..length].replace('\\', ""))), length)
        } else if let Some(length) = token(rest) {
            let token = &rest[..length];
            let means_nothing = token.ends_with('|');
            (Some(if means_nothing { Piece::Text(token.to_owned()) } else { Piece::Token(token) }), length)
        } else {
            ((!is_line_end(c)).then(|| Piece::Text(c.to_string())), c.len_utf8())
        };
        found.extend(piece);
        rest = &rest[length..];
    }
    found
}

/// The length of `[…]` at the beginning; it reaches to the last `]` before another `[`.
fn bracketed(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    let room = inside.find('[').unwrap_or(inside.len());
    inside[..room].rfind(']').map(|last| last + 2)
}

/// The length of the token at the beginning.
fn token(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(|byte| *byte == b'S').take(9).count();
    if digits > 0 {
        return Some(digits);
    }
    TOKENS.into_iter().find(|token| text.starts_with(token)).map(str::len)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
