//! What a repository holds, in memory: images, tags, layers, and who refers to whom.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::local::clock::Timestamp;
use crate::local::store::manifest::Manifest;
use crate::names::{Digest, Tag};

/// What is known of one image without reading its manifest again.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The digest of the manifest's bytes.
    pub digest: Digest,
    /// The manifest's media type.
    pub media_type: String,
    /// See [`Manifest::artifact_type`].
    pub artifact_type: Option<String>,
    /// The sum of its own layers and configuration, in bytes.
    pub own_size: u64,
    /// The manifests that it lists.
    pub children: Vec<Digest>,
    /// The image that it is about.
    pub subject: Option<Digest>,
    /// When it came.
    pub pushed_at: Timestamp,
    /// Its tags.
    pub tags: BTreeSet<Tag>,
}

#[derive(Debug, Clone, Copy)]
struct Layer {
    size: u64,
    /// How many images of the repository need it.
    uses: usize,
}

/// The index of one repository. It knows nothing of files.
#[derive(Debug, Default)]
pub struct Index {
    images: BTreeMap<Digest, Image>,
    tags: BTreeMap<Tag, Digest>,
    layers: HashMap<Digest, Layer>,
    parents: HashMap<Digest, BTreeSet<Digest>>,
    referrers: HashMap<Digest, BTreeSet<Digest>>,
}

