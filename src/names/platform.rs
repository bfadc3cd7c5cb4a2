use super::InvalidName;

/// The platform an image runs on, `os/architecture` with an optional `/variant`, as in `linux/arm64`.
///
/// Source: OCI image specification, "Image Index", the `platform` object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform(String);

super::string_name!(Platform);

impl Platform {
    /// The spelling that means the same wherever it comes from: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is
    /// `linux/arm/v7`, and the names that `uname` has for architectures are Go's.
    ///
    /// Source: containerd's platform normalisation, which Docker and BuildKit share.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let (os, architecture, variant) = self.split();
        let architecture = match architecture {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "i386" => "386",
            other => other,
        };
        match (architecture, variant) {
            ("arm64", "" | "v8" | "8") | ("amd64", "" | "v1") => Platform(format!("{os}/{architecture}")),
            ("arm", "" | "7") => Platform(format!("{os}/arm/v7")),
            (_, "") => Platform(format!("{os}/{architecture}")),
            (_, variant) => Platform(format!("{os}/{architecture}/{variant}")),
        }
    }

    /// Operating system, architecture and variant; the variant may be empty.
    pub fn split(&self) -> (&str, &str, &str) {
        let mut parts = self.0.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }
}

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
    fn spellings_of_one_platform() {
        let normal = |text: &str| text.parse::<Platform>().unwrap().normalized().to_string();
        assert_eq!(normal("linux/arm64/v8"), "linux/arm64");
        assert_eq!(normal("linux/aarch64"), "linux/arm64");
        assert_eq!(normal("linux/x86_64"), "linux/amd64");
        assert_eq!(normal("linux/arm"), "linux/arm/v7");
        assert_eq!(normal("linux/arm/v6"), "linux/arm/v6");
        assert_eq!(normal("linux/amd64/v3"), "linux/amd64/v3");
    }

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
