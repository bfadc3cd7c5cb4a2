//! What is known of the contents of images.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use super::registry::Lookout;
use crate::facts::{ContentFacts, PartFacts, RepositoryFacts};
use crate::key::{AlwaysBuild, BaseImage, ContentKey, ImageKey, KeyRecord, PlatformKey};
use crate::names::RepositoryName;
use crate::pipeline::Pipeline;
use crate::plan::tags::DerivedTags;

/// How many images are looked into at once.
const CONCURRENCY: usize = 20;

/// What is known of each image's content, in the order of the pipeline.
pub(super) fn contents(pipeline: &Pipeline, keys: &[ImageKey]) -> Vec<ContentFacts> {
    let of = |name: &str| keys.iter().find(|key| key.name == name);
    let facts = pipeline.images.iter().map(|image| match of(&image.name) {
        Some(ImageKey { key, record, base, platforms, .. }) => {
            let parts = platforms.iter().map(|PlatformKey { platform, key, record, base }| PartFacts {
                platform: platform.clone(),
                content: content(key, record, base.as_ref(), Vec::new()),
            });
            content(key, record, base.as_ref(), parts.collect())
        }
        None => ContentFacts {
            key: Err("its content was not looked at".to_owned()),
            fresh_bases: false,
            record: None,
            base: None,
            changes: Vec::new(),
            parts: Vec::new(),
        },
    });
    facts.collect()
}

fn content(
    key: &Result<ContentKey, AlwaysBuild>,
    record: &KeyRecord,
    base: Option<&BaseImage>,
    parts: Vec<PartFacts>,
) -> ContentFacts {
    ContentFacts {
        base: base.cloned(),
        key: key.clone().map_err(|always| always.reason),
        fresh_bases: key.is_ok() && record.bases.keys().any(|base| !base.contains('@')),
        record: serde_json::to_vec(record).ok(),
        changes: Vec::new(),
        parts,
    }
}

/// Adds to what is to be built in how far it differs from what is there.
pub(super) async fn explain_changes(
    contents: &mut [ContentFacts],
    pipeline: &Pipeline,
    tags: &[DerivedTags],
    keys: &[ImageKey],
    repositories: &BTreeMap<RepositoryName, RepositoryFacts>,
    lookout: &Lookout<'_>,
) {
    let images = contents.iter_mut().zip(&pipeline.images).zip(tags);
    let explained = stream::iter(images).map(async |((content, image), tags)| {
        let Some(repository) = repositories.get(&image.repository.name) else { return };
        let is_there = content.key.as_ref().is_ok_and(|key| repository.taken.contains_key(&key.tag()));
        let record = keys.iter().find(|key| key.name == image.name).map(|key| &key.record);
        if let (false, Some(record)) = (is_there, record) {
            content.changes = Box::pin(lookout.changes(repository, tags, record)).await;
        }
    });
    explained.buffer_unordered(CONCURRENCY).collect::<()>().await;
}
