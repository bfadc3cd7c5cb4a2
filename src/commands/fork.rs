//! A pull request from a fork: its job gets no credentials, so its images are built and not pushed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::decide::{Seen, circumstances};
use super::progress::progress;
use super::timeline::Pending;
use super::{World, blame, builders};
use crate::cli::RunArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::docker::Docker;
use crate::effects::fleet::Fleet;
use crate::execute::build_only;
use crate::execute::events::{Event, ImageEvent};
use crate::explain::{Circumstances, explain};
use crate::facts::{Facts, Known};
use crate::plan::{self, BuildPlan};
use crate::report;
use crate::report::spans::Spans;
use crate::report::timeline::End;

/// Why nothing is done where a push is required.
fn refused(fork: &Known<String>) -> Diagnostic {
    Diagnostic::new(
        Blame::Access,
        format!("a pull request from the fork `{}` has no credentials to push with", fork.value),
    )
    .caused_by(format!("the fork is known from {}", fork.source))
    .hint("leave out `--require-push` to have the images built only")
}

/// Builds the images, unless they are required to be pushed.
///
/// The run began at `started`.
pub(super) async fn run(
    fork: &Known<String>,
    seen: &Seen,
    args: &RunArgs,
    started: Instant,
    world: &World,
) -> Result<(), Diagnostics> {
    if args.require_push {
        return Err(refused(fork).into());
    }
    let builders = builders::find(&seen.pipeline, &seen.root, world).await;
    let jobs = args.manner.jobs.map_or_else(|| builders.jobs(), usize::from);
    let engine = builders.engine(&seen.facts, world)?;
    let builds = plan::builds(&seen.pipeline, &seen.tags, &seen.root, &seen.written, &seen.facts);
    report::note(&format!(
        "a pull request from the fork {} has no credentials (known from {}): the images are built and not pushed",
        fork.value, fork.source
    ));
    let file = args.manner.timeline.as_ref().map(|file| world.folder.join(file));
    let mut page = Page {
        title: format!("built, and not pushed: a pull request from {}", fork.value),
        builds: &builds,
        timeline: file.map(|file| Pending::begin(file, started, &seen.facts)),
        built: RefCell::default(),
    };
    // Dropped before its end where the user interrupts, and then it says how far it got.
    build(&mut page, (&engine, jobs), args, &seen.facts, world).await
}

/// The page of where the time went, and what it takes to write it at any moment.
struct Page<'a> {
    title: String,
    builds: &'a [(String, BuildPlan)],
    timeline: Option<Pending>,
    /// What was built, by its name.
    built: RefCell<BTreeSet<String>>,
}

impl Page<'_> {
    fn hear(&self, event: &Event) {
        self.timeline.iter().for_each(|timeline| timeline.hear(event));
        if let Event::Image(name, ImageEvent::Built { .. }) = event {
            self.built.borrow_mut().insert(name.clone());
        }
    }

    /// `failed` are the names of those whose builds failed.
    fn write(&mut self, failed: &[&str], ended: bool) -> Result<(), Diagnostic> {
        let Some(timeline) = self.timeline.take() else { return Ok(()) };
        let built = self.built.borrow();
        let end = |(name, _): &(String, BuildPlan)| {
            let failed = failed.contains(&name.as_str());
            let outcome = match (built.contains(name), failed) {
                (true, _) => "built, not pushed",
                (false, true) => "failed",
                (false, false) => "given up",
            };
            End { names: vec![name.clone()], outcome: outcome.to_owned(), failed, needs: Vec::new() }
        };
        let succeeded = ended && failed.is_empty();
        timeline.write(self.title.clone(), self.builds.iter().map(end).collect(), BTreeMap::new(), succeeded)
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // There is nobody left to be told that it cannot be written.
        let _ = self.write(&[], false);
    }
}

/// Builds the images, and says that this is all.
async fn build(
    page: &mut Page<'_>,
    (engine, jobs): (&Fleet<Docker>, usize),
    args: &RunArgs,
    facts: &Facts,
    world: &World,
) -> Result<(), Diagnostics> {
    let builds = page.builds;
    let names: Vec<&str> = builds.iter().map(|(name, _)| name.as_str()).collect();
    let progress = progress(args.manner.progress, &names, world);
    let began = clock::instant();
    let warned = Spans::default();
    let show = |event: Event| {
        page.hear(&event);
        warned.note(&event, began.elapsed());
        progress.tell(&event);
    };
    let results = build_only(builds, engine, &|| began.elapsed(), jobs, &show).await;
    progress.end();
    if let Some(runner) = world.listening_runner() {
        let builds: Vec<_> = builds.iter().map(|(name, build)| (name.clone(), build)).collect();
        runner.warn(&blame::warnings(&warned.warnings(), &builds, world), &world.folder);
    }
    let failed: Vec<&str> =
        results.iter().zip(&names).filter(|(result, _)| result.is_err()).map(|(_, name)| *name).collect();
    page.write(&failed, true)?;
    let failures = results.iter().zip(&names).filter_map(|(result, name)| {
        let error = result.as_ref().err()?;
        let around = Circumstances { image: Some(name), ..circumstances(facts) };
        Some(explain(error, around))
    });
    Diagnostics::check(failures.collect())
}
