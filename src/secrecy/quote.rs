//! Text as it may be shown: a `*` stands for each character of what looks like a secret, so that all else is in its column.

use std::ops::Range;

use super::looks::{name_tells, value_tells};
use super::scan::{Assignment, assignments};
use super::url::may_be_host;

/// Fields of a pipeline file whose names say "secret", and which hold names, files and variables instead.
const SECTIONS: [&str; 5] = ["secrets", "secret_files", "secret_envs", "secret-files", "secret-envs"];

/// Fields that say where a secret is.
const SOURCES: [&str; 6] = ["environment", "env", "file", "source", "src", "id"];

/// The longest line that is shown, in characters: nobody reads further, and to look for secrets takes longer with each.
const LONGEST: usize = 2000;

/// How many lines above are looked at for the field that a line belongs to.
const ABOVE: usize = 200;

/// The line of this number, counted from 0, as it may be shown; `None` if there is no such line, or if it is too long to be
/// shown at all.
pub fn quoted(text: &str, number: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(number.saturating_add(2)).collect();
    let mut shown = Shown::of(lines.get(number).filter(|line| is_short(line))?);
    if is_of_key(&lines[..=number]) || is_continued(&lines, number) {
        shown.hide_all();
        return Some(shown.text());
    }
    let is_section = ancestors(&lines, number).iter().any(|above| above.iter().any(is_section));
    let is_paired = lines[number.saturating_sub(1)..].iter().any(|line| names_secret(line));
    let found = assignments(&shown.chars);
    for (at, one) in found.iter().enumerate() {
        let is_value = is_paired && one.name.eq_ignore_ascii_case("value");
        let is_block = one.sign == ':' && matches!(shown.chars.get(one.value.start), Some('|' | '>'));
        if is_block || (!is_value && !tells(one)) {
            continue;
        }
        let says_where = || found.iter().any(|inner| is_within(inner, one) && SOURCES.contains(&inner.name.as_str()));
        if one.is_structure && (is_section || found[..at].iter().any(is_section_word) || says_where()) {
            continue;
        }
        shown.hide(one.value.clone());
    }
    shown.hide_values();
    Some(shown.text())
}

fn is_short(line: &str) -> bool {
    line.chars().nth(LONGEST).is_none()
}

