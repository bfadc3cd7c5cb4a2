//! Where one image is, as far as its events tell.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};

use super::scan::scan_words;
use crate::execute::events::{BuildEvent, ImageEvent, PushEvent};
use crate::report::{Colors, lines, size};

/// How wide a bar of steps is, in cells.
const BAR: usize = 10;

/// One image on its way.
#[derive(Default)]
pub(super) struct State {
    phase: Phase,
    /// The Dockerfile's own steps by number: whether they are done, and were cached.
    steps: BTreeMap<usize, Step>,
    /// How many steps each stage says it has.
    stages: BTreeMap<String, usize>,
    /// What goes on now.
    now: String,
    /// Bytes of the context that were sent, and that shall be.
    context: Option<(u64, u64)>,
    layers: Layers,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Waiting,
    Building,
    Built,
    Pushing,
    Staged,
    Released,
}

#[derive(Default)]
struct Step {
    done: bool,
    cached: bool,
}

/// What is known of an upload. Which layer an event is about is not told, so layers are told apart by their size.
#[derive(Default)]
struct Layers {
    found: usize,
    there: usize,
    done: usize,
    /// The bytes of layers that are under way or sent, by their size.
    sent: BTreeMap<u64, u64>,
}

impl State {
    /// Something happened; whether it changes what is shown.
    pub(super) fn note(&mut self, event: &ImageEvent) -> bool {
        match event {
            ImageEvent::Build(event) => self.build(event),
            ImageEvent::Built { .. } => self.enter(Phase::Built, "waiting to push"),
            ImageEvent::Push(event) => self.push(*event),
            ImageEvent::Pushed { .. }
            | ImageEvent::Adopted(_)
            | ImageEvent::Assembled { .. }
            | ImageEvent::Copied { .. }
            | ImageEvent::Replicated { .. } => {
                self.enter(Phase::Staged, "staged; waiting for the others");
            }
            ImageEvent::AwaitingReplication { .. } => {
                self.enter(Phase::Staged, "staged; waiting for ECR's replication");
            }
            ImageEvent::AwaitingSignature => self.enter(Phase::Staged, "staged; waiting for ECR to sign it"),
            ImageEvent::Signed { .. } => self.enter(Phase::Staged, "staged and signed; waiting for the others"),
            ImageEvent::NotReplicated { .. } => self.enter(Phase::Staged, "staged; copying it"),
            ImageEvent::Scan(event) => self.enter(Phase::Staged, &scan_words(event)),
            ImageEvent::Tagged { tag, .. } | ImageEvent::TaggedAlready { tag, .. } => {
                self.enter(Phase::Released, &format!("tagged {tag}"));
            }
            ImageEvent::RecordLost(_)
            | ImageEvent::CacheLost(_)
            | ImageEvent::Road(_)
            | ImageEvent::Seeded { .. }
            | ImageEvent::NotSeeded(_)
            | ImageEvent::Signatures(_)
            | ImageEvent::SigningUnknown(_) => {
                return false;
            }
        }
        true
    }

    /// It has begun, so that its time runs.
    pub(super) fn has_begun(&self) -> bool {
        self.phase != Phase::Waiting
    }

    /// Its work is done, as far as it is its own.
    pub(super) fn is_staged(&self) -> bool {
        matches!(self.phase, Phase::Staged | Phase::Released)
    }

    /// The bytes that went up so far.
    pub(super) fn sent(&self) -> u64 {
        self.layers.sent.values().sum()
    }

    /// What stands after its name.
    pub(super) fn text(&self, colors: Colors) -> String {
        let dim = |text: &str| colors.paint(Style::new().dimmed(), text);
        match self.phase {
            Phase::Waiting => dim("waiting"),
            Phase::Building => format!("{} {}", self.progress(colors), dim(&self.now)),
            Phase::Built => format!("built{} {}", self.cached(), dim(&self.now)),
            Phase::Pushing => {
                let Layers { found, there, done, .. } = &self.layers;
                let known = if *there > 0 { format!(", {there} there already") } else { String::new() };
                let layers = dim(&format!("{} of {found} layers{known}", done + there));
                format!("pushing {} {layers}", size::bytes(self.sent()))
            }
            Phase::Staged | Phase::Released => dim(&self.now),
        }
    }

    /// The sign before its name once nothing moves there any more.
    pub(super) fn sign(&self, colors: Colors) -> String {
        match self.phase {
            Phase::Released => colors.paint(AnsiColor::Green.on_default(), "✓"),
            Phase::Staged => colors.paint(AnsiColor::Cyan.on_default(), "↑"),
            _ => colors.paint(Style::new().dimmed(), "·"),
        }
    }

    fn enter(&mut self, phase: Phase, now: &str) {
        self.phase = phase;
        self.now = now.to_owned();
    }

