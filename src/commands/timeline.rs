//! `--timeline`: the page of a run, also of one that was given up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};

use super::way::Way;
use crate::diagnostic::Diagnostic;
use crate::execute::events::Event;
use crate::execute::ports::{Ecr as _, Registry as _};
use crate::execute::report::{ImageReport, Outcome, Report};
use crate::facts::Facts;
use crate::names::{Digest, ImageRef, RepositoryName};
use crate::plan::{ImageAction, ImagePlan, Plan};
use crate::report::files;
use crate::report::timeline::{End, Kind, Layer, Recorder, page};

/// How many manifests are asked for at once.
const CONCURRENCY: usize = 10;

/// A page that is to be written when the run has ended, whichever way.
pub(super) struct Pending {
    recorder: Recorder,
    file: PathBuf,
    started: Instant,
    facts: Vec<(String, String)>,
}

impl Pending {
    /// Begins when everything is decided; the run began at `started`.
    pub(super) fn begin(file: PathBuf, started: Instant, facts: &Facts) -> Self {
        let recorder = Recorder::default();
        recorder.note(Kind::Decide, "read, look, decide", Duration::ZERO, started.elapsed());
        let commit = facts.commit.as_ref().map(|commit| commit.value.short().to_owned());
        let branch = facts.refs.branch.as_ref().map(|branch| branch.value.clone());
        let tag = facts.refs.tags.first().map(|tag| tag.value.clone());
        let known = [("commit", commit), ("branch", branch), ("tag", tag), ("at", facts.now.as_ref().map(time))];
        let facts = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        Pending { recorder, file, started, facts }
    }

    /// Hears of an event.
    pub(super) fn hear(&self, event: &Event) {
        self.recorder.hear(self.started.elapsed(), event);
    }

    /// Writes the page of what has come to these ends; `layers` are those of the pushed images, by their names.
    pub(super) fn write(
        self,
        title: String,
        ends: Vec<End>,
        layers: BTreeMap<String, Vec<Layer>>,
        succeeded: bool,
    ) -> Result<(), Diagnostic> {
        let took = self.started.elapsed();
        let mut timeline = self.recorder.finish(title, ends, layers, (took, succeeded));
        timeline.facts = self.facts;
        files::write(&self.file, page(&timeline).as_bytes())
    }

    /// Writes the page of a plan that was given up.
    pub(super) fn give_up(self, plan: &Plan) -> Result<(), Diagnostic> {
        self.write(plan.registry.to_string(), End::of(plan, None), BTreeMap::new(), false)
    }
}

fn time(at: &crate::facts::Known<time::OffsetDateTime>) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.value.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// The layers of everything that was pushed. They only illustrate, so that whatever keeps them from being read is not
/// told.
pub(super) async fn layers(plan: &Plan, report: &Report, own: &Way) -> BTreeMap<String, Vec<Layer>> {
    let Ok(credential) = own.ecr.credential().await else { return BTreeMap::new() };
    let pushed = plan.images.iter().zip(&report.images).flat_map(|(planned, done)| pushed(planned, done));
    let layers = stream::iter(pushed).map(|(name, repository, digest)| {
        let image = ImageRef::digested(&own.host, &repository, &digest);
        let (credential, registry) = (&credential, &own.registry);
        async move {
            let manifest = registry.manifest(&image, credential).await.ok()?;
            Some((name, Layer::of(&manifest.bytes)))
        }
    });
    layers.buffer_unordered(CONCURRENCY).filter_map(async |found| found).collect().await
}

/// What of an image is in the registry, by the names under which it is told of.
fn pushed(planned: &ImagePlan, done: &ImageReport) -> Vec<(String, RepositoryName, Digest)> {
    let of = |name: String, digest: &Digest| (name, planned.repository.clone(), digest.clone());
    match (&planned.action, &done.outcome) {
        (ImageAction::Assemble { parts, .. }, _) => {
            let digest = |platform| done.parts.iter().find(|part| &part.platform == platform).map(|part| &part.digest);
            parts.iter().filter_map(|part| Some(of(part.told_as(&planned.name), digest(&part.platform)?))).collect()
        }
        (_, Outcome::Published(published)) => vec![of(planned.name.clone(), &published.digest)],
        (_, Outcome::Staged(digest)) => vec![of(planned.name.clone(), digest)],
        (_, Outcome::Failed(_) | Outcome::Stopped) => Vec::new(),
    }
}
