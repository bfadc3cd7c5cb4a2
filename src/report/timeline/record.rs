//! From events to spans.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::critical::mark_critical_path;
use super::waits::{close, fill};
use super::{Kind, Lane, Layer, Span, Timeline};
use crate::execute::events::{BuildEvent, Event, ImageEvent, ScanEvent};
use crate::execute::report::{Outcome, Report};
use crate::names::RegistryHost;
use crate::plan::{ImageAction, ImagePlan, Plan};
use crate::report::{signing, size};

/// Is told of what happens, when it happens.
#[derive(Default)]
pub struct Recorder(RefCell<Heard>);

#[derive(Default)]
struct Heard {
    run: Vec<Span>,
    lanes: BTreeMap<String, Heeded>,
    /// When the last release tag was written, and by whom.
    released: Option<Duration>,
}

/// What was heard of one lane.
#[derive(Default)]
struct Heeded {
    spans: Vec<Span>,
    /// Whole builds, from their first moment to their last.
    builds: Vec<(Duration, Duration)>,
    /// Steps that are under way: when they began, and what they are.
    steps: BTreeMap<usize, (Duration, String)>,
    /// The names of steps, for those whose end is told of again.
    names: BTreeMap<usize, String>,
    notes: Vec<String>,
}

/// What became of an image.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// The names under which it and its parts are told of, its own first.
    pub names: Vec<String>,
    /// The images that had to be staged first.
    pub needs: Vec<String>,
    /// In a few words.
    pub outcome: String,
    /// Something of it failed.
    pub failed: bool,
}

impl End {
    /// The ends of a plan's images. Without a report the run was given up.
    pub fn of(plan: &Plan, report: Option<&Report>) -> Vec<Self> {
        let done = |at: usize| report.and_then(|report| report.images.get(at)).map(|image| &image.outcome);
        let end = |(at, planned): (usize, &ImagePlan)| End {
            names: planned.told_as(),
            needs: planned.needs.clone(),
            outcome: done(at).map_or_else(|| "given up".to_owned(), |done| outcome(&planned.action, done)),
            failed: matches!(done(at), Some(Outcome::Failed(_))),
        };
        plan.images.iter().enumerate().map(end).collect()
    }
}

impl Recorder {
    /// Something that was done for the run as a whole.
    pub fn note(&self, kind: Kind, name: &str, from: Duration, to: Duration) {
        self.0.borrow_mut().run.push(Span::new(kind, name, from, to));
    }

    /// Something happened at this time after the beginning of the run.
    pub fn hear(&self, at: Duration, event: &Event) {
        let heard = &mut *self.0.borrow_mut();
        match event {
            Event::RepositoryCreated { name, replica } => {
                heard.provision(at, format!("create repository {name}{}", place(replica.as_ref())));
            }
            Event::RepositoryChanged { name, setting, replica } => {
                heard.provision(at, format!("set {} of repository {name}{}", setting.field(), place(replica.as_ref())));
            }
            Event::RepositoryThereAlready { .. } | Event::Retried(_) => {}
            Event::Image(image, ImageEvent::Tagged { tag, before, replica }) => {
                let span = heard.release(image, at, format!("tag {tag}{}", place(replica.as_ref())));
                if let Some(before) = before {
                    span.notes.push(format!("named {} before", before.short()));
                }
            }
            Event::Image(image, ImageEvent::TaggedAlready { tag, replica }) => {
                heard
                    .release(image, at, format!("tag {tag}{}", place(replica.as_ref())))
                    .notes
                    .push("it named this image already".to_owned());
            }
            Event::Image(image, ImageEvent::Assembled { digest, images, .. }) => {
                let from = heard.staged_of(image).unwrap_or(at).min(at);
                let span =
                    Span::new(Kind::Assemble, format!("index of {images} images"), from, at).noting(digest.short());
                heard.lane(image).spans.push(span);
            }
            Event::Image(image, event) => heard.lane(image).hear(at, event),
        }
    }

