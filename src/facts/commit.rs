use std::fmt;

use serde::Serialize;

/// A git commit's full hash, 40 or 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    /// The commit, if the text is a full hash; CI variables often hold something else under the same name.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (matches!(text.len(), 40 | 64) && hexadecimal).then(|| Commit(text.to_owned()))
    }

    /// The whole hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 7 digits, the length that docker/metadata-action uses.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits() {
        assert!(Commit::parse(&"0".repeat(64)).is_some());
        for text in ["HEAD", "", "main", &"A".repeat(40), &"a".repeat(41)] {
            assert_eq!(Commit::parse(text), None, "{text}");
        }
    }
}
