//! Which part of the pipeline's work a run does, where several runs share it: each the images for some platforms, and
//! the last one what they come to.

use std::collections::BTreeSet;

use crate::diagnostic::{Blame, Diagnostic};
use crate::facts::{ContentFacts, PartFacts};
use crate::key::ContentKey;
use crate::names::Platform;
use crate::pipeline::{Image, Pipeline};

/// What a run does of the pipeline's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All of it.
    Whole,
    /// The images for these platforms.
    Platforms(&'a [Platform]),
    /// Nothing is built: what other runs have staged is put together.
    Merge,
}

impl Scope<'_> {
    /// The images that this run works on, by their keys, with those that they need.
    ///
    /// # Errors
    /// If no image is built for the platforms in question.
    pub(super) fn images<'p>(self, pipeline: &'p Pipeline, native: &Platform) -> Result<BTreeSet<&'p str>, Diagnostic> {
        let all = pipeline.images.iter();
        let Scope::Platforms(platforms) = self else { return Ok(all.map(|image| image.name.as_str()).collect()) };
        let concerns = |image: &&Image| {
            let own = match image.build.platforms.as_slice() {
                [] => std::slice::from_ref(native),
                declared => declared,
            };
            own.iter().any(|one| is_among(one, platforms))
        };
        let named: Vec<&str> = all.filter(concerns).map(|image| image.name.as_str()).collect();
        if named.is_empty() {
            return Err(nothing_for(platforms, pipeline, native));
        }
        Ok(pipeline.with_needed(named))
    }

    /// Those of an image's parts that this run works on; all, where it has none for the platforms in question, because
    /// then another image needs it as it is.
    pub(super) fn parts(self, parts: &[PartFacts]) -> Vec<&PartFacts> {
        let Scope::Platforms(platforms) = self else { return parts.iter().collect() };
        let ours: Vec<&PartFacts> = parts.iter().filter(|part| is_among(&part.platform, platforms)).collect();
        if ours.is_empty() { parts.iter().collect() } else { ours }
    }

    /// An image whose parts other runs could not find again.
    pub(super) fn refusal(self, image: &Image, content: &ContentFacts) -> Option<Diagnostic> {
        let shared = self != Scope::Whole && content.parts.len() > 1;
        let reason = content.parts.iter().find_map(|part| part.content.key.as_ref().err()).filter(|_| shared)?;
        let message =
            format!("image `{}` cannot be built in several runs: it has no content key to find it by", image.name);
        let diagnostic = Diagnostic::input(message).at_maybe(image.build.place.clone()).caused_by(reason.clone());
        Some(diagnostic.hint("build all its platforms in one run, with an engine for each under `builders`"))
    }
}

fn is_among(platform: &Platform, platforms: &[Platform]) -> bool {
    platforms.iter().any(|one| one.normalized() == platform.normalized())
}

fn nothing_for(platforms: &[Platform], pipeline: &Pipeline, native: &Platform) -> Diagnostic {
    let declared: BTreeSet<Platform> =
        pipeline.images.iter().flat_map(|image| &image.build.platforms).map(Platform::normalized).collect();
    let declared = if declared.is_empty() { BTreeSet::from([native.clone()]) } else { declared };
    Diagnostic::input(format!("no image is built for {}", listed(platforms)))
        .hint(format!("the images here are built for {}", listed(&declared)))
}

fn listed<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> String {
    platforms.into_iter().map(Platform::as_str).collect::<Vec<_>>().join(", ")
}

/// An image, or the image for one platform, that no run has staged.
pub(super) fn not_staged(
    image: &Image,
    platform: Option<&Platform>,
    key: &Result<ContentKey, String>,
    why: &[String],
) -> Diagnostic {
    let (of, option) = match platform {
        Some(platform) => (format!("the image of `{}` for {platform}", image.name), format!("--platform {platform} ")),
        None => (format!("image `{}`", image.name), String::new()),
    };
    let mut told = Diagnostic::new(Blame::Work, format!("{of} is not in `{}` yet", image.repository.name));
    told.causes.extend(why.iter().cloned());
    told.causes.extend(key.iter().map(|key| format!("it is looked for as `{}`", key.tag())));
    told.hint(format!(
        "run `longshore run {option}--stage-only {}` from the same commit first, on a machine for it",
        image.name
    ))
}