    /// What it comes to, when the run has ended. `layers` are those of the pushed images, by their names.
    pub fn finish(
        self,
        title: String,
        ends: Vec<End>,
        mut layers: BTreeMap<String, Vec<Layer>>,
        (took, succeeded): (Duration, bool),
    ) -> Timeline {
        let heard = self.0.into_inner();
        let mut lanes = heard.lanes;
        let mut found = Vec::new();
        for end in ends {
            for (number, name) in end.names.iter().enumerate() {
                let mut lane = lanes.remove(name).unwrap_or_default().lane(name, end.failed, took);
                lane.needs.clone_from(&end.needs);
                lane.layers = layers.remove(name).unwrap_or_default();
                let whole = number == 0;
                lane.failed = end.failed && (whole || lane.spans.iter().any(|span| span.failed));
                if whole {
                    lane.outcome.clone_from(&end.outcome);
                }
                found.push(lane);
            }
        }
        let mut timeline = Timeline { title, facts: Vec::new(), run: heard.run, lanes: found, took, succeeded };
        fill(&mut timeline);
        mark_critical_path(&mut timeline);
        timeline
    }
}

impl Heard {
    fn lane(&mut self, image: &str) -> &mut Heeded {
        self.lanes.entry(image.to_owned()).or_default()
    }

    /// One thing after the other is done for repositories.
    fn provision(&mut self, at: Duration, name: String) {
        let from = self.run.last().map_or(at, |last| last.to.min(at));
        self.run.push(Span::new(Kind::Create, name, from, at));
    }

    /// When the last of an image's own parts was pushed.
    fn staged_of(&self, image: &str) -> Option<Duration> {
        let parts = self.lanes.iter().filter(|(name, _)| name.split(' ').next() == Some(image));
        parts.flat_map(|(_, lane)| &lane.spans).map(|span| span.to).max()
    }

    /// Tags are written one after the other, so that each begins where the one before it ended.
    fn release(&mut self, image: &str, at: Duration, name: String) -> &mut Span {
        let last = self.lanes.values().flat_map(|lane| &lane.spans).map(|span| span.to).max();
        let from = self.released.max(last).unwrap_or(at).min(at);
        self.released = Some(at);
        let spans = &mut self.lane(image).spans;
        spans.push(Span::new(Kind::Release, name, from, at));
        let at = spans.len() - 1;
        &mut spans[at]
    }
}

impl Heeded {
    fn hear(&mut self, at: Duration, event: &ImageEvent) {
        let since = |took: Duration| at.saturating_sub(took);
        match event {
            ImageEvent::Build(event) => self.hear_build(at, event),
            ImageEvent::Built { id, took } => {
                self.end_steps(at, false);
                self.builds.push((since(*took), at));
                let id = id.strip_prefix("sha256:").unwrap_or(id);
                self.notes.push(format!("built {} in {}", &id[..id.len().min(12)], size::span(*took)));
            }
            ImageEvent::Pushed { reference, digest, took } => {
                let span = Span::new(Kind::Push, "push", since(*took), at);
                self.spans.push(span.noting(reference.to_string()).noting(digest.short()));
            }
            ImageEvent::Seeded { base, there, sent, bytes, took } => {
                let span = Span::new(Kind::Seed, format!("layers of {base}"), since(*took), at);
                let moved = format!("{sent} sent, {}; {there} were there", size::bytes(*bytes));
                self.spans.push(span.noting(moved));
            }
            ImageEvent::Scan(ScanEvent::Judged { open, blocking, .. }) => {
                let from = self.spans.iter().map(|span| span.to).max().unwrap_or(at).min(at);
                let mut span = Span::new(Kind::Scan, if *open { "gate, open" } else { "gate, closed" }, from, at);
                span.failed = !open;
                self.spans.push(span.noting(format!("{blocking} findings close it")));
            }
            ImageEvent::NotSeeded(cause) => self.notes.push(format!("layers of its base are pushed anew: {cause}")),
            ImageEvent::CacheLost(_) => self.notes.push("the layer cache was not kept".to_owned()),
            ImageEvent::Copied { reference, sent, took, .. } => {
                let span = Span::new(Kind::Copy, format!("copy to {}", reference.host), since(*took), at);
                self.spans.push(span.noting(format!("{} sent", size::bytes(*sent))));
            }
            ImageEvent::Replicated { registry, took, .. } => {
                self.spans.push(Span::new(Kind::Copy, format!("replication to {registry}"), since(*took), at));
            }
            ImageEvent::Signed { by, took } => {
                let span = Span::new(Kind::Scan, "managed signing", since(*took), at);
                self.spans.push(span.noting(by.join(", ")));
            }
            ImageEvent::Signatures(signatures) => self.notes.push(signing::words(signatures)),
            ImageEvent::NotReplicated { registry, why } => self.notes.push(format!("copied to {registry}: {why}")),
            ImageEvent::Adopted(digest) => {
                self.notes.push(format!("another run pushed the same content as {}", digest.short()));
            }
            ImageEvent::RecordLost(_) => self.notes.push("the record of its content was not kept".to_owned()),
            _ => {}
        }
    }

