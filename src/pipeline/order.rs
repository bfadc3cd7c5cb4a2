//! The order that dependencies give.

use std::collections::{BTreeMap, BTreeSet};

use super::{Image, NamedContext, Pipeline};

impl Image {
    /// The images that must be there before this one: `depends_on`, and those of its named contexts.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        let contexts = self.build.additional_contexts.values().filter_map(NamedContext::planned);
        self.depends_on.iter().map(String::as_str).chain(contexts)
    }
}

impl Pipeline {
    /// The images, each after all that it needs, otherwise in the order of the file.
    pub fn in_dependency_order(&self) -> Vec<&Image> {
        let by_name: BTreeMap<&str, &Image> = self.images.iter().map(|image| (image.name.as_str(), image)).collect();
        let mut ordered = Vec::with_capacity(self.images.len());
        let mut placed = BTreeSet::new();
        for image in &self.images {
            place(image, &by_name, &mut placed, &mut ordered);
        }
        ordered
    }

    /// The names of these images and of all that they need, directly or through others.
    pub fn with_needed<'p>(&'p self, names: impl IntoIterator<Item = &'p str>) -> BTreeSet<&'p str> {
        let by_name: BTreeMap<&str, &Image> = self.images.iter().map(|image| (image.name.as_str(), image)).collect();
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = names.into_iter().collect();
        while let Some(name) = open.pop() {
            if found.insert(name) {
                open.extend(by_name.get(name).into_iter().flat_map(|image| image.needs()));
            }
        }
        found
    }
}

/// A pipeline that was read has no circles, and one that was not ends here all the same.
fn place<'p>(
    image: &'p Image,
    by_name: &BTreeMap<&str, &'p Image>,
    placed: &mut BTreeSet<&'p str>,
    ordered: &mut Vec<&'p Image>,
) {
    if !placed.insert(&image.name) {
        return;
    }
    for needed in image.needs().filter_map(|name| by_name.get(name)) {
        place(needed, by_name, placed, ordered);
    }
    ordered.push(image);
}

#[cfg(test)]
mod tests {
    use crate::pipeline::{Pipeline, parse};

    fn pipeline(images: &str) -> Pipeline {
        let file = parse("f", format!("version: 1\nimages:\n{images}")).unwrap();
        file.resolve(&|_| None).unwrap().0
    }

    #[test]
    fn what_is_needed_comes_first() {
        let pipeline = pipeline(
            "  worker: { build: { additional_contexts: { base: 'image:web' } } }\n  other: { build: o }\n  \
             web: { build: w, depends_on: base }\n  base: { build: b }\n",
        );
        let order: Vec<&str> = pipeline.in_dependency_order().iter().map(|image| image.name.as_str()).collect();
        assert_eq!(order, ["base", "web", "worker", "other"]);
        assert_eq!(pipeline.with_needed(["web"]).into_iter().collect::<Vec<_>>(), ["base", "web"]);
        assert_eq!(pipeline.with_needed(["worker"]).len(), 3);
    }
}
