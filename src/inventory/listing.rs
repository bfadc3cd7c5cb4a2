//! A repository's images as rows, sorted, in as little memory as the rows that are wanted take.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::entries::Entry;
use super::packed::Packed;
use crate::lifecycle::{Image, ImageState};

/// What rows are sorted by; the first is the newest, the largest or the first in the alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The time of the push.
    Pushed,
    /// The time of the last pull; what was never pulled comes last.
    Pulled,
    /// The size.
    Size,
    /// The first tag; what has none comes last.
    Tag,
}

impl Sort {
    /// Equal images follow one another by their digests.
    fn sort(self, images: &mut [Image]) {
        match self {
            Sort::Pushed => images.sort_unstable_by(|a, b| by(a, b, |image| Reverse(image.pushed_at))),
            Sort::Pulled => images.sort_unstable_by(|a, b| by(a, b, |image| Reverse(image.pulled_at))),
            Sort::Size => images.sort_unstable_by(|a, b| by(a, b, |image| Reverse(image.size))),
            Sort::Tag => images.sort_unstable_by(|a, b| {
                let first = |image: &Image| image.tags.iter().min().cloned();
                let (one, other) = (first(a), first(b));
                (one.is_none(), one, &a.digest).cmp(&(other.is_none(), other, &b.digest))
            }),
        }
    }
}

fn by<K: Ord>(a: &Image, b: &Image, key: impl Fn(&Image) -> K) -> std::cmp::Ordering {
    (key(a), &a.digest).cmp(&(key(b), &b.digest))
}

/// The first images of a sorted list; what cannot be among them is forgotten as soon as that is known.
#[derive(Debug)]
pub struct Top {
    sort: Sort,
    most: usize,
    images: Vec<Image>,
}

impl Top {
    /// As many as `most`.
    pub fn new(sort: Sort, most: usize) -> Self {
        Top { sort, most, images: Vec::new() }
    }

    /// Adds some images in any order.
    pub fn add(&mut self, images: Vec<Image>) {
        self.images.extend(images);
        // Not for each page, so that sorting takes no longer than all of it would.
        if self.images.len() / 2 > self.most {
            self.cut();
        }
    }

    /// The images, in order.
    pub fn sorted(mut self) -> Vec<Image> {
        self.cut();
        self.images
    }

    fn cut(&mut self) {
        self.sort.sort(&mut self.images);
        self.images.truncate(self.most);
    }
}

/// An index that lists an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its digest.
    pub digest: String,
    /// Its first tag.
    pub tag: Option<String>,
}

/// Which indexes list which images, and for which platforms.
#[derive(Debug, Default)]
pub struct Families {
    indexes: Vec<Parent>,
    numbers: HashMap<Packed, u32>,
    /// The indexes that list an image, and the platform that they say.
    listed: HashMap<Packed, Vec<(u32, Option<u16>)>>,
    /// What each index lists, by platform.
    of_index: Vec<Box<[u16]>>,
    platforms: Vec<String>,
}

impl Families {
    /// Adds what an index lists.
    pub fn add(&mut self, index: &Image, entries: &[Entry]) {
        let number = u32::try_from(self.indexes.len()).unwrap_or(u32::MAX);
        self.numbers.insert(Packed::of(&index.digest), number);
        self.indexes.push(Parent { digest: index.digest.clone(), tag: index.tags.first().cloned() });
        let mut own = Vec::new();
        for entry in entries {
            let platform = entry.platform.as_deref().map(|platform| self.platform(platform));
            own.extend(platform);
            self.listed.entry(Packed::of(&entry.digest)).or_default().push((number, platform));
        }
        self.of_index.push(own.into());
    }

