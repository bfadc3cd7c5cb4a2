use super::InvalidName;

/// An image tag: at most 128 characters of `[A-Za-z0-9_.-]`, the first neither `.` nor `-`.
///
/// Source: OCI distribution specification, "Pulling manifests". ECR's own limit of 300 characters
/// is wider, so this grammar is the binding one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

super::string_name!(Tag);

impl Tag {
    /// The longest legal tag, in characters.
    pub const MAX_LENGTH: usize = 128;
}

impl std::str::FromStr for Tag {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |problem: String| InvalidName::new(text, "an image tag", problem);
        if text.is_empty() {
            return Err(invalid("it is empty".into()));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-')) {
            return Err(invalid(format!("it contains {odd:?}; letters, digits, `_`, `.` and `-` are allowed")));
        }
        if text.starts_with(['.', '-']) {
            return Err(invalid("it starts with `.` or `-`".into()));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(invalid(format!("it has {} characters, the limit is {}", text.len(), Self::MAX_LENGTH)));
        }
        Ok(Tag(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_tags() {
        for text in ["1.2.3", "_x", "latest", "V1", "a..b--c", &"a".repeat(128)] {
            assert_eq!(text.parse::<Tag>().map(|tag| tag.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn illegal_tags_say_why() {
        let why = |text: &str| text.parse::<Tag>().unwrap_err().to_string();
        assert_eq!(why(""), "`` is not an image tag: it is empty");
        assert_eq!(why("-a"), "`-a` is not an image tag: it starts with `.` or `-`");
        assert_eq!(
            why("a/b"),
            "`a/b` is not an image tag: it contains '/'; letters, digits, `_`, `.` and `-` are allowed"
        );
        assert!(why(&"a".repeat(129)).ends_with("it has 129 characters, the limit is 128"));
    }
}
