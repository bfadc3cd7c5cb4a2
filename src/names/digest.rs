use super::InvalidName;

/// A content digest, `sha256:` and 64 lower-case hexadecimal digits.
///
/// Source: OCI image specification, "Digests". ECR stores `sha256` digests only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

super::string_name!(Digest);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_sha256(sha2::Sha256::digest(bytes).into())
    }

    /// The digest whose hash has been computed already, for content that is streamed.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        use std::fmt::Write as _;
        hash.iter().fold(Digest("sha256:".to_owned()), |mut digest, byte| {
            // Writing to a String cannot fail.
            let _ = write!(digest.0, "{byte:02x}");
            digest
        })
    }

    /// The 64 hexadecimal digits without the algorithm.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// The form for people: the algorithm and the first 12 digits.
    pub fn short(&self) -> &str {
        &self.0[.."sha256:".len() + 12]
    }
}

impl std::str::FromStr for Digest {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |problem: &str| InvalidName::new(text, "a digest", problem);
        let hex = text.strip_prefix("sha256:").ok_or_else(|| invalid("it does not start with `sha256:`"))?;
        if hex.len() != 64 {
            return Err(invalid("a sha256 digest has 64 hexadecimal digits"));
        }
        if !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid("a sha256 digest has lower-case hexadecimal digits only"));
        }
        Ok(Digest(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_known_bytes() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.as_str(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.short(), "sha256:ba7816bf8f01");
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn what_is_no_digest() {
        for text in ["", "sha256:abc", "md5:00", &format!("sha256:{}", "A".repeat(64))] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
