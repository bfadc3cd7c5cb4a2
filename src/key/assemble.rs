//! From what was seen of each image to the keys of all, dependencies first.

use std::collections::BTreeMap;

use super::ContentKey;
use super::parts::KeyParts;
use super::record::KeyRecord;
use crate::names::{ImageRef, Platform};

/// The image that another stands on: its layers are the first of the other's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// By its digest, which may be that of an index.
    pub image: ImageRef,
    /// Which image of the index it is.
    pub platform: Platform,
}

/// What was found out about one image.
#[derive(Debug, Clone)]
pub struct ImageInputs {
    /// Its key in the pipeline file.
    pub name: String,
    /// Its parts, but for the keys of other images.
    pub parts: KeyParts,
    /// The images that it depends on.
    pub depends_on: Vec<String>,
    /// Its named contexts that are images of the pipeline: name to image.
    pub contexts: BTreeMap<String, String>,
    /// Inputs that could not be determined, each as a reason.
    pub unknowable: Vec<String>,
    /// The image that it is built on in the end, if that is known.
    pub base: Option<BaseImage>,
}

/// The key of one image, and what is to be kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageKey {
    /// The image's key in the pipeline file.
    pub name: String,
    /// The content key, or why there is none.
    pub key: Result<ContentKey, AlwaysBuild>,
    /// What went into it.
    pub record: KeyRecord,
    /// The image that it is built on in the end, if that is known.
    pub base: Option<BaseImage>,
}

/// An image whose inputs cannot all be determined, so that it is built every time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlwaysBuild {
    /// Why.
    pub reason: String,
}

/// The keys of all images, in the order in which they come: each image after those that it depends on.
///
/// An image that depends on one without a key, or on one that does not come before it, has none either.
pub fn assemble(images: Vec<ImageInputs>) -> Vec<ImageKey> {
    let mut keys: Vec<ImageKey> = Vec::with_capacity(images.len());
    for image in images {
        let mut parts = image.parts;
        let mut reason = image.unknowable.into_iter().next();
        let mut key_of = |name: &String| match keys.iter().find(|known| known.name == *name).map(|known| &known.key) {
            Some(Ok(key)) => Some(key.clone()),
            Some(Err(_)) | None => {
                reason.get_or_insert_with(|| format!("image `{name}`, which it depends on, is always built"));
                None
            }
        };
        parts.dependencies = image.depends_on.iter().filter_map(|name| Some((name.clone(), key_of(name)?))).collect();
        let contexts = image.contexts.iter();
        parts.contexts = contexts.filter_map(|(name, image)| Some((name.clone(), key_of(image)?))).collect();
        let key = match reason {
            None => Ok(ContentKey::of(&parts)),
            Some(reason) => Err(AlwaysBuild { reason }),
        };
        let record = KeyRecord::of(&parts, key.as_ref().ok());
        keys.push(ImageKey { name: image.name, key, record, base: image.base });
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::parts::tests::parts;

    fn image(name: &str, depends_on: &[&str]) -> ImageInputs {
        ImageInputs {
            name: name.into(),
            parts: parts(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            contexts: BTreeMap::new(),
            unknowable: Vec::new(),
            base: None,
        }
    }

    #[test]
    fn a_dependency_s_key_enters_that_of_its_dependents() {
        let before = assemble(vec![image("web", &[]), image("worker", &["web"])]);
        let mut web = image("web", &[]);
        web.parts.target = Some("x".into());
        let after = assemble(vec![web, image("worker", &["web"])]);
        assert_ne!(before[0].key, after[0].key);
        assert_ne!(before[1].key, after[1].key);
        assert_ne!(before[0].key, before[1].key);
        assert_eq!(before[1].record.dependencies["web"], before[0].key.clone().unwrap());
    }

    #[test]
    fn whoever_depends_on_an_image_without_a_key_has_none() {
        let mut web = image("web", &[]);
        web.unknowable.push("it adds https://example.com/x".into());
        let keys = assemble(vec![web, image("worker", &["web"]), image("other", &[])]);
        assert_eq!(keys[0].key.as_ref().unwrap_err().reason, "it adds https://example.com/x");
        assert_eq!(keys[1].key.as_ref().unwrap_err().reason, "image `web`, which it depends on, is always built");
        assert!(keys[2].key.is_ok());
    }
}
