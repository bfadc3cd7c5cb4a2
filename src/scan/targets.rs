//! Which of an image's manifests are scanned: an index itself cannot be.

use serde::Deserialize;

use crate::names::Digest;

/// What a manifest is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// One image.
    Image,
    /// Several, each for a platform; attestations are left out.
    Index(Vec<Child>),
}

/// One image of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its digest.
    pub digest: Digest,
    /// As in `linux/arm64`, where the index says.
    pub platform: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    manifests: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    digest: Digest,
    platform: Option<WirePlatform>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WirePlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

/// Reads a manifest. Attestations are known by their platform, `unknown/unknown`, or by their annotation. Source:
/// BuildKit, "Attestation storage".
///
/// # Errors
/// In words, if it cannot be read.
pub fn contents(manifest: &[u8]) -> Result<Contents, String> {
    let wire: Wire = serde_json::from_slice(manifest).map_err(|error| error.to_string())?;
    let Some(entries) = wire.manifests else { return Ok(Contents::Image) };
    let images = entries.into_iter().filter(|entry| {
        let unknown = entry.platform.as_ref().is_some_and(|it| it.os == "unknown" && it.architecture == "unknown");
        !unknown && !entry.annotations.contains_key("vnd.docker.reference.type")
    });
    let children = images.map(|entry| Child {
        digest: entry.digest,
        platform: entry.platform.map(|WirePlatform { os, architecture, variant }| match variant {
            Some(variant) if !variant.is_empty() => format!("{os}/{architecture}/{variant}"),
            _ => format!("{os}/{architecture}"),
        }),
    });
    Ok(Contents::Index(children.collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attestations_are_left_out() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let index = json!({ "manifests": [
            { "digest": digest("amd"), "platform": { "os": "linux", "architecture": "amd64" } },
            { "digest": digest("arm"), "platform": { "os": "linux", "architecture": "arm", "variant": "v7" } },
            { "digest": digest("one"), "platform": { "os": "unknown", "architecture": "unknown" } },
            { "digest": digest("two"), "annotations": { "vnd.docker.reference.type": "attestation-manifest" } },
        ]});
        let expected = [("amd", "linux/amd64"), ("arm", "linux/arm/v7")]
            .map(|(name, platform)| Child { digest: digest(name), platform: Some(platform.to_owned()) });
        assert_eq!(contents(index.to_string().as_bytes()), Ok(Contents::Index(expected.to_vec())));
        assert_eq!(contents(br#"{"layers":[]}"#), Ok(Contents::Image));
        assert!(contents(b"{").is_err());
    }
}
