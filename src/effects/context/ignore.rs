//! A `.dockerignore` file: which paths of the context are left out.

use super::pattern::Pattern;

/// The patterns of a `.dockerignore` file, in order; the last one that matches decides.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    text: String,
    patterns: Vec<Pattern>,
}

/// What the rules found out about one path, to be handed on to the paths inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The path is left out.
    pub excluded: bool,
    /// Pattern by pattern, whether it matched this path or one of its parents.
    matched: Vec<bool>,
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

impl IgnoreRules {
    /// Reads the text of a `.dockerignore` file.
    ///
    /// A byte order mark is skipped; a `#` in the first column makes a comment, an indented one does not; every
    /// pattern is cleaned as a path, so a trailing slash means nothing, and is anchored at the context's root.
    ///
    /// # Errors
    /// If a line is no pattern; the first such line is named.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if line.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let bad = |problem: String| BadPattern { line: index + 1, text: trimmed.to_owned(), problem };
            let (exception, path) = match trimmed.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, trimmed),
            };
            if path.is_empty() {
                return Err(bad("nothing follows the `!`".into()));
            }
            patterns.push(Pattern::new(&clean(path), exception).map_err(bad)?);
        }
        Ok(IgnoreRules { text: text.to_owned(), patterns })
    }

    /// The text that they were read from; the same text makes the same rules.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Judges a path from what was found out about the directory that holds it.
    ///
    /// The path is relative to the context and slash-separated. Patterns that matched the directory match the path
    /// as well. For entries of the context's own folder, `parent` is [`Verdict::default`].
    pub fn judge(&self, parent: &Verdict, path: &str) -> Verdict {
        let mut verdict = Verdict { excluded: false, matched: vec![false; self.patterns.len()] };
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.matched.get(index).copied().unwrap_or(false);
            // A pattern that could not change the verdict is not asked, so it counts as not matched further down.
            if inherited || (pattern.exception == verdict.excluded && pattern.matches(path)) {
                verdict.matched[index] = true;
                verdict.excluded = !pattern.exception;
            }
        }
        verdict
    }

    /// Judges a path from the context's root down.
    pub fn excludes(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.fold(Verdict::default(), |parent, end| self.judge(&parent, &path[..end])).excluded
    }

    /// Whether an excluded directory can hold something that is not excluded.
    pub fn may_keep_inside(&self, directory: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.exception && pattern.may_match_inside(directory))
    }
}

/// Removes empty and `.` components, resolves `..`, and takes one leading slash away.
///
/// Source: Go's `filepath.Clean`. A `..` that climbs out of the context stays, and then matches nothing.
fn clean(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            ".." if path.starts_with('/') => {}
            _ => components.push(component),
        }
    }
    if components.is_empty() && !path.starts_with('/') {
        return ".".to_owned();
    }
    components.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(file: &str, path: &str) -> bool {
        IgnoreRules::parse(file).unwrap().excludes(path)
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
        let bad = IgnoreRules::parse("a\n\n [b\n").unwrap_err();
        assert_eq!(bad.to_string(), "line 3: `[b` is not a pattern: a `[` is not closed");
        assert_eq!(IgnoreRules::parse("!").unwrap_err().problem, "nothing follows the `!`");
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
            let rules = IgnoreRules::parse(&text.join("\n")).unwrap();
            assert_eq!(rules.excludes(&path), plain_rule(&lines, &path), "{text:?} {path}");
        }
    }

    fn plain_rule(lines: &[(bool, String)], path: &str) -> bool {
        let parents: Vec<&str> = path.match_indices('/').map(|(end, _)| &path[..end]).chain([path]).collect();
        lines.iter().fold(false, |excluded, (exception, text)| {
            let pattern = Pattern::new(text, *exception).unwrap();
            if parents.iter().any(|parent| pattern.matches(parent)) { !exception } else { excluded }
        })
    }

    #[test]
    fn pruning_loses_nothing() {
        let rules = IgnoreRules::parse("*\n!src/*.rs").unwrap();
        assert!(rules.may_keep_inside("src"));
        assert!(!rules.may_keep_inside("node_modules"));
        assert!(!IgnoreRules::parse("node_modules").unwrap().may_keep_inside("node_modules"));
    }
}
