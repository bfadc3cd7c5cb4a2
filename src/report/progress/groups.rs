//! One group of lines for each image, for the log of GitHub Actions.
//!
//! Groups cannot be nested, and images are built at once. So one image is shown as it goes, and what is heard of the
//! others meanwhile is kept until their turn has come.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use super::plain::Plain;
use crate::execute::events::{Event, ImageEvent};
use crate::report::Colors;
use crate::report::github::{Line, Tokens, escape_data};

/// How many lines are kept of an image that waits for its turn; of more, these are the last.
const KEPT: usize = 10_000;

pub(super) struct Groups {
    plain: Plain,
    tokens: Tokens,
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The image whose group is open, and the token that ends it.
    open: Option<(String, String)>,
    /// What was heard of the others, in the order in which they began.
    waiting: Vec<Waiting>,
    /// What belongs to no group.
    loose: Vec<String>,
    /// The images of which nothing more is to come; what comes all the same belongs to no group.
    ended: BTreeSet<String>,
}

struct Waiting {
    image: String,
    lines: VecDeque<String>,
    left_out: usize,
    ended: bool,
}

impl Groups {
    pub(super) fn new(colors: Colors, images: &[&str], tokens: Tokens) -> Self {
        Groups { plain: Plain::new(colors, images), tokens, seen: RefCell::default() }
    }

    /// The lines that the event is worth now.
    pub(super) fn tell(&self, event: &Event) -> Vec<Line> {
        let lines = self.plain.tell(event);
        if lines.is_empty() {
            return Vec::new();
        }
        let mut seen = self.seen.borrow_mut();
        let mut out = Vec::new();
        let Some((image, ends)) = grouped(event).filter(|(image, _)| !seen.ended.contains(*image)) else {
            seen.loose.extend(lines);
            if seen.open.is_none() {
                self.loose(&mut seen, &mut out);
            }
            return out;
        };
        if ends {
            seen.ended.insert(image.to_owned());
        }
        match &seen.open {
            Some((open, _)) if open == image => out.extend(lines.into_iter().map(Line::Text)),
            Some(_) => {
                seen.wait(image, lines, ends);
                return out;
            }
            None => {
                seen.wait(image, lines, ends);
                self.next(&mut seen, &mut out);
                return out;
            }
        }
        if ends {
            seen.close(&mut out);
            self.loose(&mut seen, &mut out);
            self.next(&mut seen, &mut out);
        }
        out
    }

    /// Whatever still waits.
    pub(super) fn end(&self) -> Vec<Line> {
        let mut seen = self.seen.borrow_mut();
        let mut out = Vec::new();
        seen.close(&mut out);
        seen.waiting.iter_mut().for_each(|waiting| waiting.ended = true);
        self.next(&mut seen, &mut out);
        self.loose(&mut seen, &mut out);
        out
    }

    /// Shows those that have ended, and then the first of the others as it goes.
    fn next(&self, seen: &mut Seen, out: &mut Vec<Line>) {
        let (ended, going): (Vec<Waiting>, Vec<Waiting>) =
            std::mem::take(&mut seen.waiting).into_iter().partition(|waiting| waiting.ended);
        for waiting in ended {
            self.open(seen, waiting, out);
            seen.close(out);
        }
        let mut going = going.into_iter();
        if let Some(first) = going.next() {
            self.open(seen, first, out);
        }
        seen.waiting = going.collect();
    }

    fn open(&self, seen: &mut Seen, waiting: Waiting, out: &mut Vec<Line>) {
        let token = self.tokens.next();
        out.push(Line::Text(format!("::group::{}", escape_data(&waiting.image))));
        out.push(Line::Stop(token.clone()));
        if waiting.left_out > 0 {
            out.push(Line::Text(format!("({} lines are left out here)", waiting.left_out)));
        }
        out.extend(waiting.lines.into_iter().map(Line::Text));
        seen.open = Some((waiting.image, token));
    }

    /// What belongs to no group may still hold what others wrote.
    fn loose(&self, seen: &mut Seen, out: &mut Vec<Line>) {
        if seen.loose.is_empty() {
            return;
        }
        let token = self.tokens.next();
        let harmless = |line: &String| !line.contains("::") && !line.contains("##[");
        let stop = !seen.loose.iter().all(harmless);
        out.extend(stop.then(|| Line::Stop(token.clone())));
        out.extend(std::mem::take(&mut seen.loose).into_iter().map(Line::Text));
        out.extend(stop.then_some(Line::Resume(token)));
    }
}

impl Seen {
    fn wait(&mut self, image: &str, lines: Vec<String>, ends: bool) {
        let at = self.waiting.iter().position(|waiting| waiting.image == image).unwrap_or_else(|| {
            let lines = VecDeque::new();
            self.waiting.push(Waiting { image: image.to_owned(), lines, left_out: 0, ended: false });
            self.waiting.len() - 1
        });
        let waiting = &mut self.waiting[at];
        waiting.lines.extend(lines);
        let surplus = waiting.lines.len().saturating_sub(KEPT);
        waiting.lines.drain(..surplus);
        waiting.left_out += surplus;
        waiting.ended |= ends;
    }