impl Index {
    /// The image with this digest.
    pub fn image(&self, digest: &Digest) -> Option<&Image> {
        self.images.get(digest)
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// All images in the order of their digests, beginning with this one.
    pub fn images_from(&self, first: Option<&Digest>) -> impl Iterator<Item = &Image> {
        let start = first.map_or(Bound::Unbounded, Bound::Included);
        self.images.range((start, Bound::Unbounded)).map(|(_, image)| image)
    }

    /// The digest that a tag names.
    pub fn tagged(&self, tag: &Tag) -> Option<&Digest> {
        self.tags.get(tag)
    }

    /// All tags in their order, beginning after this one.
    pub fn tags_after(&self, last: Option<&Tag>) -> impl Iterator<Item = &Tag> {
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        self.tags.range((start, Bound::Unbounded)).map(|(tag, _)| tag)
    }

    /// The size of a layer in bytes, if the repository holds it.
    pub fn layer(&self, digest: &Digest) -> Option<u64> {
        self.layers.get(digest).map(|layer| layer.size)
    }

    /// Whether an image of the repository needs this layer.
    pub fn is_layer_used(&self, digest: &Digest) -> bool {
        self.layers.get(digest).is_some_and(|layer| layer.uses > 0)
    }

    /// All layers.
    pub fn layers(&self) -> impl Iterator<Item = &Digest> {
        self.layers.keys()
    }

    /// The indexes that list this image.
    pub fn parents(&self, digest: &Digest) -> impl Iterator<Item = &Digest> {
        self.parents.get(digest).into_iter().flatten()
    }

    /// The images that are about this one, which need not be here.
    pub fn referrers(&self, subject: &Digest) -> impl Iterator<Item = &Digest> {
        self.referrers.get(subject).into_iter().flatten()
    }

    /// The image's size in bytes; for an index that of its largest child. Source: ECR API model, `ImageDetail`.
    pub fn size(&self, image: &Image) -> u64 {
        let children = image.children.iter().filter_map(|child| self.images.get(child));
        children.map(|child| child.own_size).max().unwrap_or(image.own_size)
    }

    /// The repository holds this layer from now on.
    pub fn add_layer(&mut self, digest: Digest, size: u64) {
        self.layers.entry(digest).or_insert(Layer { size, uses: 0 });
    }

    /// The repository holds this image from now on; one that it held before is left as it is.
    pub fn add_image(&mut self, digest: &Digest, manifest: &Manifest, pushed_at: Timestamp) {
        if self.images.contains_key(digest) {
            return;
        }
        for layer in &manifest.blobs {
            if let Some(layer) = self.layers.get_mut(layer) {
                layer.uses += 1;
            }
        }
        for child in &manifest.children {
            self.parents.entry(child.clone()).or_default().insert(digest.clone());
        }
        if let Some(subject) = &manifest.subject {
            self.referrers.entry(subject.clone()).or_default().insert(digest.clone());
        }
        let image = Image {
            digest: digest.clone(),
            media_type: manifest.media_type.clone(),
            artifact_type: manifest.artifact_type.clone(),
            own_size: manifest.size,
            children: manifest.children.clone(),
            subject: manifest.subject.clone(),
            pushed_at,
            tags: BTreeSet::new(),
        };
        self.images.insert(digest.clone(), image);
    }

    /// The tag names this image from now on, and no other.
    pub fn set_tag(&mut self, tag: &Tag, digest: &Digest) {
        self.remove_tag(tag);
        if let Some(image) = self.images.get_mut(digest) {
            image.tags.insert(tag.clone());
            self.tags.insert(tag.clone(), digest.clone());
        }
    }

    /// The tag names nothing from now on.
    pub fn remove_tag(&mut self, tag: &Tag) {
        let before = self.tags.remove(tag);
        if let Some(image) = before.and_then(|digest| self.images.get_mut(&digest)) {
            image.tags.remove(tag);
        }
    }

    /// Forgets an image with its tags, and returns the layers that no image needs any more; they are forgotten too.
    pub fn remove_image(&mut self, digest: &Digest, manifest: &Manifest) -> Vec<Digest> {
        let Some(image) = self.images.remove(digest) else { return Vec::new() };
        for tag in &image.tags {
            self.tags.remove(tag);
        }
        for child in &image.children {
            withdraw(&mut self.parents, child, digest);
        }
        if let Some(subject) = &image.subject {
            withdraw(&mut self.referrers, subject, digest);
        }
        let mut freed = Vec::new();
        for blob in &manifest.blobs {
            let Some(layer) = self.layers.get_mut(blob) else { continue };
            layer.uses = layer.uses.saturating_sub(1);
            if layer.uses == 0 {
                self.layers.remove(blob);
                freed.push(blob.clone());
            }
        }
        freed
    }
}

fn withdraw(map: &mut HashMap<Digest, BTreeSet<Digest>>, from: &Digest, digest: &Digest) {
    if let Some(set) = map.get_mut(from) {
        set.remove(digest);
        if set.is_empty() {
            map.remove(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(index: &mut Index, layers: &[&str], children: &[&Digest]) -> (Digest, Manifest) {
        let manifest = Manifest {
            media_type: "m".into(),
            artifact_type: None,
            blobs: layers.iter().map(|layer| Digest::of(layer.as_bytes())).collect(),
            size: layers.iter().map(|layer| layer.len() as u64).sum(),
            children: children.iter().map(|child| (*child).clone()).collect(),
            subject: None,
            annotations: None,
        };
        for layer in layers {
            index.add_layer(Digest::of(layer.as_bytes()), layer.len() as u64);
        }
        let digest = Digest::of(format!("{manifest:?}").as_bytes());
        index.add_image(&digest, &manifest, Timestamp::from_seconds(0));
        (digest, manifest)
    }

    #[test]
    fn a_tag_moves_and_leaves_its_image_untagged() {
        let mut index = Index::default();
        let tag: Tag = "latest".parse().unwrap();
        let (first, _) = image(&mut index, &["a"], &[]);
        let (second, _) = image(&mut index, &["b"], &[]);
        index.set_tag(&tag, &first);
        index.set_tag(&tag, &second);
        assert_eq!(index.tagged(&tag), Some(&second));
        assert!(index.image(&first).unwrap().tags.is_empty());
        assert_eq!(index.image(&second).unwrap().tags.iter().collect::<Vec<_>>(), [&tag]);
    }

    #[test]
    fn shared_layers_go_with_their_last_image() {
        let mut index = Index::default();
        let (first, manifest) = image(&mut index, &["shared", "first"], &[]);
        let (second, other) = image(&mut index, &["shared", "second"], &[]);
        assert_eq!(index.remove_image(&first, &manifest), [Digest::of(b"first")]);
        assert!(index.is_layer_used(&Digest::of(b"shared")));
        assert_eq!(index.remove_image(&second, &other).len(), 2);
        assert_eq!(index.layers().count(), 0);
    }

    #[test]
    fn an_index_is_as_large_as_its_largest_child() {
        let mut index = Index::default();
        let (small, _) = image(&mut index, &["ab"], &[]);
        let (large, _) = image(&mut index, &["abcdef"], &[]);
        let (both, manifest) = image(&mut index, &[], &[&small, &large]);
        assert_eq!(index.size(index.image(&both).unwrap()), 6);
        assert_eq!(index.parents(&small).collect::<Vec<_>>(), [&both]);
        index.remove_image(&both, &manifest);
        assert_eq!(index.parents(&small).count(), 0);
    }
}