/// A sentence that may quote what somebody wrote; of what is too long only the beginning.
pub fn told(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let (line, end) = line.char_indices().nth(LONGEST).map_or((line, ""), |(end, _)| (&line[..end], "…"));
        let mut shown = Shown::of(line);
        for one in assignments(&shown.chars).iter().filter(|one| one.sign == '=' && tells(one)) {
            let end = one.value.clone().find(|at| shown.chars[*at] == '`').unwrap_or(one.value.end);
            shown.hide(one.value.start..end);
        }
        shown.hide_values();
        shown.text() + end
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn tells(one: &Assignment) -> bool {
    name_tells(&one.name) && !is_section_word(one)
}

fn is_section_word(one: &Assignment) -> bool {
    SECTIONS.contains(&one.name.as_str())
}

fn is_section(one: &Assignment) -> bool {
    one.leads && is_section_word(one)
}

fn is_within(inner: &Assignment, outer: &Assignment) -> bool {
    outer.value.start < inner.value.start && inner.value.end <= outer.value.end
}

/// Whether the line says of which secret the value beside it is, as in `{ "name": "API_KEY", "value": "…" }`.
fn names_secret(line: &str) -> bool {
    if !is_short(line) {
        return false;
    }
    let chars: Vec<char> = line.chars().collect();
    let is_name = |one: &Assignment| ["name", "key"].iter().any(|word| one.name.eq_ignore_ascii_case(word));
    let value = |one: &Assignment| chars[one.value.clone()].iter().collect::<String>();
    assignments(&chars).iter().any(|one| is_name(one) && name_tells(value(one).trim()))
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

fn is_item(line: &str) -> bool {
    line.trim_start().starts_with("- ")
}

/// What the lines assign that this one belongs to, the nearest first.
fn ancestors(lines: &[&str], number: usize) -> Vec<Vec<Assignment>> {
    let line = lines[number];
    // The items of a list may stand below their field with no further space.
    let mut below = indent(line) + usize::from(is_item(line));
    let mut found = Vec::new();
    for above in lines[..number].iter().rev().take(ABOVE).filter(|above| !above.trim().is_empty()) {
        let is_sibling = is_item(line) && is_item(above) && indent(above) == indent(line);
        if indent(above) < below && !is_sibling {
            below = indent(above);
            let chars: Vec<char> = if is_short(above) { above.chars().collect() } else { Vec::new() };
            found.push(assignments(&chars));
        }
        if below == 0 {
            break;
        }
    }
    found
}

/// Whether the line is part of a secret's value that is written over several.
fn is_continued(lines: &[&str], number: usize) -> bool {
    let chars: Vec<char> = lines[number].chars().collect();
    let is_entry = assignments(&chars).first().is_some_and(|one| one.leads && one.sign == ':');
    let ancestors = ancestors(lines, number);
    if is_entry && ancestors.iter().any(|above| above.iter().any(is_section)) {
        return false;
    }
    let goes_on = |above: &Vec<Assignment>| {
        let last = above.iter().rev().find(|one| one.sign == ':');
        last.is_some_and(|one| tells(one) && !(is_entry && (one.value.is_empty() || one.is_structure)))
    };
    ancestors.iter().any(goes_on)
}

/// Whether the last of these lines is in the middle of a private key.
fn is_of_key(lines: &[&str]) -> bool {
    let is_mark = |line: &&str, mark: &str| line.contains(mark) && line.contains("PRIVATE KEY-----");
    let begin = lines.iter().rposition(|line| is_mark(line, "-----BEGIN "));
    let end = lines[..lines.len() - 1].iter().rposition(|line| is_mark(line, "-----END "));
    begin.is_some_and(|begin| end.is_none_or(|end| end < begin))
}

/// A line with what of it must not be shown.
struct Shown {
    chars: Vec<char>,
    hidden: Vec<bool>,
}

impl Shown {
    fn of(line: &str) -> Self {
        let chars: Vec<char> = line.chars().collect();
        Shown { hidden: vec![false; chars.len()], chars }
    }

    fn hide_all(&mut self) {
        self.hide(0..self.chars.len());
    }

    /// Hides all but the names of variables, which are no secrets.
    fn hide(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            match variable(&self.chars[at..range.end]) {
                Some(length) => at += length,
                None => {
                    self.hidden[at] = true;
                    at += 1;
                }
            }
        }
    }

    /// Hides what looks like a secret by itself, whatever its name.
    fn hide_values(&mut self) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        for range in runs(&self.chars, is_token) {
            if value_tells(&self.chars[range.clone()].iter().collect::<String>()) {
                self.hide(range);
            }
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        for range in runs(&self.chars, |c| !ends(c)) {
            for secret in secrets_of_url(&self.chars[range.clone()]) {
                self.hide(range.start + secret.start..range.start + secret.end);
            }
        }
    }

    fn text(&self) -> String {
        let shown = self.chars.iter().zip(&self.hidden);
        shown.map(|(c, hidden)| if *hidden && !c.is_whitespace() { '*' } else { *c }).collect()
    }
}

/// The length of a variable that begins here, if one does: `${NAME}`.
fn variable(chars: &[char]) -> Option<usize> {
    let name = chars.strip_prefix(&['$', '{'])?;
    let length = name.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
    (length > 0 && name.get(length) == Some(&'}')).then_some(length + 3)
}

/// The stretches of characters that are of one kind.
fn runs(chars: &[char], is_of: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..=chars.len() {
        if chars.get(at).is_none_or(|c| !is_of(*c)) {
            if start < at {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// The user and the query of the addresses in this stretch, as [`super::without_secrets`] leaves them out. Source: RFC 3986.
fn secrets_of_url(chars: &[char]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(scheme) = chars.windows(3).position(|three| three == [':', '/', '/']) else { return found };
    let is_bracket = |c: &&char| matches!(c, ',' | ';' | ')' | ']' | '}');
    let brackets = chars.iter().rev().take_while(is_bracket).count();
    // The brace of a variable is the address's own.
    let end = if chars.contains(&'{') && brackets > 0 { chars.len() } else { chars.len() - brackets };
    let start = scheme + 3;
    let find = |from: usize, wanted: &[char]| (from..end).find(|at| wanted.contains(&chars[*at]));
    let path = find(start, &['?', '#']).unwrap_or(end);
    let authority = find(start, &['/', '?', '#']).unwrap_or(end);
    let Some(user) = chars.get(start..authority) else { return found };
    let is_password = !may_be_host(&user.iter().collect::<String>());
    // The user of ssh has a key elsewhere; that of HTTP may be a token.
    let is_ssh = chars[..scheme].ends_with(&['s', 's', 'h']);
    let is_user = user.contains(&'@') && (!is_ssh || user.iter().take_while(|c| **c != '@').any(|c| *c == ':'));
    let at = (start..if is_password { end } else { path }).rev().find(|at| chars[*at] == '@');
    let at = at.filter(|_| is_user || is_password);
    found.extend(at.map(|at| start..at));
    if let Some(query) = find(at.unwrap_or(start), &['?', '#']).filter(|query| chars[*query] == '?') {
        found.push(query + 1..find(query, &['#']).unwrap_or(end));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(text: &str, number: usize, expected: &str) {
        let shown = quoted(text, number).unwrap();
        assert_eq!(shown, expected);
        assert_eq!(shown.chars().count(), text.lines().nth(number).unwrap().chars().count(), "all is in its column");
    }

    #[test]
    fn the_value_of_a_name_that_tells() {
        for (line, expected) in [
            ("  NPM_TOKEN: abc", "  NPM_TOKEN: ***"),
            ("  NPM_TOKEN: a b, c # why", "  NPM_TOKEN: * ** * * ***"),
            ("args: { NPM_TOKEN: abc, PORT: 80 }", "args: { NPM_TOKEN: ***, PORT: 80 }"),
            ("args: { NPM_TOKEN: \"a, b\", PORT: 80 }", "args: { NPM_TOKEN: \"** *\", PORT: 80 }"),
            ("args: { NPM_TOKEN: 'it''s', PORT: 80 }", "args: { NPM_TOKEN: '*****', PORT: 80 }"),
            ("args: {NPM_TOKEN: [abc, d], PORT: 80}", "args: {NPM_TOKEN: ***** **, PORT: 80}"),
            ("args: [PORT=80, NPM_TOKEN=abc]", "args: [PORT=80, NPM_TOKEN=***]"),
            ("args: [\"NPM_TOKEN=a, b]\", PORT=80]", "args: [\"NPM_TOKEN=** **\", PORT=80]"),
            ("  - NPM_TOKEN=a,b", "  - NPM_TOKEN=***"),
            ("{\"apiKey\":\"a\\\"b\",\"port\":80}", "{\"apiKey\":\"****\",\"port\":80}"),
            ("  password:abc", "  password:***"),
            ("ENV PORT=80 API_KEY=ä", "ENV PORT=80 API_KEY=*"),
            ("  NPM_TOKEN: ${NPM_TOKEN}", "  NPM_TOKEN: ${NPM_TOKEN}"),
            ("  URL: ${NPM_TOKEN:-abc}/x", "  URL: ${NPM_TOKEN:-***}/x"),
            ("  NPM_TOKEN: ${X:-abc}", "  NPM_TOKEN: *********"),
            ("  URL: ${NPM_TOKEN:?set it}", "  URL: ${NPM_TOKEN:?set it}"),
            ("  TOKEN_URL: https://tokens.example.com", "  TOKEN_URL: https://tokens.example.com"),
            ("  - { name: DB_PASSWORD, value: abc }", "  - { name: DB_PASSWORD, value: *** }"),
            ("  - { name: PORT, value: abc }", "  - { name: PORT, value: abc }"),
            ("it's a token: abc, don't", "it's a token: **** *****"),
        ] {
            shows(line, 0, expected);
        }
    }

    #[test]
    fn fields_that_say_where_a_secret_is() {
        for line in [
            "secrets: [npm, \"id=npm_token,env=NPM_TOKEN\"]",
            "  secret_envs: [npm=NPM]",
            "    npm_token: { environment: NPM_TOKEN }",
            "secrets: { npm_token: { enviroment: X } }",
            "RUN --mount=type=secret,id=npm_token npm ci",
            "Action: [ecr:GetAuthorizationToken]",
        ] {
            shows(line, 0, line);
        }
        shows("secrets:\n  npm_token: { enviroment: X }\n", 1, "  npm_token: { enviroment: X }");
        shows("secrets:\n  npm_token:\n    enviroment: X\n", 2, "    enviroment: X");
        shows("secrets: [\"token=abc123\", \"id=a,scr=x\"]", 0, "secrets: [\"token=******\", \"id=a,scr=x\"]");
        shows("secrets:\n  npm_token: abc\n", 1, "  npm_token: ***");
    }

    #[test]
    fn values_that_tell_by_themselves() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        shows(&format!("x: {token} y"), 0, &format!("x: {} y", "*".repeat(40)));
        for (line, expected) in [
            ("build: https://me:pw@host/a.git#main", "build: https://*****@host/a.git#main"),
            ("build: https://me:p/w@host/a.git", "build: https://******@host/a.git"),
            ("build: \"https://host/a.tar?token=abc\"", "build: \"https://host/a.tar?*********\""),
            ("{ build: https://host/a?b=c, x: y }", "{ build: https://host/a?***, x: y }"),
            ("build: https://host/a.tar?token=${T}", "build: https://host/a.tar?******${T}"),
            ("build: https://me:p#w@host/a.git", "build: https://******@host/a.git"),
            ("build: https://me:p?w@host/a.git?b", "build: https://******@host/a.git?*"),
            ("build: https://host:80/a@b", "build: https://host:80/a@b"),
            ("build: https://[::1]/a@b", "build: https://[::1]/a@b"),
            ("build: https://me@host/a.git", "build: https://**@host/a.git"),
            ("build: ssh://git@host/a.git", "build: ssh://git@host/a.git"),
            ("build: ssh://git:pw@host:22/a.git", "build: ssh://******@host:22/a.git"),
            ("image: host:80/a@sha256:0", "image: host:80/a@sha256:0"),
        ] {
            shows(line, 0, expected);
        }
    }

    #[test]
    fn values_over_several_lines() {
        let block = "args:\n  NPM_TOKEN: |\n    abc\n      def\n  PORT: 80\n";
        shows(block, 2, "    ***");
        shows(block, 3, "      ***");
        shows(block, 4, "  PORT: 80");
        shows("args:\n  NPM_TOKEN: >-\n    user: abc\n", 2, "    ***** ***");
        shows("args:\n  NPM_TOKEN:\n    abc\n", 2, "    ***");
        shows("args:\n  NPM_TOKEN:\n  - abc\n  - def\n", 3, "  * ***");
        shows("args:\n  NPM_TOKEN: \"abc\n    def\"\n", 2, "    ****");
        shows("{ \"name\": \"API_KEY\",\n  \"value\": \"abc\" }\n", 1, "  \"value\": \"***\" }");
        let key = "k: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIabc\n  -----END RSA PRIVATE KEY-----\nx: y\n";
        shows(key, 2, "  ******");
        shows(key, 4, "x: y");
    }

    #[test]
    fn sentences() {
        assert_eq!(told("`args.NPM_TOKEN=abc` must be a text"), "`args.NPM_TOKEN=***` must be a text");
        assert_eq!(told("`https://me:pw@host/` is no name"), "`https://*****@host/` is no name");
        let plain = "use `secrets: [\"id=npm_token,env=NPM_TOKEN\"]`; a token: x";
        assert_eq!(told(plain), plain);
        assert_eq!(quoted("a\n", 1), None);
    }

    #[test]
    fn a_line_without_end_is_not_shown() {
        let long = format!("a:\n  {{ {}\n    b: c\n", "token=a, token=[".repeat(20_000));
        assert_eq!(quoted(&long, 1), None);
        shows(&long, 2, "    b: c");
        assert_eq!(told(&"token=`".repeat(20_000)).chars().count(), LONGEST + 1);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_and_all_stays_in_its_column(
            text in "([-a-z_:=\"'{}\\[\\],|>$@/?# \t\u{e4}\n]|token|://|\\$\\{|password: |secrets:|-----BEGIN PRIVATE KEY-----){0,60}",
            number in 0usize..6,
        ) {
            let line = text.lines().nth(number);
            let shown = quoted(&text, number);
            proptest::prop_assert_eq!(shown.map(|shown| shown.chars().count()), line.map(|line| line.chars().count()));
            proptest::prop_assert_eq!(told(&text).chars().count(), text.chars().count());
        }
    }
}
