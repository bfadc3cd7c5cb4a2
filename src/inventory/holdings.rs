//! All layers of a repository, each counted once.

use std::collections::HashMap;

use serde::Deserialize;

use super::packed::Packed;
use crate::lifecycle::{Image, ImageState, Moment};

/// A layer or a configuration, as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: String,
    /// In bytes, compressed.
    pub size: u64,
}

#[derive(Deserialize)]
struct Wire {
    config: Option<WireBlob>,
    #[serde(default)]
    layers: Vec<WireBlob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBlob {
    digest: String,
    size: u64,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    urls: Vec<String>,
}

/// What a manifest stores in its repository: its configuration and its layers, those left out that stay elsewhere. An
/// index stores nothing of its own; what is no manifest neither.
pub fn blobs(manifest: &str) -> Vec<Blob> {
    let Ok(wire) = serde_json::from_str::<Wire>(manifest) else { return Vec::new() };
    let all = wire.config.into_iter().chain(wire.layers);
    let here = all.filter(|blob| blob.urls.is_empty() || !blob.media_type.contains("foreign"));
    here.map(|blob| Blob { digest: blob.digest, size: blob.size }).collect()
}

/// One image, by the numbers of its blobs.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) digest: Packed,
    pub(super) pushed_at: Moment,
    pub(super) is_archived: bool,
    /// Of what ECR says of its size; for images whose manifest cannot be had.
    pub(super) listed: u64,
    pub(super) blobs: Box<[u32]>,
}

/// What a repository holds. Small enough for 100,000 images.
#[derive(Debug, Default)]
pub struct Holdings {
    numbers: HashMap<Packed, u32>,
    pub(super) sizes: Vec<u64>,
    pub(super) images: Vec<Held>,
    /// The sum of `imageSizeInBytes`, which counts shared layers again and again.
    pub listed: u64,
    /// Images whose manifest was not given, so that their layers are not known.
    pub unread: usize,
}

impl Holdings {
    /// Adds an image. Of what is archived there is no manifest; its size stands for its layers.
    pub fn add(&mut self, image: &Image, manifest: Option<&str>) {
        let listed = image.size.unwrap_or(0);
        self.listed = self.listed.saturating_add(listed);
        let is_archived = image.state == ImageState::Archived;
        if manifest.is_none() && !is_archived {
            self.unread += 1;
        }
        let blobs = manifest.map(blobs).unwrap_or_default();
        let numbers = blobs.iter().map(|blob| self.number(blob)).collect();
        self.images.push(Held {
            digest: Packed::of(&image.digest),
            pushed_at: image.pushed_at,
            is_archived,
            listed,
            blobs: numbers,
        });
    }

    fn number(&mut self, blob: &Blob) -> u32 {
        // Four billion layers are beyond what a repository may hold.
        let next = u32::try_from(self.sizes.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(Packed::of(&blob.digest)).or_insert(next);
        if number == next {
            self.sizes.push(blob.size);
        }
        number
    }

    /// How many images there are.
    pub fn count(&self) -> usize {
        self.images.len()
    }

    /// The bytes of these images' layers, each layer once; and of images without a manifest what ECR says.
    pub(super) fn bytes(&self, of: impl Fn(&Held) -> bool) -> u64 {
        let mut needed = vec![false; self.sizes.len()];
        let mut unread = 0u64;
        for image in self.images.iter().filter(|image| of(image)) {
            if image.is_archived {
                unread = unread.saturating_add(image.listed);
            }
            for number in &image.blobs {
                needed[*number as usize] = true;
            }
        }
        let sizes = self.sizes.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(size, _)| *size);
        sizes.fold(unread, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_stores() {
        let manifest = r#"{"config":{"digest":"sha256:c","size":1},"layers":[{"digest":"sha256:a","size":20},
            {"digest":"sha256:f","size":300,"mediaType":"x.foreign.y","urls":["https://x.example"]}]}"#;
        let sizes: Vec<u64> = blobs(manifest).into_iter().map(|blob| blob.size).collect();
        assert_eq!(sizes, [1, 20]);
        assert!(blobs(r#"{"manifests":[]}"#).is_empty());
        assert!(blobs("no").is_empty());
    }
}
