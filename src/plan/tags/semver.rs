//! Semantic versions, as strictly as node-semver reads them.

use semver::{BuildMetadata, Version};

use super::template::{Arguments, Scope, Value};

/// The longest text that is a version, in characters. Source: node-semver, "Functions".
const LONGEST: usize = 256;

/// The largest number in a version: 2^53 - 1, the largest that JavaScript counts exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// A version, and the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SemanticVersion {
    raw: String,
    /// Without build metadata.
    pub version: Version,
    build: BuildMetadata,
}

/// Reads a version with at most one lower-case `v` before it.
pub(super) fn parse(text: &str) -> Option<SemanticVersion> {
    if text.chars().count() > LONGEST {
        return None;
    }
    let trimmed = text.trim();
    let mut version = Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed)).ok()?;
    if version.major > LARGEST || version.minor > LARGEST || version.patch > LARGEST {
        return None;
    }
    let build = std::mem::take(&mut version.build);
    Some(SemanticVersion { raw: text.to_owned(), version, build })
}

impl SemanticVersion {
    /// It comes before a release.
    pub fn is_pre_release(&self) -> bool {
        !self.version.pre.is_empty()
    }
}

/// What a pattern can name: the fields of node-semver's version.
impl Scope for SemanticVersion {
    fn value(&self, name: &str, arguments: &Arguments) -> Result<Option<Value>, String> {
        let known = match name {
            "raw" => Value::Text(self.raw.clone()),
            "version" => Value::Text(self.version.to_string()),
            "major" => Value::Number(self.version.major.to_string()),
            "minor" => Value::Number(self.version.minor.to_string()),
            "patch" => Value::Number(self.version.patch.to_string()),
            "prerelease" => Value::Text(self.version.pre.replace('.', ",")),
            "build" => Value::Text(self.build.replace('.', ",")),
            "loose" => Value::Bool(true),
            "includePrerelease" => Value::Bool(false),
            "options" => Value::Object,
            _ => return Ok(None),
        };
        if !arguments.values.is_empty() || !arguments.pairs.is_empty() {
            return Err(format!("`{name}` takes no arguments"));
        }
        Ok(Some(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_strict_as_node_semver() {
        for text in ["1.2.3", "v1.2.3", "1.2.3-rc.1+build.5", "0.0.0", "9007199254740991.0.0", "1.0.0-x-y-z.--"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["", "v", "V1.2.3", "=1.2.3", "vv1.2.3", "1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-beta_1"] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse("9007199254740992.0.0").is_none());
        assert!(parse(&format!("1.2.3-{}", "a".repeat(250))).is_some());
        assert!(parse(&format!("1.2.3-{}", "a".repeat(251))).is_none());
    }
}
