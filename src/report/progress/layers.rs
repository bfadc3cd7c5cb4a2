//! What became of each image's layers.

use std::collections::BTreeMap;

use crate::execute::events::{LayerState, PushEvent};

/// The last that was heard of every layer.
#[derive(Default)]
pub(super) struct Layers(BTreeMap<String, BTreeMap<String, LayerState>>);

impl Layers {
    pub(super) fn note(&mut self, image: &str, event: &PushEvent) {
        let layers = self.0.entry(image.to_owned()).or_default();
        layers.insert(event.layer.clone(), event.state.clone());
    }

    /// As in ` (2 layers sent, 1 there already)`; empty if nothing was heard.
    pub(super) fn summary(&self, image: &str) -> String {
        let Some(layers) = self.0.get(image) else { return String::new() };
        let count = |of: fn(&LayerState) -> bool| layers.values().filter(|state| of(state)).count();
        let there = count(|state| matches!(state, LayerState::ThereAlready | LayerState::Mounted));
        let sent = count(|state| matches!(state, LayerState::Pushed));
        let layer = if sent == 1 { "layer" } else { "layers" };
        match (sent, there) {
            (0, 0) => String::new(),
            (0, _) => " (all layers there already)".to_owned(),
            (_, 0) => format!(" ({sent} {layer} sent)"),
            (..) => format!(" ({sent} {layer} sent, {there} there already)"),
        }
    }
}
