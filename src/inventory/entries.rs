//! What an index lists.

use serde::Deserialize;

/// A manifest that an index lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its digest.
    pub digest: String,
    /// As in `linux/arm64`, where the index says and it is an image for one.
    pub platform: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    manifests: Vec<WireEntry>,
}

#[derive(Deserialize)]
struct WireEntry {
    digest: String,
    platform: Option<WirePlatform>,
}

#[derive(Deserialize)]
struct WirePlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

/// All that an index lists, attestations too; nothing where the text is no index.
pub fn entries(manifest: &str) -> Option<Vec<Entry>> {
    let wire: Wire = serde_json::from_str(manifest).ok()?;
    let one = |entry: WireEntry| Entry { digest: entry.digest, platform: entry.platform.and_then(named) };
    Some(wire.manifests.into_iter().map(one).collect())
}

/// BuildKit's attestations are for `unknown/unknown`. Source: BuildKit, "Attestation storage".
fn named(platform: WirePlatform) -> Option<String> {
    let WirePlatform { os, architecture, variant } = platform;
    if os.is_empty() || os == "unknown" {
        return None;
    }
    Some(match variant.filter(|variant| !variant.is_empty()) {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed() {
        let index = r#"{"manifests":[{"digest":"sha256:a","platform":{"os":"linux","architecture":"arm","variant":"v7"}},
            {"digest":"sha256:b","platform":{"os":"unknown","architecture":"unknown"}},{"digest":"sha256:c"}]}"#;
        let listed = entries(index).unwrap();
        let told: Vec<_> = listed.iter().map(|entry| (entry.digest.as_str(), entry.platform.as_deref())).collect();
        assert_eq!(told, [("sha256:a", Some("linux/arm/v7")), ("sha256:b", None), ("sha256:c", None)]);
        assert_eq!(entries(r#"{"layers":[]}"#), None);
        assert_eq!(entries("no"), None);
    }
}
