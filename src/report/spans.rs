//! When each piece of the work began and ended, heard from what is told of it.

use std::cell::RefCell;
use std::time::Duration;

use crate::execute::events::{Event, ImageEvent};

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

/// The stretches heard of so far, in the order of their ends.
#[derive(Debug, Default)]
pub struct Spans(RefCell<Vec<Span>>);

impl Spans {
    /// Hears of an event at this time of the run.
    pub fn note(&self, event: &Event, now: Duration) {
        let Event::Image(image, event) = event else { return };
        let (what, took) = match event {
            ImageEvent::Built { took, .. } => ("build", *took),
            ImageEvent::Pushed { took, .. } => ("push", *took),
            ImageEvent::Copied { took, .. } => ("copy", *took),
            _ => return,
        };
        self.0.borrow_mut().push(Span { image: image.clone(), what, from: now.saturating_sub(took), to: now });
    }

    /// What was heard.
    pub fn all(&self) -> Vec<Span> {
        self.0.borrow().clone()
    }
}
