//! Images that wait for others.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::report::PartReport;
use crate::names::{Digest, Platform};
use crate::plan::ImagePlan;

/// The images' numbers, each after those of the images that it needs, otherwise in the order of the plan.
///
/// Those of a circle, which no pipeline that was read has, come at the end.
pub(super) fn dependencies_first(images: &[ImagePlan]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(images.len());
    while order.len() < images.len() {
        let waits =
            |name: &String| images.iter().enumerate().any(|(at, one)| one.name == *name && !order.contains(&at));
        let is_ready = |at: &usize| !order.contains(at) && !images[*at].needs.iter().any(waits);
        let Some(next) = (0..images.len()).find(is_ready) else {
            let rest: Vec<usize> = (0..images.len()).filter(|at| !order.contains(at)).collect();
            order.extend(rest);
            break;
        };
        order.push(next);
    }
    order
}

/// An image that others may be built upon.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ready {
    pub(super) digest: Digest,
    /// Of an index, its images.
    pub(super) parts: Vec<PartReport>,
}

impl Ready {
    /// What is built for a platform is built upon what the image is there.
    pub(super) fn on(&self, platform: Option<&Platform>) -> &Digest {
        let part = self.parts.iter().find(|part| platform.is_some_and(|wanted| *wanted == part.platform));
        part.map_or(&self.digest, |part| &part.digest)
    }
}

/// The images that one needs, by their names.
pub(super) type Needed = BTreeMap<String, Arc<Ready>>;

/// What became of each image so far; nothing if it failed.
pub(super) struct Outcomes(Vec<(String, watch::Sender<Option<Outcome>>)>);

type Outcome = Option<Arc<Ready>>;

impl Outcomes {
    pub(super) fn of(images: &[ImagePlan]) -> Self {
        Outcomes(images.iter().map(|image| (image.name.clone(), watch::Sender::new(None))).collect())
    }

    /// Notes that an image is staged, or failed.
    pub(super) fn note(&self, image: &str, staged: Option<Ready>) {
        if let Some((_, outcome)) = self.0.iter().find(|(name, _)| name == image) {
            outcome.send_replace(Some(staged.map(Arc::new)));
        }
    }

    /// Waits for all images that this one needs; by their names; nothing if one of them failed.
    pub(super) async fn needs_of(&self, image: &ImagePlan) -> Option<Needed> {
        let mut staged = BTreeMap::new();
        for (name, outcome) in self.0.iter().filter(|(name, _)| image.needs.contains(name)) {
            let mut outcome = outcome.subscribe();
            // The sender lives as long as this, so that waiting cannot fail.
            let ready = outcome.wait_for(Option::is_some).await.ok()?.clone()??;
            staged.insert(name.clone(), ready);
        }
        Some(staged)
    }
}