    fn platform(&mut self, name: &str) -> u16 {
        let at = self.platforms.iter().position(|known| known == name).unwrap_or_else(|| {
            self.platforms.push(name.to_owned());
            self.platforms.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// The row of an image.
    pub fn row<'a>(&'a self, image: &'a Image) -> Row<'a> {
        let key = Packed::of(&image.digest);
        let listed = self.listed.get(&key).map(Vec::as_slice).unwrap_or_default();
        let own = self.numbers.get(&key).and_then(|number| self.of_index.get(*number as usize));
        let of_lists = listed.iter().filter_map(|(_, platform)| *platform).take(1);
        let platforms = own.map(|own| own.to_vec()).unwrap_or_else(|| of_lists.collect());
        Row {
            image,
            listed_by: listed.iter().filter_map(|(number, _)| self.indexes.get(*number as usize)).collect(),
            platforms: platforms.into_iter().filter_map(|at| self.platforms.get(usize::from(at))).collect(),
        }
    }
}

/// One image, and its place among the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// The image.
    pub image: &'a Image,
    /// The indexes that list it.
    pub listed_by: Vec<&'a Parent>,
    /// The platforms that it is for, as indexes say.
    pub platforms: Vec<&'a String>,
}

impl Row<'_> {
    /// The content key's digits, of the tag that it is staged under.
    pub fn key(&self) -> Option<&str> {
        self.image.tags.iter().find_map(|tag| tag.strip_prefix("src-"))
    }

    /// Whether it is in the archive, or on its way back.
    pub fn state(&self) -> Option<&'static str> {
        match self.image.state {
            ImageState::Active => None,
            ImageState::Archived => Some("archived"),
            ImageState::Activating => Some("coming back from the archive"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Images;

    const IMAGES: &str = r#"[
        {"imageDigest":"sha256:a","imagePushedAt":1,"imageTags":["2"],"imageSizeInBytes":5,"lastRecordedPullTime":9},
        {"imageDigest":"sha256:b","imagePushedAt":3,"imageSizeInBytes":7},
        {"imageDigest":"sha256:c","imagePushedAt":2,"imageTags":["1","src-0f"]}]"#;

    fn order(sort: Sort, most: usize) -> String {
        let mut top = Top::new(sort, most);
        // One by one, so that there is something to forget.
        Images::parse(IMAGES).unwrap().0.into_iter().for_each(|image| top.add(vec![image]));
        top.sorted().into_iter().map(|image| image.digest.replace("sha256:", "")).collect()
    }

    #[test]
    fn orders() {
        let sorts = [Sort::Pushed, Sort::Pulled, Sort::Size, Sort::Tag];
        assert_eq!(sorts.map(|sort| order(sort, usize::MAX)), ["bca", "abc", "bac", "cab"]);
        assert_eq!(sorts.map(|sort| order(sort, 1)), ["b", "a", "b", "c"]);
        assert_eq!(order(Sort::Tag, 0), "");
    }

    #[test]
    fn only_what_may_still_be_shown_is_kept() {
        let mut top = Top::new(Sort::Pushed, 10);
        let image = Images::parse(IMAGES).unwrap().0.remove(0);
        for _ in 0..100 {
            top.add(vec![image.clone(); 7]);
            assert!(top.images.len() <= 21, "{}", top.images.len());
        }
    }

    #[test]
    fn rows_know_their_indexes() {
        let images = Images::parse(IMAGES).unwrap().0;
        let entry = |digest: &str, platform: Option<&str>| Entry {
            digest: format!("sha256:{digest}"),
            platform: platform.map(str::to_owned),
        };
        let mut families = Families::default();
        families.add(&images[2], &[entry("b", Some("linux/arm64")), entry("x", None), entry("y", Some("linux/amd64"))]);
        let [a, b, c] = [0, 1, 2].map(|at| families.row(&images[at]));
        assert_eq!((a.listed_by.len(), a.platforms.len(), a.key()), (0, 0, None));
        assert_eq!((b.listed_by[0].tag.as_deref(), b.platforms[0].as_str()), (Some("1"), "linux/arm64"));
        assert_eq!((c.platforms.len(), c.platforms[1].as_str(), c.key()), (2, "linux/amd64", Some("0f")));
    }
}
