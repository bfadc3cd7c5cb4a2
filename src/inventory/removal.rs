//! Which images go, in which order, and what stays although it was asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::lifecycle::{Image, Moment};

/// The most ids that one BatchDeleteImage takes. Source: ECR API model.
const BATCH: usize = 100;

/// What tags of content keys begin with.
const STAGING: &str = "src-";

/// An image as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// One tag; the image stays while it has others.
    Tag(String),
    /// The image, with all its tags.
    Digest(String),
}

/// What is to go.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// These.
    pub named: Vec<Named>,
    /// What has no tag.
    pub untagged: bool,
    /// What was pushed before.
    pub older_than: Option<Moment>,
}

/// Why something stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// There is nothing of that name.
    Missing(String),
    /// An environment's tag names it, or what lists it.
    Environment {
        /// The image.
        digest: String,
        /// The environment.
        tag: String,
    },
    /// An index that stays lists it.
    Listed {
        /// The image.
        digest: String,
        /// The index.
        by: String,
    },
}

/// What goes in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// Tags only.
    Tags(Vec<String>),
    /// Images, with their tags.
    Images(Vec<String>),
}

/// What goes, and what stays.
#[derive(Debug, Default)]
pub struct Removal<'a> {
    /// Tags that go while their image stays, each with the image's other tags.
    pub tags: Vec<(String, &'a Image, Vec<String>)>,
    /// Images that go because they were asked for.
    pub images: Vec<&'a Image>,
    /// Images that go along with an index that lists them, or with what they are about.
    pub along: Vec<&'a Image>,
    /// What stays although it was named.
    pub kept: Vec<Kept>,
    /// How many images stay although the flags mean them, because an environment needs them.
    pub shielded: usize,
}

impl Removal<'_> {
    /// Nothing goes.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.images.is_empty()
    }

    /// In the order that ECR takes: what is listed goes after what lists it.
    pub fn batches(&self) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let tags: Vec<String> = self.tags.iter().map(|(tag, ..)| tag.clone()).collect();
        batches.extend(tags.chunks(BATCH).map(|some| Batch::Tags(some.to_vec())));
        let mut left: Vec<&Image> = self.images.iter().chain(&self.along).copied().collect();
        while !left.is_empty() {
            let listed: HashSet<&str> = left.iter().flat_map(|image| &image.children).map(String::as_str).collect();
            let (mut now, mut later): (Vec<&Image>, Vec<&Image>) =
                left.iter().partition(|image| !listed.contains(image.digest.as_str()));
            // Digests cannot run in circles; whoever says so gets everything at once.
            if now.is_empty() {
                now = std::mem::take(&mut later);
            }
            let digests: Vec<String> = now.iter().map(|image| image.digest.clone()).collect();
            batches.extend(digests.chunks(BATCH).map(|some| Batch::Images(some.to_vec())));
            left = later;
        }
        batches
    }
}

/// Finds out what goes. Whatever an environment's tag names stays, with all that it lists and all that is about it.
pub fn remove<'a>(images: &'a [Image], wanted: &Wanted, environments: &BTreeSet<String>) -> Removal<'a> {
    let known = Known::of(images, environments);
    let mut removal = Removal::default();
    let mut going: BTreeMap<usize, ()> = BTreeMap::new();
    for named in &wanted.named {
        known.name(named, &mut removal, &mut going);
    }
    if wanted.untagged || wanted.older_than.is_some() {
        for (at, image) in images.iter().enumerate() {
            let fits = (!wanted.untagged || image.tags.is_empty())
                && wanted.older_than.is_none_or(|moment| image.pushed_at < moment);
            // What belongs to another goes and stays with it.
            if !fits || known.lists(&image.digest).next().is_some() || known.is_about_something(image) {
                continue;
            }
            match known.shielded.contains_key(image.digest.as_str()) {
                true => removal.shielded += 1,
                false => drop(going.insert(at, ())),
            }
        }
    }
    let mut gone: HashSet<&str> = going.keys().map(|at| images[*at].digest.as_str()).collect();
    removal.images = going.keys().map(|at| &images[*at]).collect();
    let along = known.along(&mut gone);
    removal.along = along;
    removal
}

