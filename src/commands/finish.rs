//! The fifth step: what a plan came to is told, also after a failure.

use std::path::Path;

use super::World;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{Outcome, Report};
use crate::explain::{Circumstances, explain};
use crate::names::Tag;
use crate::plan::Plan;
use crate::report::json::JsonReport;
use crate::report::{self, files};

/// What the work came to, as far as it got.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) plan: Option<Plan>,
    pub(super) report: Option<Report>,
}

impl Finished {
    /// Prints and writes it; what went wrong first is told first.
    pub(super) fn tell(
        &self,
        as_json: bool,
        report_file: Option<&Path>,
        result: Result<(), Diagnostics>,
        world: &World,
    ) -> Result<(), Diagnostics> {
        let json = JsonReport::new(self.plan.as_ref(), self.report.as_ref(), result.as_ref().err());
        let printed = match (&self.plan, &self.report) {
            _ if as_json => report::print_json(&json),
            (Some(plan), Some(report)) if result.is_ok() => report::print_references(plan, report),
            _ => Ok(()),
        };
        let write = |path| files::write(&world.folder.join(path), report::json::text(&json).as_bytes());
        let written = report_file.map_or(Ok(()), write);
        let mut problems: Vec<Diagnostic> = result.err().iter().flat_map(Diagnostics::iter).cloned().collect();
        problems.extend(printed.err().into_iter().chain(written.err()));
        Diagnostics::check(problems)
    }
}

/// Everything that failed, as the user is told of it.
pub(super) fn failures(report: &Report, ci: Option<&'static str>) -> Vec<Diagnostic> {
    let general = report.failures.iter().map(|error| explain(error, Circumstances { ci, ..Circumstances::default() }));
    let images = report.images.iter().filter_map(|image| match &image.outcome {
        Outcome::Failed(error) => {
            let written: Vec<Tag> = image.moves.iter().map(|written| written.tag.clone()).collect();
            Some(explain(error, Circumstances { image: Some(&image.name), ci, written: &written }))
        }
        Outcome::Published(_) | Outcome::Staged(_) | Outcome::Stopped => None,
    });
    general.chain(images).collect()
}