    fn build(&mut self, event: &BuildEvent) {
        self.phase = Phase::Building;
        match event {
            BuildEvent::ContextSent { sent, total } => {
                self.context = total.filter(|total| total > sent).map(|total| (*sent, total));
                let of = total.map_or(String::new(), |total| format!(" of {}", size::bytes(total)));
                self.now = format!("sending context: {}{of}", size::bytes(*sent));
            }
            BuildEvent::StepStarted { step, name } => {
                let name = &lines::safe(name);
                self.context = None;
                if let Some((stage, of)) = numbered(name) {
                    self.stages.insert(stage.to_owned(), of);
                    self.steps.entry(*step).or_default();
                }
                self.now.clone_from(name);
            }
            BuildEvent::StepOutput { line, .. } => {
                self.now = lines::safe(line).split_whitespace().collect::<Vec<_>>().join(" ");
            }
            BuildEvent::StepDone { step, cached, .. } => {
                if let Some(known) = self.steps.get_mut(step) {
                    *known = Step { done: true, cached: *cached };
                }
            }
            BuildEvent::Warning(_) => {}
        }
    }

    fn push(&mut self, event: PushEvent) {
        self.phase = Phase::Pushing;
        let layers = &mut self.layers;
        match event {
            PushEvent::LayerFound => layers.found += 1,
            PushEvent::LayerSending { sent, total } => {
                let known = layers.sent.entry(total).or_default();
                *known = (*known).max(if total > 0 { sent.min(total) } else { sent });
            }
            PushEvent::LayerSent => layers.done += 1,
            PushEvent::LayerThereAlready | PushEvent::LayerMounted => layers.there += 1,
        }
    }

    /// As in `━━━━╌╌╌╌╌╌ 3/7, 2 cached`; while the context is on its way, how much of it is there.
    fn progress(&self, colors: Colors) -> String {
        if let Some((sent, total)) = self.context {
            return bar(sent.saturating_mul(BAR as u64) / total.max(1), colors);
        }
        let total = self.stages.values().sum::<usize>().max(self.steps.len());
        if total == 0 {
            return String::new();
        }
        let done = self.steps.values().filter(|step| step.done).count();
        format!("{} {done}/{total}{}", bar((done * BAR / total) as u64, colors), self.cached())
    }

    fn cached(&self) -> String {
        match self.steps.values().filter(|step| step.cached).count() {
            0 => String::new(),
            cached => format!(", {cached} cached"),
        }
    }
}

/// A bar of which so many cells are filled.
fn bar(filled: u64, colors: Colors) -> String {
    let filled = usize::try_from(filled).unwrap_or(BAR).min(BAR);
    let done = colors.paint(AnsiColor::Cyan.on_default(), &"━".repeat(filled));
    let rest = colors.paint(Style::new().dimmed(), &"╌".repeat(BAR - filled));
    format!("{done}{rest}")
}

/// The stage of a step, and how many that stage has: `[2/3] RUN make` is of no named stage, `[build 2/3] …` of `build`.
fn numbered(name: &str) -> Option<(&str, usize)> {
    let inside = name.strip_prefix('[')?.split(']').next()?;
    let (stage, numbers) = inside.rsplit_once(' ').unwrap_or(("", inside));
    let (_, of) = numbers.split_once('/')?;
    Some((stage.trim(), of.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(step: usize, name: &str) -> ImageEvent {
        ImageEvent::Build(BuildEvent::StepStarted { step, name: name.into() })
    }

    fn done(step: usize, cached: bool) -> ImageEvent {
        ImageEvent::Build(BuildEvent::StepDone { step, cached, took: None })
    }

    #[test]
    fn a_context_on_its_way() {
        let mut state = State::default();
        let sent = |sent, total| ImageEvent::Build(BuildEvent::ContextSent { sent, total });
        state.note(&sent(2_000_000, None));
        assert_eq!(state.text(Colors(false)), " sending context: 2.0 MB");
        state.note(&sent(3_000_000, Some(10_000_000)));
        assert_eq!(state.text(Colors(false)), "━━━╌╌╌╌╌╌╌ sending context: 3.0 MB of 10 MB");
        state.note(&sent(10_000_000, Some(10_000_000)));
        assert_eq!(state.text(Colors(false)), " sending context: 10 MB of 10 MB");
        state.note(&started(1, "[1/3] COPY . /"));
        assert_eq!(state.text(Colors(false)), "╌╌╌╌╌╌╌╌╌╌ 0/3 [1/3] COPY . /");
    }

    #[test]
    fn a_build_and_its_push() {
        let mut state = State::default();
        assert_eq!((state.text(Colors(false)).as_str(), state.has_begun()), ("waiting", false));
        for event in [started(1, "[internal] load"), done(1, false), started(2, "[base 1/2] FROM x"), done(2, true)] {
            state.note(&event);
        }
        state.note(&started(3, "[2/3] RUN make"));
        assert_eq!(state.text(Colors(false)), "━━╌╌╌╌╌╌╌╌ 1/5, 1 cached [2/3] RUN make");
        state.note(&ImageEvent::Build(BuildEvent::StepOutput { step: 3, line: "  cc \t a.c".into() }));
        assert!(state.text(Colors(false)).ends_with("1/5, 1 cached cc a.c"));
        for event in [
            PushEvent::LayerFound,
            PushEvent::LayerFound,
            PushEvent::LayerThereAlready,
            PushEvent::LayerSending { sent: 400, total: 1000 },
            PushEvent::LayerSending { sent: 700, total: 1000 },
        ] {
            state.note(&ImageEvent::Push(event));
        }
        assert_eq!(state.text(Colors(false)), "pushing 700 B 1 of 2 layers, 1 there already");
    }
}