struct Known<'a> {
    images: &'a [Image],
    by_digest: HashMap<&'a str, usize>,
    by_tag: HashMap<&'a str, usize>,
    parents: HashMap<&'a str, Vec<&'a Image>>,
    /// What an environment needs, and which one.
    shielded: HashMap<&'a str, String>,
}

impl<'a> Known<'a> {
    fn of(images: &'a [Image], environments: &BTreeSet<String>) -> Self {
        let mut known = Known {
            images,
            by_digest: HashMap::new(),
            by_tag: HashMap::new(),
            parents: HashMap::new(),
            shielded: HashMap::new(),
        };
        for (at, image) in images.iter().enumerate() {
            known.by_digest.insert(&image.digest, at);
            known.by_tag.extend(image.tags.iter().map(|tag| (tag.as_str(), at)));
            for child in &image.children {
                known.parents.entry(child).or_default().push(image);
            }
        }
        let mut open: Vec<(&Image, String)> = images
            .iter()
            .filter_map(|image| Some((image, image.tags.iter().find(|tag| environments.contains(*tag))?.clone())))
            .collect();
        while let Some((image, tag)) = open.pop() {
            if known.shielded.insert(&image.digest, tag.clone()).is_some() {
                continue;
            }
            let children = image.children.iter().filter_map(|child| known.by_digest.get(child.as_str()));
            open.extend(children.map(|at| (&images[*at], tag.clone())));
        }
        known
    }

    fn lists(&self, digest: &str) -> impl Iterator<Item = &'a Image> {
        self.parents.get(digest).into_iter().flatten().copied()
    }

    fn is_about_something(&self, image: &Image) -> bool {
        image.subject.as_deref().is_some_and(|subject| self.by_digest.contains_key(subject))
    }

    fn name(&self, named: &Named, removal: &mut Removal<'a>, going: &mut BTreeMap<usize, ()>) {
        let (found, text) = match named {
            Named::Tag(tag) => (self.by_tag.get(tag.as_str()), tag),
            Named::Digest(digest) => (self.by_digest.get(digest.as_str()), digest),
        };
        let Some(at) = found.copied() else { return removal.kept.push(Kept::Missing(text.clone())) };
        let image = &self.images[at];
        if let Named::Tag(tag) = named {
            let others: Vec<String> = image.tags.iter().filter(|other| *other != tag).cloned().collect();
            if self.shielded.get(image.digest.as_str()).is_some_and(|environment| environment == tag) {
                let digest = image.digest.clone();
                return removal.kept.push(Kept::Environment { digest, tag: tag.clone() });
            }
            if !others.is_empty() {
                return removal.tags.push((tag.clone(), image, others));
            }
        }
        if let Some(tag) = self.shielded.get(image.digest.as_str()) {
            return removal.kept.push(Kept::Environment { digest: image.digest.clone(), tag: tag.clone() });
        }
        match self.lists(&image.digest).next() {
            Some(index) => {
                let by = index.tags.first().cloned().unwrap_or_else(|| index.digest.clone());
                removal.kept.push(Kept::Listed { digest: image.digest.clone(), by });
            }
            None => drop(going.insert(at, ())),
        }
    }

    /// What goes along: images that only indexes list that go, without a tag of anybody's; and what is about any of
    /// these.
    fn along(&self, gone: &mut HashSet<&'a str>) -> Vec<&'a Image> {
        let mut along = Vec::new();
        loop {
            let next = self.images.iter().filter(|image| {
                let digest = image.digest.as_str();
                if gone.contains(digest) || self.shielded.contains_key(digest) {
                    return false;
                }
                let mut lists = self.lists(digest).peekable();
                let left_alone = lists.peek().is_some() && lists.all(|index| gone.contains(index.digest.as_str()));
                let only_staged = image.tags.iter().all(|tag| tag.starts_with(STAGING));
                let about_gone = image.subject.as_deref().is_some_and(|subject| gone.contains(subject));
                (left_alone && only_staged) || about_gone
            });
            let next: Vec<&Image> = next.collect();
            if next.is_empty() {
                return along;
            }
            gone.extend(next.iter().map(|image| image.digest.as_str()));
            along.extend(next);
        }
    }
}

#[cfg(test)]
#[path = "removal_tests.rs"]
mod tests;
