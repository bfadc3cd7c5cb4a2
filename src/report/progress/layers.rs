//! What became of each image's layers.

use std::collections::BTreeMap;

use crate::execute::events::PushEvent;

/// How many of each image's layers moved, and how many did not have to.
#[derive(Default)]
pub(super) struct Layers(BTreeMap<String, Counts>);

#[derive(Default)]
struct Counts {
    sent: usize,
    there: usize,
}

impl Layers {
    pub(super) fn note(&mut self, image: &str, event: PushEvent) {
        let counts = self.0.entry(image.to_owned()).or_default();
        match event {
            PushEvent::LayerSent => counts.sent += 1,
            PushEvent::LayerThereAlready | PushEvent::LayerMounted => counts.there += 1,
            PushEvent::LayerFound | PushEvent::LayerSending { .. } => {}
        }
    }

    /// As in ` (2 layers sent, 1 there already)`; empty if nothing was heard.
    pub(super) fn summary(&self, image: &str) -> String {
        let Some(Counts { sent, there }) = self.0.get(image) else { return String::new() };
        let layer = if *sent == 1 { "layer" } else { "layers" };
        match (sent, there) {
            (0, 0) => String::new(),
            (0, _) => " (all layers there already)".to_owned(),
            (_, 0) => format!(" ({sent} {layer} sent)"),
            (..) => format!(" ({sent} {layer} sent, {there} there already)"),
        }
    }
}
