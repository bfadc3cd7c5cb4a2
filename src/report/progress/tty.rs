//! One moving line for each image, under the lines of what is done for good.
//!
//! Where there are more images than a screen has room for, only those have a line that something goes on with, and the
//! last line counts the rest.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plain::Plain;
use super::state::State;
use crate::execute::events::{BuildEvent, Event, ImageEvent, ScanEvent};
use crate::report::{Colors, size};

/// How many images have a line from their beginning to the end of the run, where the screen has room for them.
const MOST_LINES: usize = 12;

/// The lines of a screen that are left to what is done for good.
const LEFT: usize = 4;

/// How often the spinners move.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Tty {
    lines: MultiProgress,
    images: RefCell<BTreeMap<String, Image>>,
    /// The line that counts, where not every image has one.
    sum: Option<ProgressBar>,
    width: usize,
    colors: Colors,
    /// Gives the lines that stay their form.
    plain: Plain,
}

struct Image {
    state: State,
    line: Option<ProgressBar>,
}

impl Tty {
    pub(super) fn new(colors: Colors, images: &[&str]) -> Self {
        let screen = terminal_size::terminal_size_of(std::io::stderr());
        let (columns, rows) = screen.map_or((80, 24), |(columns, rows)| (usize::from(columns.0), usize::from(rows.0)));
        let width = name_width(images, columns);
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12));
        let tty = Tty {
            sum: (images.len() > most_lines(rows))
                .then(|| lines.add(ProgressBar::new_spinner().with_style(style("{wide_msg}")))),
            lines,
            images: RefCell::default(),
            width,
            colors,
            plain: Plain::with_names_of(width, colors),
        };
        let every = images.iter().map(|image| {
            let line = tty.sum.is_none().then(|| tty.line(image));
            ((*image).to_owned(), Image { state: State::default(), line })
        });
        *tty.images.borrow_mut() = every.collect();
        tty.count();
        tty
    }

    pub(super) fn tell(&self, event: &Event) {
        if let Event::Image(name, event) = event {
            self.show(name, event);
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
        self.images.borrow().values().filter_map(|image| image.line.as_ref()).for_each(ProgressBar::finish_and_clear);
        self.sum.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn show(&self, name: &str, event: &ImageEvent) {
        let mut images = self.images.borrow_mut();
        let Some(image) = images.get_mut(name) else { return };
        let begun = image.state.has_begun();
        if !image.state.note(event) {
            return;
        }
        let line = image.line.get_or_insert_with(|| self.line(name));
        if !begun {
            line.reset_elapsed();
            line.set_style(style("{spinner:.cyan} {prefix} {elapsed:>4} {wide_msg}"));
            line.enable_steady_tick(TICK);
        }
        if image.state.is_staged() {
            line.disable_steady_tick();
            line.set_style(style(&format!("{} {{prefix}} {{elapsed:>4}} {{wide_msg}}", image.state.sign(self.colors))));
        }
        line.set_message(image.state.text(self.colors));
        if image.state.is_staged() && self.sum.is_some() {
            line.finish_and_clear();
            self.lines.remove(line);
            image.line = None;
        }
        drop(images);
        self.count();
    }

    /// A line for an image that nothing was heard of.
    fn line(&self, name: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner().with_style(style("· {prefix}      {wide_msg}"));
        let bar = match &self.sum {
            Some(sum) => self.lines.insert_before(sum, bar),
            None => self.lines.add(bar),
        };
        bar.set_prefix(format!("{:width$}", shortened(name, self.width), width = self.width));
        bar.set_message(State::default().text(self.colors));
        bar
    }

    fn count(&self) {
        let Some(sum) = &self.sum else { return };
        let images = self.images.borrow();
        let staged = images.values().filter(|image| image.state.is_staged()).count();
        let begun = images.values().filter(|image| image.state.has_begun()).count();
        let sent: u64 = images.values().map(|image| image.state.sent()).sum();
        let sent = if sent > 0 { format!(", {} sent", size::bytes(sent)) } else { String::new() };
        sum.set_message(format!(
            "{staged} of {} images staged, {} under way, {} waiting{sent}",
            images.len(),
            begun - staged,
            images.len() - begun
        ));
    }
}

/// How many images can have a line on a screen of so many rows.
fn most_lines(rows: usize) -> usize {
    MOST_LINES.min(rows.saturating_sub(LEFT))
}

/// How wide names are shown: a third of the screen at most, so that there is room for what goes on.
fn name_width(images: &[&str], columns: usize) -> usize {
    let longest = images.iter().map(|image| image.chars().count()).max().unwrap_or(0);
    longest.min((columns / 3).max(8))
}

/// The name, its middle left out where it is too long: names of one pipeline often begin alike, and end alike.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let kept = width.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    name.chars().take(head).chain(['…']).chain(name.chars().skip(length - tail)).collect()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", "·"])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_leave_room_for_what_goes_on() {
        assert_eq!(name_width(&["web", "worker"], 80), 6);
        let long = "a-service-with-a-name-that-nobody-would-choose-but-someone-does";
        assert_eq!(name_width(&["web", long], 100), 33);
        assert_eq!(name_width(&["web", long], 10), 8);
        assert_eq!(shortened(long, 21), "a-service-…meone-does");
        assert_eq!(shortened("web", 21), "web");
        assert_eq!(shortened("größer-als", 4), "gr…s");
    }

    #[test]
    fn a_small_screen_shows_what_goes_on_and_counts_the_rest() {
        assert_eq!([most_lines(50), most_lines(24), most_lines(10), most_lines(3)], [12, 12, 6, 0]);
    }
}
