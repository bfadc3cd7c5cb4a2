//! One pattern of a `.dockerignore` file.

use regex::Regex;

/// A pattern, anchored at the context's root, that matches slash-separated relative paths.
///
/// The rules are those of Go's `filepath.Match` plus `**`, as Docker's builders apply them. Source: docs.docker.com,
/// "Build context", section ".dockerignore files", and the behaviour of moby/patternmatcher.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Whether it takes back what earlier patterns excluded: the `!` form.
    pub exception: bool,
    matcher: Matcher,
    /// The components before the first one that could match more than one name.
    literal: Vec<String>,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact(String),
    /// `abc/**`: everything inside, but not `abc` itself.
    Prefix(String),
    /// `**abc`: every path that ends so, `myabc` included.
    Suffix(String),
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern that has been cleaned already: no `!`, no leading slash, no `.` or `..` inside.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn new(text: &str, exception: bool) -> Result<Self, String> {
        let is_wild = |component: &&str| !component.contains(['*', '?', '[', '\\']);
        let literal = text.split('/').take_while(is_wild).map(str::to_owned).collect();
        Ok(Pattern { exception, matcher: Matcher::new(text)?, literal })
    }

    /// Whether the pattern matches this very path.
    pub fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact(text) => path == text,
            Matcher::Prefix(prefix) => path.starts_with(prefix),
            Matcher::Suffix(suffix) => path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path),
            Matcher::Regex(regex) => regex.is_match(path),
        }
    }

    /// Whether the pattern could match something inside this directory; never wrong when it says no.
    pub fn may_match_inside(&self, directory: &str) -> bool {
        self.literal.iter().zip(directory.split('/')).all(|(literal, component)| literal == component)
    }
}

impl Matcher {
    fn new(text: &str) -> Result<Self, String> {
        let mut regex = String::from("^");
        let mut shape = Shape::Exact;
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            match c {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    if rest.peek().is_none() {
                        if shape == Shape::Exact {
                            shape = Shape::Prefix;
                        } else {
                            regex.push_str(".*");
                            shape = Shape::Regex;
                        }
                    } else {
                        regex.push_str("(.*/)?");
                        shape = Shape::Regex;
                    }
                    if first {
                        shape = Shape::Suffix;
                    }
                }
                '*' => {
                    regex.push_str("[^/]*");
                    shape = Shape::Regex;
                }
                '?' => {
                    regex.push_str("[^/]");
                    shape = Shape::Regex;
                }
                '[' => {
                    class(&mut rest, &mut regex)?;
                    shape = Shape::Regex;
                }
                '\\' => {
                    let escaped = rest.next().ok_or("nothing follows the last `\\`")?;
                    push_literal(&mut regex, escaped);
                    shape = Shape::Regex;
                }
                _ => push_literal(&mut regex, c),
            }
            first = false;
        }
        Ok(match shape {
            Shape::Exact => Matcher::Exact(text.to_owned()),
            Shape::Prefix => Matcher::Prefix(text[..text.len() - "**".len()].to_owned()),
            Shape::Suffix => Matcher::Suffix(text["**".len()..].to_owned()),
            Shape::Regex => {
                regex.push('$');
                Matcher::Regex(Regex::new(&regex).map_err(|error| error.to_string())?)
            }
        })
    }
}

#[derive(PartialEq)]
enum Shape {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

/// Reads a character class after its `[`, by the grammar of Go's `filepath.Match`: `^` negates and `!` does not,
/// and a `-` or `]` that is meant itself is escaped.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, regex: &mut String) -> Result<(), String> {
    regex.push('[');
    if rest.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    let mut empty = true;
    loop {
        if !empty && rest.next_if_eq(&']').is_some() {
            regex.push(']');
            return Ok(());
        }
        let low = class_member(rest)?;
        push_literal(regex, low);
        if rest.next_if_eq(&'-').is_some() {
            let high = class_member(rest)?;
            if high < low {
                return Err(format!("the range `{low}-{high}` is upside down"));
            }
            regex.push('-');
            push_literal(regex, high);
        }
        empty = false;
    }
}

fn class_member(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, String> {
    let unclosed = "a `[` is not closed";
    match rest.next().ok_or(unclosed)? {
        c @ ('-' | ']') => Err(format!("`{c}` stands where a character of the `[…]` is expected")),
        '\\' => Ok(rest.next().ok_or(unclosed)?),
        c => Ok(c),
    }
}

fn push_literal(regex: &mut String, c: char) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
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
        ];
        for (pattern, path, expected) in cases {
            let pattern = Pattern::new(pattern, false).unwrap();
            assert_eq!(pattern.matches(path), expected, "{pattern:?} {path}");
        }
    }

    #[test]
    fn bad_patterns() {
        for text in ["[", "[]", "[]a]", "a[", "[a-]", "[-a]", "[b-a]", "[Local-Only]", "a\\", "[a\\"] {
            assert!(Pattern::new(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn pruning_is_never_wrong() {
        let may = |pattern, directory| Pattern::new(pattern, true).unwrap().may_match_inside(directory);
        assert!(!may("src/*.rs", "node_modules"));
        assert!(!may("src/a/b", "src/b"));
        assert!(may("src/a/b", "src"));
        assert!(may("src/*", "src/a/b"));
        assert!(may("**/x", "node_modules"));
        assert!(may("s*", "node_modules"));
    }
}
