use super::InvalidName;

/// The platform an image runs on, `os/architecture` with an optional `/variant`, as in `linux/arm64`.
///
/// Source: OCI image specification, "Image Index", the `platform` object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform(String);

super::string_name!(Platform);

impl std::str::FromStr for Platform {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
        };
        if matches!(parts.len(), 2 | 3) && parts.iter().all(word) {
            return Ok(Platform(text.to_owned()));
        }
        Err(InvalidName::new(text, "a platform", "a platform looks like `linux/amd64` or `linux/arm/v7`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms() {
        for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
            assert!(text.parse::<Platform>().is_ok(), "{text}");
        }
        for text in ["", "linux", "linux/", "Linux/amd64", "a/b/c/d"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
