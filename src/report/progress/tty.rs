//! One moving line for each image, under the lines of what is done for good.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::bar::{bar, position};
use super::plain::Plain;
use super::scan::scan_words;
use crate::execute::events::{BuildEvent, Event, ImageEvent, PushEvent, ScanEvent};
use crate::report::{Colors, lines, size};

pub(super) struct Tty {
    lines: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// Gives the lines that stay their form.
    plain: Plain,
}

impl Tty {
    pub(super) fn new(colors: Colors, images: &[&str]) -> Self {
        let width = images.iter().map(|image| image.chars().count()).max().unwrap_or(0);
        let lines = MultiProgress::new();
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bars = images.iter().map(|image| {
            let bar = lines.add(ProgressBar::new_spinner().with_style(style.clone()));
            bar.set_prefix(format!("{image:width$}"));
            ((*image).to_owned(), bar)
        });
        let bars = bars.collect();
        Tty { lines, bars, plain: Plain::new(colors, images) }
    }

    pub(super) fn tell(&self, event: &Event) {
        if let Event::Image(image, moving) = event
            && let Some(bar) = self.bars.get(image)
            && let Some(text) = moment(moving)
        {
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message(lines::safe(&text));
        }
        let lines = self.plain.tell(event);
        if stays(event) {
            for line in lines {
                // A terminal that has gone away is no failure of ours.
                let _ = self.lines.println(line);
            }
        }
    }

    pub(super) fn end(&self) {
        self.bars.values().for_each(ProgressBar::finish_and_clear);
    }
}

/// Whether the event is worth a line that stays.
fn stays(event: &Event) -> bool {
    match event {
        Event::Image(_, ImageEvent::Build(event)) => matches!(event, BuildEvent::Warning(_)),
        Event::Image(_, ImageEvent::Scan(event)) => {
            matches!(event, ScanEvent::Judged { .. } | ScanEvent::Started { .. })
        }
        Event::Image(_, ImageEvent::Push(_)) => false,
        _ => true,
    }
}

/// What an image is busy with.
fn moment(event: &ImageEvent) -> Option<String> {
    Some(match event {
        ImageEvent::Build(BuildEvent::ContextSent(bytes)) => format!("sending context: {}", size::bytes(*bytes)),
        ImageEvent::Build(BuildEvent::StepStarted { name, .. }) => match position(name) {
            Some((done, of)) => format!("{} {name}", bar(done, of)),
            None => name.clone(),
        },
        ImageEvent::Build(BuildEvent::StepOutput { line, .. }) => line.clone(),
        ImageEvent::Push(PushEvent::LayerSending { sent, total }) if *total > 0 => {
            format!("{} pushing a layer: {} of {}", bar(*sent, *total), size::bytes(*sent), size::bytes(*total))
        }
        ImageEvent::Push(PushEvent::LayerSending { sent, .. }) => format!("pushing a layer: {}", size::bytes(*sent)),
        ImageEvent::Push(_) | ImageEvent::Seeded { .. } | ImageEvent::NotSeeded(_) => return None,
        ImageEvent::Build(BuildEvent::StepDone { .. } | BuildEvent::Warning(_)) => return None,
        ImageEvent::Built { .. } => "built".to_owned(),
        ImageEvent::Pushed { .. } => "pushed".to_owned(),
        ImageEvent::RecordLost(_) | ImageEvent::CacheLost(_) | ImageEvent::Adopted(_) => "pushed".to_owned(),
        ImageEvent::Scan(event) => scan_words(event),
        ImageEvent::Assembled { .. } => "assembled".to_owned(),
        ImageEvent::Copied { reference, .. } => format!("copied to {}", reference.host),
        ImageEvent::Tagged { tag, .. } | ImageEvent::TaggedAlready { tag, .. } => format!("tagged {tag}"),
    })
}
