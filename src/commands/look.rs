//! The second step: what is there.

use std::path::Path;

use super::World;
use crate::cli::FactArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::{git, workspace};
use crate::facts::ci::CiFacts;
use crate::facts::{Commit, Facts, Known, StatedFacts};
use crate::pipeline::Pipeline;
use crate::plan::environment::{self, Chosen};
use crate::plan::tags::{DerivedTags, derive};
use crate::report;

/// What flags, CI and git say about the checkout around this folder.
pub(super) fn checkout(args: &FactArgs, root: &Path, world: &World) -> Result<Facts, Diagnostics> {
    let commit = args.commit.as_deref().map(|text| {
        Commit::parse(text).ok_or_else(|| {
            Diagnostic::input(format!("`{text}` is not a commit"))
                .hint("--commit takes the full hash of 40 or 64 digits, as `git rev-parse HEAD` prints it")
        })
    });
    let stated = StatedFacts {
        commit: commit.transpose()?,
        branch: args.branch.clone(),
        tag: args.git_tag.clone(),
        pull_request: args.pull_request.map(|number| number.to_string()),
    };
    let event = workspace::github_event(&world.variables);
    let ci = CiFacts::read(&world.variables, event.as_ref());
    let git = git::look(root).map_err(|git::UnreadableRepository(cause)| {
        Diagnostic::input("cannot read the git repository")
            .caused_by(cause)
            .hint("check it with `git status`; facts can also be stated: --commit, --branch, --git-tag")
    })?;
    let facts = Facts::gather(&stated, ci, git);
    if facts.dirty {
        let warning = Diagnostic::input("tracked files differ from the commit; the images are not exactly that commit");
        report::warnings(&[warning], world.colors);
    }
    Ok(facts)
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
pub(super) fn tags(pipeline: &Pipeline, facts: &Facts, environment: &Chosen) -> Vec<DerivedTags> {
    pipeline.images.iter().map(|image| derive(&image.tags, facts, environment)).collect()
}
