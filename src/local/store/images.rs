//! The images of a repository on disk: each manifest and each tag is a small file of its own, so that a push costs
//! the same in a repository of a hundred thousand images as in an empty one.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::MutexGuard;

use serde::{Deserialize, Serialize};

use crate::local::clock::Timestamp;
use crate::local::refusal::{Kind, Refusal};
use crate::local::store::files;
use crate::local::store::manifest::Manifest;
use crate::local::store::repository::{Contents, Repository};
use crate::names::{Digest, Tag};

const IMAGES: &str = "images";
const TAGS: &str = "tags";

/// The line above a manifest on disk.
#[derive(Serialize, Deserialize)]
struct Pushed {
    media_type: String,
    pushed_at: Timestamp,
}

/// A manifest on its way in.
pub struct Put<'a> {
    /// Its bytes, which are stored as they are.
    pub bytes: &'a [u8],
    /// What the sender says it is.
    pub media_type: Option<&'a str>,
    /// The tag that it gets.
    pub tag: Option<&'a Tag>,
    /// The digest that the sender expects.
    pub digest: Option<&'a str>,
}

/// A manifest that is in now.
pub struct Stored {
    /// Its digest.
    pub digest: Digest,
    /// What it was taken for.
    pub manifest: Manifest,
    /// It was there before, under this very tag.
    pub unchanged: bool,
}

impl Repository {
    /// Takes in a manifest, and puts a tag on it.
    ///
    /// # Errors
    /// Unless everything that it needs is in the repository and its tag may be written.
    pub fn put_image(&self, put: &Put<'_>, now: Timestamp) -> Result<Stored, Refusal> {
        let manifest = Manifest::read(put.bytes, put.media_type)
            .map_err(|problem| Refusal::new(Kind::InvalidManifest, problem))?;
        let digest = Digest::of(put.bytes);
        if let Some(expected) = put.digest.filter(|expected| *expected != digest.as_str()) {
            return Err(self.named.digest_mismatch(expected));
        }
        let mut contents = self.lock_for_writing()?;
        let missing = absent(&manifest.blobs, |layer| contents.index.layer(layer).is_some());
        if !missing.is_empty() {
            return Err(self.named.layers_missing(&missing));
        }
        let missing = absent(&manifest.children, |child| contents.index.image(child).is_some());
        if !missing.is_empty() {
            return Err(self.named.images_missing(&missing));
        }
        let known = contents.index.image(&digest).is_some();
        let tagged = put.tag.and_then(|tag| contents.index.tagged(tag));
        if known && (put.tag.is_none() || tagged == Some(&digest)) {
            return Ok(Stored { digest, manifest, unchanged: true });
        }
        if let (Some(tag), Some(_)) = (put.tag, tagged)
            && !contents.settings.mutability.may_move(tag)
        {
            return Err(self.named.tag_taken(tag));
        }
        if !known {
            let pushed = Pushed { media_type: manifest.media_type.clone(), pushed_at: now };
            let line = serde_json::to_vec(&pushed).map_err(io::Error::from)?;
            files::write_atomically(&self.image_file(&digest), &[&line, b"\n", put.bytes])?;
            contents.index.add_image(&digest, &manifest, now);
        }
        if let Some(tag) = put.tag {
            files::write_atomically(&self.tag_file(tag), &[digest.as_str().as_bytes()])?;
            contents.index.set_tag(tag, &digest);
        }
        Ok(Stored { digest, manifest, unchanged: false })
    }

    /// The bytes of a manifest.
    pub fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, Refusal> {
        let file = fs::read(self.image_file(digest))?;
        let (_, manifest) = split(&file)?;
        Ok(manifest.to_vec())
    }

    /// Removes a tag; the last one takes the image along. Returns the image's digest.
    ///
    /// # Errors
    /// If nothing has the tag, or the image would go although an index lists it.
    pub fn remove_tag(&self, tag: &Tag) -> Result<Digest, Refusal> {
        let mut contents = self.lock_for_writing()?;
        let digest = contents.index.tagged(tag).cloned().ok_or_else(image_not_found)?;
        if contents.index.image(&digest).is_some_and(|image| image.tags.len() == 1) {
            self.delete(&mut contents, &digest)?;
        } else {
            files::remove(&self.tag_file(tag))?;
            contents.index.remove_tag(tag);
        }
        Ok(digest)
    }

    /// Removes an image with all its tags, which are returned.
    ///
    /// # Errors
    /// If it is not there, or an index lists it.
    pub fn remove_image(&self, digest: &Digest) -> Result<Vec<Tag>, Refusal> {
        self.delete(&mut self.lock_for_writing()?, digest)
    }

    fn delete(&self, contents: &mut MutexGuard<'_, Contents>, digest: &Digest) -> Result<Vec<Tag>, Refusal> {
        let image = contents.index.image(digest).ok_or_else(image_not_found)?;
        let tags: Vec<Tag> = image.tags.iter().cloned().collect();
        let parents: Vec<&str> = contents.index.parents(digest).map(Digest::as_str).collect();
        if !parents.is_empty() {
            let message = format!("Requested image referenced by manifest list: [{}]", parents.join(", "));
            return Err(Refusal::new(Kind::ImageReferencedByManifestList, message));
        }
        let file = fs::read(self.image_file(digest))?;
        let (pushed, bytes) = split(&file)?;
        let manifest = Manifest::read(bytes, Some(&pushed.media_type)).map_err(damaged)?;
        for tag in &tags {
            files::remove(&self.tag_file(tag))?;
            contents.index.remove_tag(tag);
        }
        files::remove(&self.image_file(digest))?;
        let freed = contents.index.remove_image(digest, &manifest);
        self.release_layers(&freed)?;
        Ok(tags)
    }

    /// Reads all images and tags back from disk.
    pub fn load_images(&self) -> io::Result<()> {
        let mut contents = self.lock();
        for hex in files::names(&self.folder().join(IMAGES))? {
            let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() else { continue };
            let file = fs::read(self.image_file(&digest))?;
            let (pushed, bytes) = split(&file)?;
            let manifest = Manifest::read(bytes, Some(&pushed.media_type)).map_err(damaged)?;
            contents.index.add_image(&digest, &manifest, pushed.pushed_at);
        }
        for name in files::names(&self.folder().join(TAGS))? {
            let digest = fs::read_to_string(self.folder().join(TAGS).join(&name))?;
            if let (Ok(tag), Ok(digest)) = (name.parse(), digest.parse()) {
                contents.index.set_tag(&tag, &digest);
            }
        }
        Ok(())
    }

    fn image_file(&self, digest: &Digest) -> PathBuf {
        self.folder().join(IMAGES).join(digest.hex())
    }

    fn tag_file(&self, tag: &Tag) -> PathBuf {
        self.folder().join(TAGS).join(tag.as_str())
    }
}

/// There is no such image.
pub fn image_not_found() -> Refusal {
    Refusal::new(Kind::ImageNotFound, "Requested image not found")
}

fn absent(wanted: &[Digest], is_here: impl Fn(&Digest) -> bool) -> Vec<Digest> {
    wanted.iter().filter(|digest| !is_here(digest)).cloned().collect()
}

fn split(file: &[u8]) -> io::Result<(Pushed, &[u8])> {
    let end = file.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has one line only"))?;
    let pushed = serde_json::from_slice(&file[..end])?;
    Ok((pushed, &file[end + 1..]))
}

fn damaged(problem: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a stored image is damaged: {problem}"))
}
