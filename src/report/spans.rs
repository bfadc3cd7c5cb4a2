//! When each piece of the work began and ended, heard from what is told of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::execute::events::{BuildEvent, Event, ImageEvent, PushEvent};

/// A stretch of the run's time, counted from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The image, as it is told of.
    pub image: String,
    /// `build`, `push` or `copy`.
    pub what: &'static str,
    /// When it began.
    pub from: Duration,
    /// When it ended.
    pub to: Duration,
}

/// What was heard so far.
#[derive(Debug, Default)]
pub struct Spans {
    /// In the order of their ends.
    spans: RefCell<Vec<Span>>,
    /// What each image's upload says of its layers, which have no names there: how far those have come that are as large
    /// as this.
    layers: RefCell<BTreeMap<String, BTreeMap<u64, u64>>>,
    /// The bytes of what was copied from one registry to another.
    copied: RefCell<BTreeMap<String, u64>>,
    /// What builders warned of, with the image as it is told of.
    warnings: RefCell<Vec<(String, String)>>,
}

impl Spans {
    /// Hears of an event at this time of the run.
    pub fn note(&self, event: &Event, now: Duration) {
        let Event::Image(image, event) = event else { return };
        if let ImageEvent::Build(BuildEvent::Warning(text)) = event {
            self.warnings.borrow_mut().push((image.clone(), text.clone()));
        }
        self.note_bytes(image, event);
        let (what, took) = match event {
            ImageEvent::Built { took, .. } => ("build", *took),
            ImageEvent::Pushed { took, .. } => ("push", *took),
            ImageEvent::Copied { took, .. } | ImageEvent::Replicated { took, .. } => ("copy", *took),
            _ => return,
        };
        self.spans.borrow_mut().push(Span { image: image.clone(), what, from: now.saturating_sub(took), to: now });
    }

    /// What builders warned of, with the image as it is told of.
    pub fn warnings(&self) -> Vec<(String, String)> {
        self.warnings.borrow().clone()
    }

    /// What was heard.
    pub fn all(&self) -> Vec<Span> {
        self.spans.borrow().clone()
    }

    /// The bytes that were sent for an image and its parts: layers from the engine as they are before compression, and
    /// what was copied as it is. Layers of one size count once.
    pub fn sent(&self, image: &str) -> u64 {
        let is_of = |name: &str| name == image || name.strip_prefix(image).is_some_and(|rest| rest.starts_with(' '));
        let layers = self.layers.borrow();
        let layers = layers.iter().filter(|(name, _)| is_of(name)).flat_map(|(_, layers)| layers.values());
        let copied = self.copied.borrow();
        let copied = copied.iter().filter(|(name, _)| is_of(name)).map(|(_, bytes)| bytes);
        layers.chain(copied).sum()
    }

    fn note_bytes(&self, image: &str, event: &ImageEvent) {
        match event {
            ImageEvent::Push(PushEvent::LayerSending { sent, total }) => {
                let mut layers = self.layers.borrow_mut();
                let furthest = layers.entry(image.to_owned()).or_default().entry(*total).or_default();
                // The engine's count may run past the layer's size.
                *furthest = (*furthest).max(if *total > 0 { *sent.min(total) } else { *sent });
            }
            ImageEvent::Copied { sent, .. } => *self.copied.borrow_mut().entry(image.to_owned()).or_default() += sent,
            ImageEvent::Seeded { bytes, .. } => *self.copied.borrow_mut().entry(image.to_owned()).or_default() += bytes,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_by_image() {
        let spans = Spans::default();
        let sending = |image: &str, sent, total| {
            let event = ImageEvent::Push(PushEvent::LayerSending { sent, total });
            spans.note(&Event::Image(image.into(), event), Duration::ZERO);
        };
        for (sent, total) in [(10, 100), (5, 50), (120, 100), (50, 50)] {
            sending("web linux/amd64", sent, total);
        }
        sending("web2", 7, 7);
        assert_eq!((spans.sent("web"), spans.sent("web2"), spans.sent("other")), (150, 7, 0));
    }
}
