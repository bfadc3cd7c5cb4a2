//! What an image is made of, by both names that a layer has: its blob's digest, and that of its uncompressed bytes.

use serde_json::Value;

use super::client::{RegistryClient, Request};
use super::{answer, image::parsed};
use crate::execute::ports::{Credential, Failure, Layer, Manifest, ServiceError};
use crate::names::{Digest, ImageRef, Platform};

impl RegistryClient {
    /// The layers of an image, the lowest first; of an index those of its image for this platform.
    pub(super) async fn read_layers(
        &self,
        image: &ImageRef,
        platform: Option<&Platform>,
        credential: Option<&Credential>,
    ) -> Result<Vec<Layer>, ServiceError> {
        let mut manifest = self.fetch(image, credential).await?;
        let odd = |cause: String| ServiceError {
            failure: Failure::Unexpected,
            doing: format!("read what {image} is made of"),
            cause,
        };
        if let Some(child) = child(&manifest, platform) {
            let child = child.ok_or_else(|| odd(format!("{image} has no image for this platform")))?;
            manifest = self.fetch(&ImageRef::digested(&image.host, &image.repository, &child), credential).await?;
        }
        let blobs = manifest.layers();
        let config = parsed(&manifest).pointer("/config/digest").and_then(Value::as_str).unwrap_or_default().to_owned();
        let digest: Digest = config.parse().map_err(|_| odd("its manifest names no configuration".into()))?;
        let config: Value = serde_json::from_slice(&self.read_config(image, &digest, credential).await?)
            .map_err(|error| odd(error.to_string()))?;
        let ids = config.pointer("/rootfs/diff_ids").and_then(Value::as_array).into_iter().flatten();
        let ids: Option<Vec<Digest>> = ids.map(|id| id.as_str()?.parse().ok()).collect();
        match ids {
            Some(ids) if ids.len() == blobs.len() => {
                Ok(ids.into_iter().zip(blobs).map(|(diff_id, blob)| Layer { diff_id, blob }).collect())
            }
            _ => Err(odd("its manifest and its configuration do not name the same layers".into())),
        }
    }

    /// The configuration of an image, held against its digest.
    async fn read_config(
        &self,
        image: &ImageRef,
        digest: &Digest,
        credential: Option<&Credential>,
    ) -> Result<Vec<u8>, ServiceError> {
        let request = Request {
            method: reqwest::Method::GET,
            repository: &image.repository,
            path: format!("blobs/{digest}"),
            accept: None,
            body: None,
            doing: format!("read the configuration of {image}"),
        };
        let response = self.send(&request, credential).await?;
        if !response.status().is_success() {
            return Err(answer::refused(response, image, &request.doing).await);
        }
        let bytes = self.read_small(response, &request.doing).await?;
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(ServiceError {
                failure: Failure::Unexpected,
                doing: request.doing,
                cause: format!("the registry sent {found}"),
            }),
        }
    }
}

/// `None` if the manifest is that of one image; else the one for this platform, if the index has it. Without a platform it
/// is the first.
fn child(manifest: &Manifest, platform: Option<&Platform>) -> Option<Option<Digest>> {
    let index = parsed(manifest);
    let entries = index.get("manifests")?.as_array()?;
    let fits = |entry: &&Value| {
        let Some(wanted) = platform else { return true };
        let word = |name: &str| entry.pointer(&format!("/platform/{name}")).and_then(Value::as_str).unwrap_or_default();
        let (os, architecture, variant) = (word("os"), word("architecture"), word("variant"));
        let text =
            if variant.is_empty() { format!("{os}/{architecture}") } else { format!("{os}/{architecture}/{variant}") };
        text.parse::<Platform>().is_ok_and(|found| found.normalized() == wanted.normalized())
    };
    Some(entries.iter().find(fits).and_then(|entry| entry.get("digest")?.as_str()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_image_for_a_platform() {
        let digest = |name: &str| Digest::of(name.as_bytes());
        let entry = |name: &str, platform: Value| json!({ "digest": digest(name), "size": 1, "platform": platform });
        let bytes = json!({ "manifests": [
            entry("a", json!({ "os": "linux", "architecture": "amd64" })),
            entry("b", json!({ "os": "linux", "architecture": "arm64", "variant": "v8" })),
            entry("c", json!({ "os": "unknown", "architecture": "unknown" })),
        ] });
        let bytes = bytes.to_string().into_bytes();
        let index = Manifest { digest: Digest::of(&bytes), media_type: String::new(), bytes };
        let find = |text: &str| child(&index, Some(&text.parse().unwrap()));
        assert_eq!(find("linux/arm64"), Some(Some(digest("b"))));
        assert_eq!(find("linux/x86_64"), Some(Some(digest("a"))));
        assert_eq!(find("linux/riscv64"), Some(None));
        assert_eq!(child(&index, None), Some(Some(digest("a"))));
        let image = Manifest { bytes: b"{\"layers\":[]}".to_vec(), ..index };
        assert_eq!(child(&image, None), None);
    }
}
