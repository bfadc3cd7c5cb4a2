//! What is known of a run in time.

use std::time::Duration;

use super::Layer;

/// What was done in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Read, looked and decided, before anything was done.
    Decide,
    /// A repository was created, or one of its settings changed.
    Create,
    /// A step of a build.
    Step,
    /// The builder was busy with none of its steps: it read the context, or wrote the image.
    Builder,
    /// The layers of a base image were brought to the repository, beside the build.
    Seed,
    /// An upload.
    Push,
    /// The images of all platforms were made one index.
    Assemble,
    /// What a scan found was waited for, and judged.
    Scan,
    /// A copy to another registry.
    Copy,
    /// A release tag.
    Release,
    /// Nothing: something else had to come first.
    Wait,
}

impl Kind {
    /// Every kind, in the order in which they are met.
    pub const ALL: [Kind; 11] = [
        Kind::Decide,
        Kind::Create,
        Kind::Step,
        Kind::Builder,
        Kind::Seed,
        Kind::Push,
        Kind::Assemble,
        Kind::Scan,
        Kind::Copy,
        Kind::Release,
        Kind::Wait,
    ];

    /// What it is called in one word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Decide => "look",
            Kind::Create => "create",
            Kind::Step => "step",
            Kind::Builder => "builder",
            Kind::Seed => "seed",
            Kind::Push => "push",
            Kind::Assemble => "assemble",
            Kind::Scan => "scan",
            Kind::Copy => "copy",
            Kind::Release => "tag",
            Kind::Wait => "wait",
        }
    }
}

/// A stretch of time, measured from the beginning of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What was done.
    pub kind: Kind,
    /// In whose words, as in `[2/3] RUN make`.
    pub name: String,
    /// When it began.
    pub from: Duration,
    /// When it ended; never before it began.
    pub to: Duration,
    /// The builder had the result already.
    pub cached: bool,
    /// It did not come to its end, or came to a bad one.
    pub failed: bool,
    /// More about it, one line each.
    pub notes: Vec<String>,
    /// It is on the critical path.
    pub critical: bool,
}

impl Span {
    /// A span of which nothing else is known.
    pub fn new(kind: Kind, name: impl Into<String>, from: Duration, to: Duration) -> Self {
        let (name, to) = (name.into(), to.max(from));
        Span { kind, name, from, to, cached: false, failed: false, notes: Vec::new(), critical: false }
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.to - self.from
    }

    /// The same with one more line about it.
    #[must_use]
    pub fn noting(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Everything about one image, or about one platform of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    /// As it is told of while the run goes on.
    pub name: String,
    /// The images that had to be staged first.
    pub needs: Vec<String>,
    /// In the order in which they began.
    pub spans: Vec<Span>,
    /// What became of it, in a few words.
    pub outcome: String,
    /// Something of it failed.
    pub failed: bool,
    /// Warnings, and the like.
    pub notes: Vec<String>,
    /// The layers of the pushed image, the lowest first.
    pub layers: Vec<Layer>,
}

impl Lane {
    /// When its last work ended; `None` if nothing was done.
    pub fn end(&self) -> Option<Duration> {
        self.spans.iter().filter(|span| span.kind != Kind::Wait).map(|span| span.to).max()
    }

    /// When it was in its registry, with nothing but the release missing.
    pub fn staged(&self) -> Option<Duration> {
        let before = |span: &&Span| !matches!(span.kind, Kind::Release | Kind::Wait);
        self.spans.iter().filter(before).map(|span| span.to).max()
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// What the page is about, as in the registry's host.
    pub title: String,
    /// What is told under it, in pairs such as `commit` and its hash.
    pub facts: Vec<(String, String)>,
    /// Everything that was done for the run as a whole.
    pub run: Vec<Span>,
    /// In the order of the pipeline file.
    pub lanes: Vec<Lane>,
    /// From the first moment to the last.
    pub took: Duration,
    /// Whether everything was done.
    pub succeeded: bool,
}

impl Timeline {
    /// Every span with the number of its lane; those of the run itself have none.
    pub fn spans(&self) -> impl Iterator<Item = (Option<usize>, &Span)> {
        let lanes =
            self.lanes.iter().enumerate().flat_map(|(at, lane)| lane.spans.iter().map(move |span| (Some(at), span)));
        self.run.iter().map(|span| (None, span)).chain(lanes)
    }

    /// The spans of the critical path, in time.
    pub fn critical(&self) -> Vec<(Option<usize>, &Span)> {
        let mut path: Vec<_> = self.spans().filter(|(_, span)| span.critical).collect();
        path.sort_by_key(|(_, span)| (span.from, span.to));
        path
    }
}
