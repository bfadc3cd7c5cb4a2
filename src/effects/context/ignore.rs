//! A `.dockerignore` file: which paths of the context are left out.

use std::path::{Path, PathBuf};

use super::pattern::{self, Pattern};
use super::{ContextError, syntax};

/// The patterns of a `.dockerignore` file, in order; the last one that matches decides.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    file: PathBuf,
    text: Vec<u8>,
    patterns: Vec<(Line, Pattern)>,
    /// Whether no exception has a wildcard but for a last component of `*` or `**`.
    plain_exceptions: bool,
}

/// What the rules found out about one directory, to be handed on to the paths inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Pattern by pattern, whether it matched this path or one of its parents.
    matched: Vec<bool>,
}

#[derive(Debug, Clone)]
struct Line {
    number: usize,
    text: Vec<u8>,
}

/// A line that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern {
    /// Counted from 1.
    pub line: usize,
    /// The line, trimmed.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl std::fmt::Display for BadPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: `{}` is not a pattern: {}", self.line, self.text, self.problem)
    }
}

impl Line {
    fn bad(&self, problem: impl Into<String>) -> BadPattern {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        BadPattern { line: self.number, text, problem: problem.into() }
    }
}

impl IgnoreRules {
    /// Reads the bytes of a `.dockerignore` file, which is named where a fault in it shows later.
    ///
    /// A byte order mark is skipped; a `#` in the first column makes a comment, an indented one does not; every
    /// pattern is cleaned as a path, so a trailing slash means nothing, and is anchored at the context's root.
    ///
    /// # Errors
    /// If a line is no pattern; the first such line is named.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, BadPattern> {
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut patterns = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let trimmed = syntax::trim(line);
            if line.starts_with(b"#") || trimmed.is_empty() {
                continue;
            }
            let line = Line { number: index + 1, text: trimmed.to_owned() };
            let normal = normalised(trimmed);
            let (exception, path) = match normal.strip_prefix(b"!") {
                Some(path) => (true, path),
                None => (false, normal.as_slice()),
            };
            if path.is_empty() {
                return Err(line.bad("nothing follows the `!`"));
            }
            let pattern = Pattern::new(path, exception).map_err(|problem| line.bad(problem))?;
            patterns.push((line, pattern));
        }
        let plain_exceptions = patterns.iter().all(|(_, pattern)| !pattern.exception || pattern.plain_root().is_some());
        Ok(IgnoreRules { file: file.to_owned(), text: text.to_owned(), patterns, plain_exceptions })
    }

    /// The bytes that they were read from; the same bytes make the same rules.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Judges a path from what was found out about the directory that holds it: whether it is left out.
    ///
    /// The path is relative to the context and slash-separated. Patterns that matched the directory match the path
    /// as well. For entries of the context's own folder, `parent` is [`Verdict::default`].
    ///
    /// # Errors
    /// If a pattern that was asked turns out to be none.
    pub fn excludes_inside(&self, parent: &Verdict, path: &[u8]) -> Result<bool, ContextError> {
        self.judge(parent, path, |_, _| {})
    }

    /// The same for a directory, with what is to be handed on to the paths inside it.
    ///
    /// # Errors
    /// As [`IgnoreRules::excludes_inside`].
    pub fn enter(&self, parent: &Verdict, path: &[u8]) -> Result<(bool, Verdict), ContextError> {
        let mut matched = vec![false; self.patterns.len()];
        let excluded = self.judge(parent, path, |index, is_match| matched[index] = is_match)?;
        Ok((excluded, Verdict { matched }))
    }

    fn judge(&self, parent: &Verdict, path: &[u8], mut tell: impl FnMut(usize, bool)) -> Result<bool, ContextError> {
        let path = pattern::Path::new(path);
        let mut excluded = false;
        for (index, (line, pattern)) in self.patterns.iter().enumerate() {
            let inherited = parent.matched.get(index).copied().unwrap_or(false);
            // A pattern that could not change the verdict is not asked, so it counts as not matched further down.
            let asked = inherited || pattern.exception == excluded;
            let refused = |problem: &str| ContextError::new(&self.file, &line.bad(problem));
            if asked && (inherited || pattern.matches(&path).map_err(refused)?) {
                tell(index, true);
                excluded = !pattern.exception;
            }
        }
        Ok(excluded)
    }

    /// Judges a path from the context's root down.
    ///
    /// # Errors
    /// As [`IgnoreRules::excludes_inside`].
    pub fn excludes(&self, path: &[u8]) -> Result<bool, ContextError> {
        let mut parent = Verdict::default();
        for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            parent = self.enter(&parent, &path[..end])?.1;
        }
        self.excludes_inside(&parent, path)
    }

    /// Whether an excluded directory can hold something that is not excluded.
    ///
    /// Where all exceptions are plain, BuildKit does not look into a directory that none of them begins with, and
    /// misses what `!a/*/**` would keep in `a/b`. Elsewhere it looks everywhere, and passing over what no exception
    /// can match makes no difference.
    pub fn may_keep_inside(&self, directory: &[u8]) -> bool {
        let is_inside =
            |root: &[u8]| root.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        self.patterns.iter().filter(|(_, pattern)| pattern.exception).any(|(_, pattern)| match self.plain_exceptions {
            true => pattern.plain_root().is_some_and(is_inside),
            false => pattern.may_match_inside(directory),
        })
    }
}

