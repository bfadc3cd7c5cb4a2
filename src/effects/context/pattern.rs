//! One pattern of a `.dockerignore` file.

use std::borrow::Cow;

use regex::bytes::Regex;

use super::{expression, syntax};

/// A pattern, anchored at the context's root, that matches slash-separated relative paths byte by byte.
///
/// What it matches is what BuildKit's client makes of it, also where that is more, or less, than its documentation
/// says. Source: the behaviour of moby/patternmatcher, compared with this over many thousand random patterns.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Whether it takes back what earlier patterns excluded: the `!` form.
    pub exception: bool,
    /// Cleaned.
    text: Vec<u8>,
    /// An expression that is not valid is a fault only if it is asked.
    matcher: Result<Matcher, String>,
    /// The components before the first one that could match more than one name.
    literal: Vec<Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact,
    /// `abc/**`: everything inside, but not `abc` itself.
    Prefix,
    /// `**abc`: every path that ends so, `myabc` included.
    Suffix,
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern that has been cleaned already: no `!`, no leading slash, no `.` or `..` inside.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn new(text: &[u8], exception: bool) -> Result<Self, String> {
        syntax::check(text)?;
        let literal = text.split(|byte| *byte == b'/').take_while(|component| is_literal(component));
        let literal = literal.map(<[u8]>::to_vec).collect();
        Ok(Pattern { exception, text: text.to_owned(), matcher: Matcher::new(text), literal })
    }

    /// Whether the pattern matches this very path.
    ///
    /// # Errors
    /// What is wrong with the pattern, as far as nobody could tell before it was asked.
    pub fn matches(&self, path: &Path<'_>) -> Result<bool, &str> {
        let bytes = path.bytes;
        Ok(match self.matcher.as_ref().map_err(String::as_str)? {
            Matcher::Exact => bytes == self.text,
            Matcher::Prefix => bytes.starts_with(&self.text[..self.text.len() - "**".len()]),
            Matcher::Suffix => {
                let suffix = &self.text["**".len()..];
                bytes.ends_with(suffix) || suffix.strip_prefix(b"/") == Some(bytes)
            }
            Matcher::Regex(regex) => regex.is_match(&path.characters),
        })
    }

    /// Whether the pattern could match something inside this directory, or be found to be none there; never wrong when
    /// it says no.
    pub fn may_match_inside(&self, directory: &[u8]) -> bool {
        if self.matcher.is_err() {
            return true;
        }
        let components = directory.split(|byte| *byte == b'/');
        self.literal.iter().zip(components).all(|(literal, component)| literal == component)
    }

    /// The pattern without a last component of `*` or `**`, by which BuildKit tells where exceptions can reach, if
    /// nothing else in it is a wildcard.
    pub fn plain_root(&self) -> Option<&[u8]> {
        let root = self.text.strip_suffix(b"/**").unwrap_or(&self.text);
        let root = root.strip_suffix(b"/*").unwrap_or(root);
        (!root.iter().any(|byte| b"*[]?^\\".contains(byte))).then_some(root)
    }
}

/// A path as patterns see it.
pub struct Path<'p> {
    bytes: &'p [u8],
    characters: Cow<'p, [u8]>,
}

impl<'p> Path<'p> {
    /// A slash-separated relative path. For wildcards, each byte that is no UTF-8 is a character of its own, U+FFFD.
    pub fn new(bytes: &'p [u8]) -> Self {
        let characters = match std::str::from_utf8(bytes) {
            Ok(_) => Cow::Borrowed(bytes),
            Err(_) => Cow::Owned(decoded(bytes).into_bytes()),
        };
        Path { bytes, characters }
    }
}

/// The text of bytes of which each that is no UTF-8 becomes U+FFFD, so that their number stays.
fn decoded(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::with_capacity(bytes.len()), |mut text, chunk| {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        text
    })
}

/// What may make a component mean more than itself.
const SPECIAL: [char; 10] = ['*', '?', '[', ']', '\\', '^', '|', '{', '\u{feff}', char::REPLACEMENT_CHARACTER];

fn is_literal(component: &[u8]) -> bool {
    std::str::from_utf8(component).is_ok_and(|text| !text.contains(SPECIAL))
}

