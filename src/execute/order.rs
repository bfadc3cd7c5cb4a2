//! Images that wait for others.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::names::Digest;
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

/// What became of each image so far: its digest, or nothing if it failed.
pub(super) struct Outcomes(Vec<(String, watch::Sender<Option<Option<Digest>>>)>);

impl Outcomes {
    pub(super) fn of(images: &[ImagePlan]) -> Self {
        Outcomes(images.iter().map(|image| (image.name.clone(), watch::Sender::new(None))).collect())
    }

    /// Notes that an image is staged, or failed.
    pub(super) fn note(&self, image: &str, staged: Option<&Digest>) {
        if let Some((_, outcome)) = self.0.iter().find(|(name, _)| name == image) {
            outcome.send_replace(Some(staged.cloned()));
        }
    }

    /// Waits for all images that this one needs; their digests by their names, or nothing if one of them failed.
    pub(super) async fn needs_of(&self, image: &ImagePlan) -> Option<BTreeMap<String, Digest>> {
        let mut staged = BTreeMap::new();
        for (name, outcome) in self.0.iter().filter(|(name, _)| image.needs.contains(name)) {
            let mut outcome = outcome.subscribe();
            // The sender lives as long as this, so that waiting cannot fail.
            let digest = outcome.wait_for(Option::is_some).await.ok()?.clone()??;
            staged.insert(name.clone(), digest);
        }
        Some(staged)
    }
}