    fn hear_build(&mut self, at: Duration, event: &BuildEvent) {
        match event {
            BuildEvent::StepStarted { step, name } => {
                self.names.insert(*step, name.clone());
                self.steps.insert(*step, (at, name.clone()));
            }
            BuildEvent::StepDone { step, cached, took } => {
                // A step whose beginning was not told of has its name from nowhere.
                let Some((began, name)) = self.steps.remove(step) else { return };
                let from = took.map_or(began, |took| at.saturating_sub(took));
                let mut span = Span::new(Kind::Step, name, from, at);
                span.cached = *cached;
                self.spans.push(span);
            }
            BuildEvent::Warning(text) => self.notes.push(format!("warning: {text}")),
            BuildEvent::StepOutput { .. } | BuildEvent::ContextSent { .. } => {}
        }
    }

    /// Steps that nobody told the end of.
    fn end_steps(&mut self, at: Duration, failed: bool) {
        for (_, (from, name)) in std::mem::take(&mut self.steps) {
            let mut span = Span::new(Kind::Step, name, from, at);
            span.failed = failed;
            self.spans.push(span);
        }
    }

    fn lane(mut self, name: &str, failed: bool, end: Duration) -> Lane {
        let last = self.spans.iter().map(|span| span.to).max().unwrap_or(end);
        let running = !self.steps.is_empty();
        self.end_steps(last.max(self.steps.values().map(|(from, _)| *from).max().unwrap_or_default()), failed);
        let mut lane = Lane { name: name.to_owned(), spans: self.spans, notes: self.notes, ..Lane::default() };
        if failed
            && !running
            && let Some(last) = lane.spans.iter_mut().max_by_key(|span| span.to)
        {
            last.failed = true;
        }
        close(&mut lane, &self.builds);
        lane
    }
}

fn outcome(action: &ImageAction, outcome: &Outcome) -> String {
    let how = match action {
        ImageAction::Reuse { .. } => "reused",
        ImageAction::Build { .. } => "built",
        ImageAction::Assemble { .. } => "assembled",
    };
    match outcome {
        Outcome::Published(published) => {
            let tags: Vec<&str> = published.references.iter().map(|reference| reference.reference.as_str()).collect();
            let size = published.size.map_or(String::new(), |bytes| format!(", {}", size::bytes(bytes)));
            format!("{how}{size}, {}", tags.join(", "))
        }
        Outcome::Staged(digest) => format!("{how}, staged as {}, not released", digest.short()),
        Outcome::Failed(_) => "failed".to_owned(),
        Outcome::Stopped => "stopped, because something else failed".to_owned(),
    }
}

fn place(replica: Option<&RegistryHost>) -> String {
    replica.map_or(String::new(), |host| format!(" in {host}"))
}
