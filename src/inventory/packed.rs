//! Digests in little memory: a repository may hold 100,000 images of a dozen layers each.

use crate::names::Digest;

/// What stands for a digest. Of two different ones it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Packed([u8; 32]);

impl Packed {
    pub(super) fn of(digest: &str) -> Self {
        let mut bytes = [0; 32];
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.is_ascii());
        let digits = |hex: &str| {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
            }
            Some(Packed(bytes))
        };
        // Of another algorithm, or none: its own digest is as good a name.
        hex.and_then(digits).unwrap_or_else(|| Packed::of(Digest::of(digest.as_bytes()).as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_digests_stay_different() {
        let all =
            [format!("sha256:{}", "0".repeat(64)), format!("sha256:{}", "f".repeat(64)), "sha256:a".into(), "b".into()];
        let packed: std::collections::HashSet<Packed> = all.iter().map(|digest| Packed::of(digest)).collect();
        assert_eq!(packed.len(), all.len());
        assert_eq!(Packed::of(&all[1]), Packed([0xff; 32]));
    }
}