    fn close(&mut self, out: &mut Vec<Line>) {
        if let Some((_, token)) = self.open.take() {
            out.push(Line::Resume(token));
            out.push(Line::Text("::endgroup::".to_owned()));
        }
    }
}

/// The image in whose group an event belongs, and whether it is the last one there.
fn grouped(event: &Event) -> Option<(&str, bool)> {
    let Event::Image(image, event) = event else { return None };
    match event {
        ImageEvent::Build(_) | ImageEvent::Built { .. } | ImageEvent::Push(_) => Some((image, false)),
        ImageEvent::Road(_) | ImageEvent::Seeded { .. } | ImageEvent::NotSeeded(_) => Some((image, false)),
        ImageEvent::Adopted(_) | ImageEvent::RecordLost(_) | ImageEvent::CacheLost(_) => Some((image, false)),
        ImageEvent::Pushed { .. } | ImageEvent::Assembled { .. } => Some((image, true)),
        ImageEvent::Tagged { .. }
        | ImageEvent::TaggedAlready { .. }
        | ImageEvent::Copied { .. }
        | ImageEvent::AwaitingReplication { .. }
        | ImageEvent::Replicated { .. }
        | ImageEvent::NotReplicated { .. }
        | ImageEvent::AwaitingSignature
        | ImageEvent::Signed { .. }
        | ImageEvent::Signatures(_)
        | ImageEvent::SigningUnknown(_)
        | ImageEvent::Scan(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::execute::events::BuildEvent;
    use crate::names::{Digest, ImageRef, Tag};

    fn groups() -> Groups {
        Groups::new(Colors(false), &["a", "b", "c"], Tokens::new(String::new()))
    }

    fn output(image: &str, line: &str) -> Event {
        Event::Image(image.into(), ImageEvent::Build(BuildEvent::StepOutput { step: 1, line: line.into() }))
    }

    fn pushed(image: &str) -> Event {
        let tag: Tag = "1".parse().unwrap();
        let reference = ImageRef::tagged(&"127.0.0.1:1".parse().unwrap(), &"rr".parse().unwrap(), &tag);
        let took = Duration::from_secs(1);
        Event::Image(image.into(), ImageEvent::Pushed { reference, digest: Digest::of(b""), took })
    }

    /// What is said, with `stop` and `resume` for the commands that bear a token.
    fn said(groups: &Groups, events: &[Event]) -> Vec<String> {
        let lines = events.iter().flat_map(|event| groups.tell(event));
        let shown = |line: Line| match line {
            Line::Text(text) => text.split(" as sha256").next().unwrap_or_default().to_owned(),
            Line::Stop(_) => "stop".to_owned(),
            Line::Resume(_) => "resume".to_owned(),
        };
        lines.map(shown).collect()
    }

    #[test]
    fn one_is_shown_as_it_goes_and_the_others_after_it() {
        let groups = groups();
        let events = [output("a", "1"), output("b", "::set-output name=x::y"), output("c", "3")];
        assert_eq!(said(&groups, &events), ["::group::a", "stop", "a |   1"]);
        assert_eq!(said(&groups, &[pushed("c"), output("a", "4")]), ["a |   4"]);
        let after = ["a | pushed 127.0.0.1:1/rr:1", "resume", "::endgroup::"];
        let finished = ["::group::c", "stop", "c |   3", "c | pushed 127.0.0.1:1/rr:1", "resume", "::endgroup::"];
        let next = ["::group::b", "stop", "b |   \u{200b}::set-output name=x::y"];
        assert_eq!(said(&groups, &[pushed("a")]), [&after[..], &finished, &next].concat());
        assert_eq!(said(&groups, &[output("b", "5")]), ["b |   5"]);
    }

    #[test]
    fn what_is_left_is_shown_at_the_end() {
        let groups = groups();
        said(&groups, &[output("a", "1"), output("b", "2")]);
        let created = Event::RepositoryCreated { name: "rr".parse().unwrap(), replica: None };
        assert_eq!(said(&groups, std::slice::from_ref(&created)), [""; 0]);
        let lines: Vec<String> = groups.end().iter().map(ToString::to_string).collect();
        let plain: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.contains("longshore-")).collect();
        assert_eq!(plain, ["::endgroup::", "::group::b", "b |   2", "::endgroup::", "created repository rr"]);
        assert_eq!(said(&groups, &[created]), ["created repository rr"], "no group is open");
        assert!(groups.end().is_empty());
    }

    #[test]
    fn what_waits_does_not_fill_the_memory() {
        let groups = groups();
        said(&groups, &[output("a", "1")]);
        for number in 0..KEPT + 2 {
            said(&groups, &[output("b", &number.to_string())]);
        }
        let lines = groups.end();
        assert!(lines.contains(&Line::Text("(2 lines are left out here)".into())));
        assert_eq!(lines.len(), KEPT + 7);
    }
}
