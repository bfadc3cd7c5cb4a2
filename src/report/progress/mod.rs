//! What happens, as it happens, on stderr.

mod groups;
mod json;
mod layers;
mod plain;
mod scan;
mod state;
mod steps;
mod tty;

use std::io::IsTerminal;
use std::time::Duration;

use crate::execute::events::{Event, ImageEvent};
use crate::execute::report::Choice;
use crate::names::RegistryHost;
use crate::plan::PushBy;
use crate::retry::Retry;

use super::Colors;
use super::github::{self, Tokens};
use super::signing;
use groups::Groups;
use layers::Layers;
use plain::Plain;
pub use scan::scan_words;
use steps::Steps;
use tty::Tty;

/// The shortest pause before another attempt that is told of.
const NOTICED: Duration = Duration::from_millis(500);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Lines that change in place.
    Tty,
    /// One line for each thing that happens.
    Plain,
    /// One event of JSON a line.
    Json,
    /// Not at all.
    Quiet,
}

impl Style {
    /// The style for whoever watches: `Tty` on a terminal that says it can move its cursor, else `Plain`.
    pub fn fitting(term: Option<&str>) -> Self {
        let says_so = cfg!(windows) || term.is_some_and(|term| !matches!(term, "" | "dumb"));
        if says_so && std::io::stderr().is_terminal() { Style::Tty } else { Style::Plain }
    }
}

/// Shows events.
pub struct Progress {
    shown: Shown,
    elapsed: Elapsed,
}

/// The time since the work began.
pub type Elapsed = Box<dyn Fn() -> Duration>;

enum Shown {
    Tty(Tty),
    Groups(Groups),
    Plain(Plain),
    Json,
    Quiet,
}

impl Progress {
    /// Prepares for these images, as they are told of.
    pub fn new(style: Style, colors: Colors, images: &[&str], elapsed: Elapsed) -> Self {
        let shown = match style {
            Style::Tty => Shown::Tty(Tty::new(colors, images)),
            Style::Plain => Shown::Plain(Plain::new(colors, images)),
            Style::Json => Shown::Json,
            Style::Quiet => Shown::Quiet,
        };
        Progress { shown, elapsed }
    }

    /// Prepares for the log of GitHub Actions, which folds what belongs to one image.
    pub fn in_groups(colors: Colors, images: &[&str], tokens: Tokens) -> Self {
        let shown = Shown::Groups(Groups::new(colors, images, tokens));
        Progress { shown, elapsed: Box::new(|| Duration::ZERO) }
    }

    /// Shows one event.
    pub fn tell(&self, event: &Event) {
        match &self.shown {
            Shown::Tty(tty) => tty.tell(event),
            Shown::Plain(plain) => plain.tell(event).iter().for_each(|line| super::note(line)),
            Shown::Groups(groups) => groups.tell(event).iter().for_each(github::say),
            Shown::Json => super::note(&json::line((self.elapsed)(), event)),
            Shown::Quiet => {}
        }
    }

    /// Takes away whatever still moves.
    pub fn end(&self) {
        match &self.shown {
            Shown::Tty(tty) => tty.end(),
            Shown::Groups(groups) => groups.end().iter().for_each(github::say),
            Shown::Plain(_) | Shown::Json | Shown::Quiet => {}
        }
    }
}

