//! A repository's images as rows, sorted.

use std::cmp::Reverse;
use std::collections::HashMap;

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

/// One image, and its place among the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// The image.
    pub image: &'a Image,
    /// The indexes that list it.
    pub listed_by: Vec<&'a Image>,
}

/// All images, sorted; equal ones by their digests.
pub fn rows(images: &[Image], sort: Sort) -> Vec<Row<'_>> {
    let mut parents: HashMap<&str, Vec<&Image>> = HashMap::new();
    for image in images {
        for child in &image.children {
            parents.entry(child).or_default().push(image);
        }
    }
    let mut sorted: Vec<&Image> = images.iter().collect();
    match sort {
        Sort::Pushed => sorted.sort_unstable_by_key(|image| (Reverse(image.pushed_at), &image.digest)),
        Sort::Pulled => sorted.sort_unstable_by_key(|image| (Reverse(image.pulled_at), &image.digest)),
        Sort::Size => sorted.sort_unstable_by_key(|image| (Reverse(image.size), &image.digest)),
        Sort::Tag => sorted.sort_unstable_by_key(|image| {
            let tag = image.tags.iter().min();
            (tag.is_none(), tag, &image.digest)
        }),
    }
    let row = |image| Row { image, listed_by: parents.get(image_digest(image)).cloned().unwrap_or_default() };
    sorted.into_iter().map(row).collect()
}

fn image_digest(image: &Image) -> &str {
    &image.digest
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

    #[test]
    fn orders() {
        let text = r#"[
            {"imageDigest":"sha256:a","imagePushedAt":1,"imageTags":["2"],"imageSizeInBytes":5,"lastRecordedPullTime":9},
            {"imageDigest":"sha256:b","imagePushedAt":3,"imageSizeInBytes":7},
            {"imageDigest":"sha256:c","imagePushedAt":2,"imageTags":["1","src-0f"],"children":["sha256:b"]}]"#;
        let images = Images::parse(text).unwrap().0;
        let order = |sort| -> String {
            let names = rows(&images, sort).into_iter().map(|row| row.image.digest.replace("sha256:", ""));
            names.collect()
        };
        let orders = [Sort::Pushed, Sort::Pulled, Sort::Size, Sort::Tag].map(order);
        assert_eq!(orders, ["bca", "abc", "bac", "cab"]);
        let all = rows(&images, Sort::Tag);
        assert_eq!((all[0].key(), all[2].listed_by.len()), (Some("0f"), 1));
    }
}
