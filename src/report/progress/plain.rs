//! One line for each thing that happens, for logs: the image's name, a bar, and what happened.

use std::cell::RefCell;

use anstyle::{AnsiColor, Style};

use super::layers::Layers;
use super::milestone;
use super::steps::Steps;
use crate::execute::events::{BuildEvent, Event, ImageEvent};
use crate::report::{Colors, lines, size};

/// A name that is longer has no part in how wide the others are shown.
const WIDEST: usize = 32;

pub(super) struct Plain {
    colors: Colors,
    width: usize,
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    layers: Layers,
    steps: Steps,
}

impl Plain {
    pub(super) fn new(colors: Colors, images: &[&str]) -> Self {
        let widths = images.iter().map(|image| image.chars().count());
        let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        Self::with_names_of(width, colors)
    }

    /// Names get so much room; longer ones take more.
    pub(super) fn with_names_of(width: usize, colors: Colors) -> Self {
        Plain { colors, width, seen: RefCell::default() }
    }

    /// The lines that the event is worth.
    pub(super) fn tell(&self, event: &Event) -> Vec<String> {
        let mut seen = self.seen.borrow_mut();
        match event {
            Event::Image(image, ImageEvent::Build(event)) => self.build(&mut seen, image, event),
            Event::Image(image, ImageEvent::Push(event)) => {
                seen.layers.note(image, *event);
                Vec::new()
            }
            _ => milestone(event, &seen.layers, &seen.steps)
                .map(|(image, text)| self.line(image.as_deref(), &text))
                .into_iter()
                .collect(),
        }
    }

    fn build(&self, seen: &mut Seen, image: &str, event: &BuildEvent) -> Vec<String> {
        seen.steps.note(image, event);
        let text = match event {
            BuildEvent::StepStarted { name, .. } => name.clone(),
            BuildEvent::StepOutput { line, .. } => format!("  {line}"),
            BuildEvent::StepDone { step, took: Some(took), .. } if took.as_secs() >= 1 => {
                format!("{} (done in {})", seen.steps.name(image, *step), size::span(*took))
            }
            BuildEvent::Warning(text) => format!("warning: {text}"),
            BuildEvent::StepDone { .. } | BuildEvent::ContextSent { .. } => return Vec::new(),
        };
        vec![self.line(Some(image), &text)]
    }

    fn line(&self, image: Option<&str>, text: &str) -> String {
        let text = &lines::safe(text);
        match image {
            Some(image) => {
                let name = self.colors.paint(color_of(image), &format!("{image:width$} |", width = self.width));
                format!("{name} {text}")
            }
            None => text.to_owned(),
        }
    }
}

/// The same colour for the same name in every run.
fn color_of(image: &str) -> Style {
    const PALETTE: [AnsiColor; 5] =
        [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::Green, AnsiColor::Yellow];
    let sum: usize = image.bytes().map(usize::from).sum();
    PALETTE[sum % PALETTE.len()].on_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::execute::events::PushEvent;
    use crate::names::{Digest, ImageRef};

    fn told(events: &[ImageEvent]) -> Vec<String> {
        let plain = Plain::new(Colors(false), &["web", "worker"]);
        events.iter().flat_map(|event| plain.tell(&Event::Image("web".into(), event.clone()))).collect()
    }

    #[test]
    fn a_name_that_is_too_long_pushes_only_itself() {
        let long = "a-service-with-a-name-that-nobody-would-choose";
        let plain = Plain::new(Colors(false), &["web", "worker", long]);
        assert_eq!(plain.line(Some("web"), "x"), "web    | x");
        assert_eq!(plain.line(Some(long), "x"), format!("{long} | x"));
    }

    #[test]
    fn a_build() {
        let lines = told(&[
            ImageEvent::Build(BuildEvent::ContextSent { sent: 10, total: None }),
            ImageEvent::Build(BuildEvent::StepStarted { step: 1, name: "[1/2] COPY . /".into() }),
            ImageEvent::Build(BuildEvent::StepDone { step: 1, cached: true, took: None }),
            ImageEvent::Build(BuildEvent::StepOutput { step: 2, line: "hello".into() }),
            ImageEvent::Built { id: format!("sha256:{}", "ab".repeat(32)), took: Duration::from_millis(1500) },
        ]);
        assert_eq!(
            lines,
            [
                "web    | [1/2] COPY . /",
                "web    |   hello",
                "web    | built abababababab in 1.5s (1 of 1 steps cached)"
            ]
        );
    }

    #[test]
    fn a_push_ends_with_what_moved() {
        let reference =
            ImageRef::tagged(&"127.0.0.1:5010".parse().unwrap(), &"web".parse().unwrap(), &"1.2.3".parse().unwrap());
        let digest = Digest::of(b"x");
        let lines = told(&[
            ImageEvent::Push(PushEvent::LayerSending { sent: 1, total: 2 }),
            ImageEvent::Push(PushEvent::LayerSent),
            ImageEvent::Push(PushEvent::LayerThereAlready),
            ImageEvent::Pushed { reference, digest: digest.clone(), took: Duration::from_millis(400) },
        ]);
        let expected = format!(
            "web    | pushed 127.0.0.1:5010/web:1.2.3 as {} in 0.4s (1 layer sent, 1 there already)",
            digest.short()
        );
        assert_eq!(lines, [expected]);
    }
}
