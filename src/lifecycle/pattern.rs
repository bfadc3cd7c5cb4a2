//! How a rule's texts match tags. Source: ECR user guide, "Lifecycle policy properties", `tagPatternList` and
//! `tagPrefixList`.

/// The most `*` in one pattern.
pub(super) const MAX_STARS: usize = 4;

/// One entry of a rule's list of prefixes or patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// Literally what a tag begins with.
    Prefix(&'a str),
    /// `*` is any run of characters, none included; the rest is literal; anchored at both ends.
    Pattern(&'a str),
}

impl Entry<'_> {
    /// Whether a tag is meant.
    pub fn matches(self, tag: &str) -> bool {
        match self {
            Entry::Prefix(prefix) => tag.starts_with(prefix),
            Entry::Pattern(pattern) => matches(pattern.as_bytes(), tag.as_bytes()),
        }
    }

    /// Whether every tag that this entry means is meant by the other too.
    pub fn is_within(self, other: Entry<'_>) -> bool {
        match (self, other) {
            (Entry::Prefix(narrow), Entry::Prefix(wide)) => narrow.starts_with(wide),
            // A `*` of the narrow one stands for any text, so it can only be covered by a `*` of the wide one: as a
            // letter of its own it is exactly that, since no letter of a pattern is `*`.
            (Entry::Pattern(narrow), Entry::Pattern(wide)) => matches(wide.as_bytes(), narrow.as_bytes()),
            (Entry::Prefix(narrow), Entry::Pattern(wide)) => matches(wide.as_bytes(), format!("{narrow}*").as_bytes()),
            (Entry::Pattern(narrow), Entry::Prefix(wide)) => {
                narrow.split('*').next().is_some_and(|literal| literal.starts_with(wide))
            }
        }
    }

    /// Whether it can mean a tag at all, for its characters and its length.
    pub fn can_match(self) -> bool {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let (text, stars) = match self {
            Entry::Prefix(text) => (text, false),
            Entry::Pattern(text) => (text, true),
        };
        let literal: String = text.chars().filter(|c| !(stars && *c == '*')).collect();
        literal.chars().all(legal)
            && literal.len() <= crate::names::Tag::MAX_LENGTH
            && !text.starts_with(['.', '-'])
            && !(stars && text.is_empty())
    }

    /// Whether a tag that begins with this text and goes on with anything can be meant.
    pub fn can_match_beginning(self, beginning: &str) -> bool {
        match self {
            Entry::Prefix(prefix) => prefix.starts_with(beginning) || beginning.starts_with(prefix),
            Entry::Pattern(pattern) => {
                let literal = pattern.split('*').next().unwrap_or_default();
                let open = pattern.contains('*');
                literal.starts_with(beginning) || (open && beginning.starts_with(literal))
            }
        }
    }
}

/// In time linear in the text for each `*`; everything between two `*` is found as early as it can be.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::Entry::{Pattern, Prefix};

    #[test]
    fn documented_matches() {
        for (pattern, tag, expected) in [
            ("prod*", "prod", true),
            ("prod*", "prod1", true),
            ("prod*", "production-team1", true),
            ("prod*", "my-prod", false),
            ("*prod*", "repo-production", true),
            ("*prod*", "prod-team", true),
            ("*test*1*2*3", "a-test-1-2-3", true),
            ("*test*1*2*3", "a-test-1-2-3-4", false),
            ("a*b*c", "abxbc", true),
            ("a.c", "abc", false),
            ("a?c", "abc", false),
            ("[a]", "a", false),
            ("", "a", false),
            ("**", "a", true),
            ("V*", "v1", false),
        ] {
            assert_eq!(Pattern(pattern).matches(tag), expected, "{pattern} {tag}");
        }
        assert!(Prefix("v").matches("v1") && !Prefix("v*").matches("v1") && !Prefix("v").matches("1v"));
    }

    #[test]
    fn one_within_the_other() {
        for (narrow, wide, expected) in [
            (Prefix("prod-a"), Prefix("prod"), true),
            (Prefix("prod"), Prefix("prod-a"), false),
            (Pattern("prod*"), Prefix("pro"), true),
            (Pattern("*prod"), Prefix("prod"), false),
            (Prefix("prod"), Pattern("prod*"), true),
            (Prefix("prod"), Pattern("prod"), false),
            (Prefix("prod"), Pattern("*"), true),
            (Pattern("a*b"), Pattern("a*"), true),
            (Pattern("a*"), Pattern("a*b"), false),
            (Pattern("a*b*c"), Pattern("a*c"), true),
            (Pattern("ac"), Pattern("a*c"), true),
        ] {
            assert_eq!(narrow.is_within(wide), expected, "{narrow:?} in {wide:?}");
        }
    }

    #[test]
    fn beginnings() {
        for (entry, expected) in [
            (Prefix("s"), true),
            (Prefix("src-0"), true),
            (Prefix("v"), false),
            (Pattern("*"), true),
            (Pattern("src-*"), true),
            (Pattern("src"), false),
            (Pattern("*-x"), true),
            (Pattern("prod*"), false),
        ] {
            assert_eq!(entry.can_match_beginning("src-"), expected, "{entry:?}");
        }
    }
}
