//! The second step: what is there.

use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::World;
use crate::cli::FactArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::{clock, git, workspace};
use crate::facts::ci::CiFacts;
use crate::facts::{Commit, Facts, Known, StatedFacts};
use crate::pipeline::Pipeline;
use crate::plan::environment::{self, Chosen};
use crate::plan::tags::{DerivedTags, Rules, derive};

/// What flags, CI and git say about the checkout around this folder.
pub(super) fn checkout(args: &FactArgs, root: &Path, world: &World) -> Result<Facts, Diagnostics> {
    let stated = stated(args)?;
    let at = args.at.as_deref().map(time).transpose()?.map(|time| Known::new(time, "--at"));
    let event = workspace::github_event(&world.variables);
    let ci = CiFacts::read(&world.variables, event.as_ref());
    let git = git::look(root).map_err(|git::UnreadableRepository(cause)| {
        Diagnostic::input("cannot read the git repository")
            .caused_by(cause)
            .hint("check it with `git status`; facts can also be stated: --commit, --branch, --git-tag")
    })?;
    let mut facts = Facts::gather(&stated, ci, git);
    facts.created = at.clone().or_else(|| facts.commit_time.clone());
    facts.now = at.or_else(|| Some(Known::new(clock::now(), "the clock")));
    let length = world.variables.get(SHORT_LENGTH).filter(|length| !length.is_empty());
    facts.short_length = length.map(|length| Known::new(length.clone(), SHORT_LENGTH));
    Ok(facts)
}

/// Source: README of docker/metadata-action, "Environment variables".
const SHORT_LENGTH: &str = "DOCKER_METADATA_SHORT_SHA_LENGTH";

fn stated(args: &FactArgs) -> Result<StatedFacts, Diagnostic> {
    let commit = args.commit.as_deref().map(|text| {
        Commit::parse(text).ok_or_else(|| {
            Diagnostic::input(format!("`{text}` is not a commit"))
                .hint("--commit takes the full hash of 40 or 64 digits, as `git rev-parse HEAD` prints it")
        })
    });
    Ok(StatedFacts {
        commit: commit.transpose()?,
        branch: args.branch.clone(),
        tag: args.git_tag.clone(),
        pull_request: args.pull_request.map(|number| number.to_string()),
    })
}

pub(super) fn time(text: &str) -> Result<OffsetDateTime, Diagnostic> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| {
        Diagnostic::input(format!("`{text}` is not a time"))
            .caused_by(error.to_string())
            .hint("--at takes a date and a time with its offset from UTC, such as 2024-05-06T07:08:09Z")
    })
}

/// Warns of changes that no commit has: the images will hold them.
pub(super) fn warn_of_changes(facts: &Facts, world: &World) {
    if facts.dirty {
        let warning = Diagnostic::input("tracked files differ from the commit; the images are not exactly that commit");
        world.warn(&[warning]);
    }
}

/// The environment of this run: `--env`, `LONGSHORE_ENV`, or the first that matches.
pub(super) fn environment(
    args: &FactArgs,
    pipeline: &Pipeline,
    facts: &Facts,
    world: &World,
) -> Result<Chosen, Diagnostics> {
    let flag = args.env.clone().map(|name| Known::new(name, "--env"));
    let asked = flag.or_else(|| Some(Known::new(world.variable("LONGSHORE_ENV")?.to_owned(), "LONGSHORE_ENV")));
    Ok(environment::choose(pipeline, facts, asked.as_ref())?)
}

/// The tags of every image, in the order of the pipeline.
pub(super) fn tags(pipeline: &Pipeline, facts: &Facts, environment: &Chosen) -> Result<Vec<DerivedTags>, Diagnostics> {
    let (mut derived, mut faults) = (Vec::new(), Vec::new());
    for image in &pipeline.images {
        match derive(&Rules::of(image), facts, environment) {
            Ok(tags) => derived.push(tags),
            // Rules that come from `defaults` are wrong in every image, but in one place.
            Err(found) => {
                let new: Vec<Diagnostic> = found.iter().filter(|fault| !faults.contains(*fault)).cloned().collect();
                faults.extend(new);
            }
        }
    }
    Diagnostics::check(faults)?;
    Ok(derived)
}