/// A line as BuildKit comes to understand it, in two steps that each clean it: a `!` that comes to stand first only
/// by the first step makes an exception as well.
fn normalised(trimmed: &[u8]) -> Vec<u8> {
    let (invert, path) = match trimmed.strip_prefix(b"!") {
        Some(rest) => (true, syntax::trim(rest)),
        None => (false, trimmed),
    };
    let cleaned = if path.is_empty() { Vec::new() } else { syntax::clean(path) };
    let anchored = cleaned.strip_prefix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(&cleaned);
    let once = [if invert { b"!" } else { &b""[..] }, anchored].concat();
    match syntax::trim(&once) {
        b"" => once,
        trimmed => syntax::clean(trimmed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(file: &str) -> Result<IgnoreRules, BadPattern> {
        IgnoreRules::parse(Path::new(".dockerignore"), file.as_bytes())
    }

    fn excludes(file: &str, path: &str) -> bool {
        parse(file).unwrap().excludes(path.as_bytes()).unwrap()
    }

    #[test]
    fn files_and_paths() {
        let cases = [
            ("", "a", false),
            ("foo.txt", "foo.txt", true),
            ("foo.txt", "a/foo.txt", false),
            ("node_modules", "node_modules/x/y", true),
            ("node_modules", "web/node_modules", false),
            ("*.go", "a/b.go", false),
            ("*\n!src", "src/a.rs", false),
            ("*\n!src", "srcs", true),
            ("*\n!src/**", "src/a.rs", false),
            ("*\n!**/*.rs", "a/b/c.rs", false),
            ("*\n!**/*.rs", "a/b/c.go", true),
            ("foo/", "foo", true),
            ("/foo", "foo", true),
            ("./foo//bar", "foo/bar", true),
            ("a/../b", "b", true),
            ("a/../b", "a", false),
            ("../x", "x", false),
            (".", "x", false),
            ("/", "x", false),
            ("  # x", "# x", true),
            ("# x", "# x", false),
            ("\u{feff}# x\ny", "y", true),
            ("\u{feff}y", "y", true),
            ("y\r\nz\r\n", "z", true),
            ("  y  ", "y", true),
            ("*.md\n! README.md", "README.md", false),
            ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
            ("*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false),
            ("[!a]", "b", false),
            ("temp?", "tempa", true),
            ("*/temp*", "somedir/temporary.txt", true),
            ("*/*/temp*", "a/b/temp", true),
            ("*\n/!a", "a", false),
            ("*\n./!a", "a", false),
            ("/ a", "a", true),
            ("!!a\n!a", "!a", false),
        ];
        for (file, path, expected) in cases {
            assert_eq!(excludes(file, path), expected, "{file:?} {path}");
        }
    }

    /// Docker's own walk has it so: a pattern that could change nothing at `src` or `a` is not inherited below.
    #[test]
    fn patterns_that_were_not_asked_are_not_inherited() {
        assert!(excludes("src\n!src/nested\nsrc", "src/other"));
        assert!(!excludes("src\n!src/nested\nsrc", "src/nested/x"));
        assert!(excludes("*/x\n!a", "a/x"));
    }

    #[test]
    fn bad_lines_are_named() {
        let bad = parse("a\n\n [b\n").unwrap_err();
        assert_eq!(bad.to_string(), "line 3: `[b` is not a pattern: a `[` is not closed");
        for nothing in ["!", "!  ", "!/"] {
            assert_eq!(parse(nothing).unwrap_err().problem, "nothing follows the `!`", "{nothing}");
        }
        let error = parse("[b-a]").unwrap().excludes(b"x").unwrap_err();
        assert_eq!(error.cause, "line 1: `[b-a]` is not a pattern: the range `b-a` is upside down");
        assert!(!parse("![b-a]").unwrap().excludes(b"x").unwrap(), "it is never asked");
    }

    /// Where every pattern is asked at every level, the walk is the plain rule: the last pattern that matches the
    /// path or one of its parents decides.
    #[test]
    fn the_walk_agrees_with_the_plain_rule() {
        let words = ["a", "b", "*", "**", "a*", "?", "[ab]", "ab"];
        let mut seed: u64 = 7;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for round in 0..4000 {
            let exceptions = round % 2 == 0;
            let mut lines: Vec<(bool, String)> = Vec::new();
            if exceptions {
                lines.push((false, "**".into()));
            }
            let count = if exceptions { 1 } else { 1 + next(3) };
            for _ in 0..count {
                lines.push((exceptions, (0..=next(3)).map(|_| words[next(8)]).collect::<Vec<_>>().join("/")));
            }
            let text: Vec<String> =
                lines.iter().map(|(not, p)| format!("{}{p}", if *not { "!" } else { "" })).collect();
            let path = (0..=next(3)).map(|_| ["a", "b", "ab"][next(3)]).collect::<Vec<_>>().join("/");
            let rules = parse(&text.join("\n")).unwrap();
            assert_eq!(rules.excludes(path.as_bytes()).unwrap(), plain_rule(&lines, &path), "{text:?} {path}");
        }
    }

    fn plain_rule(lines: &[(bool, String)], path: &str) -> bool {
        let parents: Vec<&str> = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]).collect();
        lines.iter().fold(false, |excluded, (exception, text)| {
            let pattern = Pattern::new(text.as_bytes(), *exception).unwrap();
            if parents.iter().any(|parent| pattern.matches(&pattern::Path::new(parent.as_bytes())).unwrap()) {
                !exception
            } else {
                excluded
            }
        })
    }

    #[test]
    fn pruning_loses_nothing() {
        let rules = parse("*\n!src/*.rs").unwrap();
        assert!(rules.may_keep_inside(b"src"));
        assert!(!rules.may_keep_inside(b"node_modules"));
        assert!(!parse("node_modules").unwrap().may_keep_inside(b"node_modules"));
    }
}
