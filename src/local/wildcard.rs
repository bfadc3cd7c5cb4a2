//! Patterns in which `*` stands for any run of characters.

/// Whether the whole text matches the pattern, in which `*` stands for any run of characters, even none.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    // The first place for the piece after a star is as good as any later one.
    match rest.split_once('*') {
        None => text.ends_with(rest),
        Some((middle, _)) => {
            text.find(middle).is_some_and(|at| matches(&rest[middle.len()..], &text[at + middle.len()..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("prod", "prod", true),
            ("prod", "prod1", false),
            ("prod*", "prod", true),
            ("prod*", "production-1", true),
            ("prod*", "xprod", false),
            ("*prod", "repo-prod", true),
            ("*prod", "prodprod", true),
            ("*prod", "prod-x", false),
            ("*prod*", "a-prod-b", true),
            ("v*-rc*", "v1.2-rc1", true),
            ("v*-rc*", "v1.2", false),
            ("a*a", "a", false),
            ("**", "anything", true),
            ("1.2", "1x2", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
