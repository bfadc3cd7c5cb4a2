use super::InvalidName;

/// The name of an ECR repository, namespaces included, as in `shop/web`.
///
/// 2 to 256 characters; path components of lower-case letters and digits, with `.`, `_`, `__` or any
/// number of `-` between them. Source: the `RepositoryName` shape of the ECR API model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

super::string_name!(RepositoryName);

impl std::str::FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |problem: &str| InvalidName::new(text, "a repository name", problem);
        if let Some(name) = name_in_uri(text) {
            return Err(invalid("it is a whole image URI")
                .with_hint(format!("write only the name, `{name}`; the host comes from `registry`")));
        }
        if text.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(
                invalid("it contains upper-case letters").with_hint(format!("write `{}`", text.to_ascii_lowercase()))
            );
        }
        if text.contains(':') || text.contains('@') {
            return Err(invalid("it carries a tag or a digest").with_hint("tags belong under `tags`, not in the name"));
        }
        if !(2..=256).contains(&text.len()) {
            return Err(invalid("it must have 2 to 256 characters"));
        }
        if let Some(component) = text.split('/').find(|component| !is_component(component)) {
            return Err(invalid(&if component.is_empty() {
                "it has an empty path component".to_owned()
            } else {
                format!(
                    "`{component}` must be lower-case letters and digits, with single `.`, `_`, `__` or `-` between them"
                )
            }));
        }
        Ok(RepositoryName(text.to_owned()))
    }
}

/// The repository's name inside a full image URI, if that is what the text is.
fn name_in_uri(text: &str) -> Option<&str> {
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let (host, rest) = bare.unwrap_or(text).split_once('/')?;
    let is_host = bare.is_some() || host.contains(':') || host.contains(".dkr.ecr") || host.contains(".amazonaws.");
    let name = rest.split('@').next()?.split(':').next()?;
    (is_host && !name.is_empty()).then_some(name)
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(alphanumeric) || !text.ends_with(alphanumeric) {
        return false;
    }
    text.split(alphanumeric)
        .all(|separator| matches!(separator, "" | "." | "_" | "__") || separator.chars().all(|c| c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> InvalidName {
        text.parse::<RepositoryName>().unwrap_err()
    }

    #[test]
    fn legal_names() {
        for text in ["web", "shop/web", "a--b", "a__b", "a.b/c_d/e-f", "0x", "ab1"] {
            assert!(text.parse::<RepositoryName>().is_ok(), "{text}");
        }
    }

    #[test]
    fn illegal_names() {
        for text in ["", "a", "a//b", "/web", "web/", "a..b", "a___b", "-a", "a-", "a b", &"a".repeat(257)] {
            assert!(text.parse::<RepositoryName>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_whole_uri_is_recognised() {
        let invalid = why("123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1.0");
        assert_eq!(invalid.hint(), Some("write only the name, `shop/web`; the host comes from `registry`"));
        assert!(why("https://example.com/web").hint().is_some());
        assert!(why("localhost:5000/web").to_string().ends_with("it is a whole image URI"));
    }

    #[test]
    fn upper_case_and_tags_get_their_own_hint() {
        assert_eq!(why("My-App").hint(), Some("write `my-app`"));
        assert_eq!(why("web:1.0").hint(), Some("tags belong under `tags`, not in the name"));
    }
}
