//! Regular expressions as JavaScript reads them, run by an engine whose time is linear in the text.
//!
//! Look-around and backreferences cannot be had in linear time; they are refused by name. One difference remains: a
//! group inside of a repetition keeps what it matched in an earlier round, where JavaScript forgets it.
//! Source: ECMAScript, "RegExp (Regular Expression) Objects" and annex B.1.2.

mod class;
mod translate;

use std::ops::Range;

use regex::RegexBuilder;

/// Why an expression cannot be used, and where in its text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    pub message: String,
    pub range: Range<usize>,
}

impl Unusable {
    fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Unusable { message: message.into(), range }
    }
}

/// What the flags of an expression ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    all: bool,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    unicode: bool,
    sticky: bool,
}

/// An expression, ready to be matched.
#[derive(Debug)]
pub(super) struct Expression {
    regex: regex::Regex,
    all: bool,
}

impl Expression {
    /// Reads a bare expression.
    ///
    /// # Errors
    /// If JavaScript would not take it, or we cannot.
    pub fn bare(text: &str) -> Result<Self, Unusable> {
        Self::new(text, 0, Flags::default())
    }

    /// Reads `/…/flags`, or a bare expression.
    ///
    /// # Errors
    /// If JavaScript would not take it, or we cannot.
    pub fn delimited(text: &str) -> Result<Self, Unusable> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
        match inner.filter(|(body, _)| !body.is_empty() && !text.contains(['\n', '\r', '\u{2028}', '\u{2029}'])) {
            Some((body, flags)) => Self::new(body, 1, read_flags(flags, body.len() + 2)?),
            None => Self::bare(text),
        }
    }

    fn new(text: &str, offset: usize, flags: Flags) -> Result<Self, Unusable> {
        let translated = translate::translate(text, flags).map_err(|unusable| {
            let Unusable { message, range } = unusable;
            Unusable { message, range: range.start + offset..range.end + offset }
        })?;
        let anchored = if flags.sticky { format!(r"\A(?:{translated})") } else { translated };
        let built = RegexBuilder::new(&anchored)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .size_limit(1 << 20)
            .build();
        let regex = built.map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
                // The last line says what is wrong; the ones before it show a text that the user did not write.
                other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            Unusable::new(message, offset..offset + text.len())
        })?;
        Ok(Expression { regex, all: flags.all })
    }

    /// The groups of the first match, 0 being the whole; with the flag `g` all matches in their place. `None` if there
    /// is no match.
    pub fn groups(&self, text: &str) -> Option<Vec<Option<String>>> {
        let owned = |found: regex::Match<'_>| found.as_str().to_owned();
        if self.all {
            let all: Vec<_> = self.regex.find_iter(text).map(|found| Some(owned(found))).collect();
            return (!all.is_empty()).then_some(all);
        }
        let captures = self.regex.captures(text)?;
        Some(captures.iter().map(|group| group.map(owned)).collect())
    }
}

fn read_flags(text: &str, offset: usize) -> Result<Flags, Unusable> {
    let mut flags = Flags::default();
    for (at, c) in text.char_indices() {
        let range = offset + at..offset + at + c.len_utf8();
        if text[..at].contains(c) {
            return Err(Unusable::new(format!("the flag `{c}` stands here twice"), range));
        }
        match c {
            'd' => {}
            'g' => flags.all = true,
            'i' => flags.ignore_case = true,
            'm' => flags.multi_line = true,
            's' => flags.dot_all = true,
            'u' => flags.unicode = true,
            'y' => flags.sticky = true,
            'v' => return Err(Unusable::new("the flag `v` of a regular expression is not supported", range)),
            _ => return Err(Unusable::new(format!("a regular expression has no flag `{c}`"), range)),
        }
    }
    if flags.all && flags.sticky {
        return Err(Unusable::new("the flags `g` and `y` together are not supported", offset..offset + text.len()));
    }
    Ok(flags)
}

#[cfg(test)]
mod tests;