/// The line that says what is done for good; the same in both styles. `None` for what merely goes on.
fn milestone(event: &Event, layers: &Layers, steps: &Steps) -> Option<(Option<String>, String)> {
    let (image, text) = match event {
        Event::RepositoryCreated { name, replica } => (None, format!("created repository {name}{}", place(replica))),
        Event::RepositoryChanged { name, setting, replica } => {
            (None, format!("set {} of repository {name}{}", setting.field(), place(replica)))
        }
        Event::RepositoryThereAlready { name, replica } => {
            (None, format!("repository {name} was created by another job{}", place(replica)))
        }
        Event::Retried(retry) => (None, retried(retry)?),
        Event::Image(image, event) => {
            let text = match event {
                ImageEvent::Built { id, took } => {
                    let id = id.strip_prefix("sha256:").unwrap_or(id);
                    let cached = steps.summary(image);
                    format!("built {} in {}{cached}", &id[..id.len().min(12)], super::size::span(*took))
                }
                ImageEvent::Pushed { reference, digest, took } => {
                    let sent = layers.summary(image);
                    format!("pushed {reference} as {} in {}{sent}", digest.short(), super::size::span(*took))
                }
                ImageEvent::Seeded { there, sent, bytes, took, .. } => {
                    let layers = if there + sent == 1 { "layer" } else { "layers" };
                    let (bytes, took) = (super::size::bytes(*bytes), super::size::span(*took));
                    format!("{} {layers} of its base in place in {took} ({sent} sent, {bytes})", there + sent)
                }
                ImageEvent::NotSeeded(cause) => format!("layers of its base are pushed anew: {cause}"),
                ImageEvent::Road(Choice { by: PushBy::Direct, why }) => format!("pushed without the daemon: {why}"),
                ImageEvent::RecordLost(cause) => format!("warning: the record of its content was not kept: {cause}"),
                ImageEvent::CacheLost(cause) => format!("warning: the layer cache was not kept: {cause}"),
                ImageEvent::Adopted(digest) => format!("another run pushed the same content as {}", digest.short()),
                ImageEvent::Tagged { tag, before: None, replica } => format!("tagged {tag}{}", place(replica)),
                ImageEvent::Tagged { tag, before: Some(before), replica } => {
                    format!("tagged {tag}{}, which named {before}", place(replica))
                }
                ImageEvent::TaggedAlready { tag, replica } => format!("{tag} names it already{}", place(replica)),
                ImageEvent::Assembled { reference, digest, images } => {
                    format!("assembled {images} images to {reference} as {}", digest.short())
                }
                ImageEvent::AwaitingReplication { registry } => {
                    format!("waiting for ECR to replicate it to {registry}")
                }
                ImageEvent::Replicated { registry, took, .. } => {
                    format!("replicated to {registry}, waited for {}", super::size::span(*took))
                }
                ImageEvent::NotReplicated { registry, why } => format!("copied to {registry}: {why}"),
                ImageEvent::Copied { reference, sent, took, .. } => {
                    let (sent, took) = (super::size::bytes(*sent), super::size::span(*took));
                    format!("copied to {reference} in {took} ({sent} sent)")
                }
                ImageEvent::AwaitingSignature => "waiting for ECR to sign it".to_owned(),
                ImageEvent::Signed { by, took } => {
                    let by: Vec<&str> = by.iter().map(|profile| signing::name(profile)).collect();
                    format!("signed by {}, waited for {}", by.join(", "), super::size::span(*took))
                }
                ImageEvent::Signatures(signatures) => signing::words(signatures),
                ImageEvent::SigningUnknown(cause) => {
                    format!("warning: it is not known whether it is signed: {cause}")
                }
                ImageEvent::Scan(event) => scan_words(event),
                ImageEvent::Build(_) | ImageEvent::Push(_) | ImageEvent::Road(_) => return None,
            };
            (Some(image.clone()), text)
        }
    };
    Some((image, text))
}

/// The line that something is tried again is worth; a pause that nobody notices is no news, but the report counts it.
pub(super) fn retried(retry: &Retry) -> Option<String> {
    let (cause, wait) = (retry.cause.split_whitespace().collect::<Vec<_>>().join(" "), super::size::span(retry.wait));
    (retry.wait >= NOTICED).then(|| format!("cannot {}: {cause}; trying again in {wait}", retry.doing))
}

/// Where it was, if not in the run's own registry.
fn place(replica: &Option<RegistryHost>) -> String {
    replica.as_ref().map_or(String::new(), |host| format!(" in {host}"))
}