#[derive(PartialEq)]
enum Shape {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

impl Matcher {
    fn new(pattern: &[u8]) -> Result<Self, String> {
        let text = decoded(pattern);
        let mut expression = String::from("^");
        let mut shape = Shape::Exact;
        // A byte order mark before the first character is passed over, wherever the line stands in the file.
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text).chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            match c {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    match (rest.peek(), &shape) {
                        (None, Shape::Exact) => shape = Shape::Prefix,
                        (None, _) => {
                            expression.push_str(".*");
                            shape = Shape::Regex;
                        }
                        (Some(_), _) => {
                            expression.push_str("(.*/)?");
                            shape = Shape::Regex;
                        }
                    }
                    if first {
                        shape = Shape::Suffix;
                    }
                }
                '*' => {
                    expression.push_str("[^/]*");
                    shape = Shape::Regex;
                }
                '?' => {
                    expression.push_str("[^/]");
                    shape = Shape::Regex;
                }
                // Not `|` and braces: the original means to escape them too, but its table has no room for them, so that
                // they work in patterns with wildcards. Source: moby/patternmatcher, `shouldEscape`.
                '.' | '+' | '(' | ')' | '$' => expression.extend(['\\', c]),
                '\\' => match rest.next() {
                    Some(escaped) => {
                        expression.extend(['\\', escaped]);
                        shape = Shape::Regex;
                    }
                    None => expression.push('\\'),
                },
                '[' | ']' => {
                    expression.push(c);
                    shape = Shape::Regex;
                }
                _ => expression.push(c),
            }
            first = false;
        }
        Ok(match shape {
            Shape::Exact => Matcher::Exact,
            Shape::Prefix => Matcher::Prefix,
            Shape::Suffix => Matcher::Suffix,
            Shape::Regex => {
                expression.push('$');
                let ours = expression::translate(&expression)?;
                Matcher::Regex(Regex::new(&ours).map_err(|error| error.to_string())?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_paths() {
        let cases = [
            ("foo.txt", "foo.txt", true),
            ("foo.txt", "a/foo.txt", false),
            ("foo.txt", "fooxtxt", false),
            ("*.go", "a.go", true),
            ("*.go", "a/b.go", false),
            ("*", "a", true),
            ("*", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "aéc", true),
            ("**/*.go", "a.go", true),
            ("**/*.go", "a/b/c.go", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "az", false),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("**", "anything/at/all", true),
            ("**/foo", "foo", true),
            ("**/foo", "a/foo", true),
            ("**/foo", "myfoo", false),
            ("**file", "myfile", true),
            ("**/a/**", "x/a/b", true),
            ("**/a/**", "x/a", false),
            ("[!a]", "b", false),
            ("[!a]", "!", true),
            ("[^a]", "b", true),
            ("[^a]", "a", false),
            ("[^a]", "/", true),
            ("[a-c]x", "bx", true),
            ("[a\\-]", "-", true),
            ("[a[]", "[", true),
            ("[a&&b]", "&", true),
            ("a]b", "a]b", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a+(b)|{c}$", "a+(b)|{c}$", true),
            ("a.b*", "a.bc", true),
            ("a.b*", "axbc", false),
            ("a^b*", "a^bc", false),
            ("a^b", "a^b", true),
            ("\\d", "7", true),
            ("\\d", "d", false),
            ("[*]", "*", false),
            ("[*]", "[/]", true),
            ("**/a?", "x\ny/ab", false),
        ];
        for (pattern, path, expected) in cases {
            let pattern = Pattern::new(pattern.as_bytes(), false).unwrap();
            assert_eq!(pattern.matches(&Path::new(path.as_bytes())), Ok(expected), "{pattern:?} {path}");
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        let matches = |pattern: &[u8], path: &[u8]| {
            let pattern = Pattern::new(pattern, false).unwrap();
            pattern.matches(&Path::new(path)).unwrap()
        };
        assert!(matches(b"a\xff", b"a\xff"));
        assert!(!matches(b"a\xff", b"a\xfe"));
        assert!(matches(b"a??", b"a\xe2\x82"), "each byte is a character");
        assert!(!matches(b"a?", b"a\xe2\x82"));
    }

    #[test]
    fn some_faults_are_known_only_when_a_pattern_is_asked() {
        for text in ["[b-a]", "[Local-Only]", "\\y", "x\\1"] {
            let pattern = Pattern::new(text.as_bytes(), false).unwrap();
            assert!(pattern.matches(&Path::new(b"a")).is_err(), "{text}");
        }
    }

    #[test]
    fn pruning_is_never_wrong() {
        let may = |pattern: &str, directory: &str| {
            Pattern::new(pattern.as_bytes(), true).unwrap().may_match_inside(directory.as_bytes())
        };
        assert!(!may("src/*.rs", "node_modules"));
        assert!(!may("src/a/b", "src/b"));
        assert!(may("src/a/b", "src"));
        assert!(may("src/*", "src/a/b"));
        assert!(may("**/x", "node_modules"));
        assert!(may("s*", "node_modules"));
    }
}
