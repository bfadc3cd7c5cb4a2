//! A pull request from a fork: its job gets no credentials, so its images are built and not pushed.

use super::World;
use super::builders;
use super::decide::{Seen, circumstances};
use super::progress::progress;
use crate::cli::RunArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::docker::Docker;
use crate::effects::fleet::Fleet;
use crate::execute::build_only;
use crate::explain::{Circumstances, explain};
use crate::facts::{Facts, Known};
use crate::plan::{self, BuildPlan};
use crate::report;

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
pub(super) async fn run(fork: &Known<String>, seen: &Seen, args: &RunArgs, world: &World) -> Result<(), Diagnostics> {
    if args.require_push {
        return Err(refused(fork).into());
    }
    let builders = builders::find(&seen.pipeline, &seen.root, world).await;
    let jobs = args.jobs.map_or_else(|| builders.jobs(), usize::from);
    let engine = builders.engine(&seen.facts, world)?;
    let builds = plan::builds(&seen.pipeline, &seen.tags, &seen.root, &seen.written, &seen.facts);
    build(fork, &builds, (&engine, jobs), args, &seen.facts, world).await
}

/// Builds the images, and says that this is all.
async fn build(
    fork: &Known<String>,
    builds: &[(String, BuildPlan)],
    (engine, jobs): (&Fleet<Docker>, usize),
    args: &RunArgs,
    facts: &Facts,
    world: &World,
) -> Result<(), Diagnostics> {
    report::note(&format!(
        "a pull request from the fork {} has no credentials (known from {}): the images are built and not pushed",
        fork.value, fork.source
    ));
    let names: Vec<&str> = builds.iter().map(|(name, _)| name.as_str()).collect();
    let progress = progress(args.progress, &names, world);
    let began = clock::instant();
    let results = build_only(builds, engine, &|| began.elapsed(), jobs, &|event| progress.tell(&event)).await;
    progress.end();
    let failures = results.iter().zip(&names).filter_map(|(result, name)| {
        let error = result.as_ref().err()?;
        let around = Circumstances { image: Some(name), ..circumstances(facts) };
        Some(explain(error, around))
    });
    Diagnostics::check(failures.collect())
}
