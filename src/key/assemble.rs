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
    /// What it is on each platform; at least one.
    pub platforms: Vec<PlatformInputs>,
    /// Its manifest is an index, also of a single platform.
    pub is_index: bool,
    /// The images that it depends on.
    pub depends_on: Vec<String>,
    /// Its named contexts that are images of the pipeline: name to image.
    pub contexts: BTreeMap<String, String>,
}

/// What was found out about one platform of an image.
#[derive(Debug, Clone)]
pub struct PlatformInputs {
    /// Its parts, but for the keys of other images.
    pub parts: KeyParts,
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
    /// What went into it; of an index, what went into its first image.
    pub record: KeyRecord,
    /// Of an index, the keys of its images.
    pub platforms: Vec<PlatformKey>,
    /// The image that it is built on in the end, if that is known; of an index, what its first image is built on.
    pub base: Option<BaseImage>,
}

impl ImageKey {
    /// The key of what it is on this platform: an image that is built upon it takes no more of it.
    fn on(&self, platform: &Platform) -> Option<&ContentKey> {
        let part = self.platforms.iter().find(|part| part.platform == *platform);
        part.map_or(&self.key, |part| &part.key).as_ref().ok()
    }
}

/// The key of one platform of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformKey {
    /// The platform.
    pub platform: Platform,
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
        let mut platforms = Vec::with_capacity(image.platforms.len());
        for PlatformInputs { mut parts, unknowable, base } in image.platforms {
            let mut reason = unknowable.into_iter().next();
            let platform = parts.platform.clone();
            let mut key_of = |name: &String| {
                let known = keys.iter().find(|known| known.name == *name).and_then(|known| known.on(&platform));
                if known.is_none() {
                    reason.get_or_insert_with(|| format!("image `{name}`, which it depends on, is always built"));
                }
                known.cloned()
            };
            parts.dependencies =
                image.depends_on.iter().filter_map(|name| Some((name.clone(), key_of(name)?))).collect();
            let contexts = image.contexts.iter();
            parts.contexts = contexts.filter_map(|(name, image)| Some((name.clone(), key_of(image)?))).collect();
            let key = match reason {
                None => Ok(ContentKey::of(&parts)),
                Some(reason) => Err(AlwaysBuild { reason }),
            };
            let record = KeyRecord::of(&parts, key.as_ref().ok());
            platforms.push(PlatformKey { platform: parts.platform, key, record, base });
        }
        keys.extend(of_image(image.name, platforms, image.is_index));
    }
    keys
}

/// The key of the image of these platforms. An index has a key of its own, which follows from theirs.
fn of_image(name: String, mut platforms: Vec<PlatformKey>, is_index: bool) -> Option<ImageKey> {
    if platforms.len() == 1 && !is_index {
        let PlatformKey { key, record, base, .. } = platforms.pop()?;
        return Some(ImageKey { name, key, record, platforms, base });
    }
    let keys = platforms.iter().map(|part| Ok((part.platform.clone(), part.key.clone()?)));
    let key = keys.collect::<Result<BTreeMap<_, _>, _>>().map(|keys| ContentKey::of_index(&keys));
    let record = KeyRecord { key: key.as_ref().ok().cloned(), ..platforms.first()?.record.clone() };
    let base = platforms.first()?.base.clone();
    Some(ImageKey { name, key, record, platforms, base })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::parts::tests::parts;

    fn image(name: &str, depends_on: &[&str]) -> ImageInputs {
        ImageInputs {
            name: name.into(),
            platforms: vec![PlatformInputs { parts: parts(), unknowable: Vec::new(), base: None }],
            is_index: false,
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            contexts: BTreeMap::new(),
        }
    }

    #[test]
    fn a_dependency_s_key_enters_that_of_its_dependents() {
        let before = assemble(vec![image("web", &[]), image("worker", &["web"])]);
        let mut web = image("web", &[]);
        web.platforms[0].parts.target = Some("x".into());
        let after = assemble(vec![web, image("worker", &["web"])]);
        assert_ne!(before[0].key, after[0].key);
        assert_ne!(before[1].key, after[1].key);
        assert_ne!(before[0].key, before[1].key);
        assert_eq!(before[1].record.dependencies["web"], before[0].key.clone().unwrap());
    }

    #[test]
    fn whoever_depends_on_an_image_without_a_key_has_none() {
        let mut web = image("web", &[]);
        web.platforms[0].unknowable.push("it adds https://example.com/x".into());
        let keys = assemble(vec![web, image("worker", &["web"]), image("other", &[])]);
        assert_eq!(keys[0].key.as_ref().unwrap_err().reason, "it adds https://example.com/x");
        assert_eq!(keys[1].key.as_ref().unwrap_err().reason, "image `web`, which it depends on, is always built");
        assert!(keys[2].key.is_ok());
    }

    #[test]
    fn the_key_of_an_index_follows_from_those_of_its_images() {
        let mut web = image("web", &[]);
        let mut arm = web.platforms[0].clone();
        arm.parts.platform = "linux/arm64".parse().unwrap();
        web.platforms.push(arm);
        let keys = assemble(vec![web.clone(), image("worker", &["web"])]);
        assert_eq!(keys[0].platforms.len(), 2);
        assert!(keys[0].platforms.iter().all(|part| part.key != keys[0].key));
        assert_eq!(keys[0].platforms[0].key, keys_of_one().key, "a platform has the key that it has alone");
        let on_amd = keys[0].platforms[0].key.clone().unwrap();
        assert_eq!(keys[1].record.dependencies["web"], on_amd, "what is built for one platform depends on that alone");

        let mut turned = web.clone();
        turned.platforms.reverse();
        assert_eq!(assemble(vec![turned])[0].key, keys[0].key, "the order of platforms is of no account");
        web.platforms[1].parts.target = Some("x".into());
        assert_ne!(assemble(vec![web.clone()])[0].key, keys[0].key);
        web.platforms[1].unknowable.push("who knows".into());
        assert_eq!(assemble(vec![web])[0].key.as_ref().unwrap_err().reason, "who knows");
    }

    fn keys_of_one() -> ImageKey {
        assemble(vec![image("web", &[])]).remove(0)
    }
}
