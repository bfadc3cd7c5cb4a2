//! The layers of an image that was pushed.

use crate::names::Digest;

/// One layer, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its digest, in the registry.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
}

impl Layer {
    /// The layers that a manifest lists, the lowest first; none for an index, or for what is no manifest.
    pub fn of(manifest: &[u8]) -> Vec<Layer> {
        let parsed: serde_json::Value = serde_json::from_slice(manifest).unwrap_or_default();
        let layer = |layer: &serde_json::Value| {
            let digest = layer.get("digest")?.as_str()?.parse().ok()?;
            Some(Layer { digest, size: layer.get("size")?.as_u64()? })
        };
        let layers = parsed.get("layers").and_then(serde_json::Value::as_array);
        layers.map(|layers| layers.iter().filter_map(layer).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_off_the_manifest() {
        let digest = Digest::of(b"layer");
        let read = |text: &str| Layer::of(text.as_bytes());
        let manifest =
            format!(r#"{{"config":{{}},"layers":[{{"digest":"{digest}","size":7}},{{"digest":"x","size":1}}]}}"#);
        assert_eq!(read(&manifest), [Layer { digest, size: 7 }]);
        assert_eq!(read(r#"{"manifests":[]}"#), []);
        assert_eq!(read("no JSON"), []);
    }
}
