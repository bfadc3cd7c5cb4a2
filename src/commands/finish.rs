//! The fifth step: what a plan came to is told, also after a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::github::Runner;
use super::read::shown;
use super::timeline::Pending;
use super::{World, blame, scanned};
use crate::cli::{ResultArgs, ScanFileArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::{clock, workspace};
use crate::execute::report::{Outcome, Report};
use crate::explain::{Circumstances, explain};
use crate::names::Tag;
use crate::pipeline::Outputs;
use crate::plan::Plan;
use crate::report::handover::{self, Handover};
use crate::report::json::JsonReport;
use crate::report::spans::Spans;
use crate::report::task_definition::Template;
use crate::report::{self, files};
use crate::secrecy;

/// What the work came to, as far as it got.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) plan: Option<Plan>,
    pub(super) report: Option<Report>,
    pub(super) spans: Spans,
    /// The files for a deploy that were written.
    pub(super) deploy_files: Vec<PathBuf>,
    /// The Dockerfiles of the images, where they are files of the checkout.
    pub(super) dockerfiles: BTreeMap<String, String>,
    /// The page of where the time went, until it is written.
    pub(super) timeline: Option<Pending>,
}

/// Sees to it that the results will have a place, and that none of an earlier run's is left in it.
pub(super) fn prepare(args: &ResultArgs, timeline: Option<&Path>, world: &World) -> Result<(), Diagnostics> {
    files::check(args.files().map(PathBuf::as_path).chain(timeline).map(|path| world.folder.join(path)))?;
    files::clear([&args.env_file, &args.properties].into_iter().flatten().map(|path| world.folder.join(path)))
}

/// The same for the files that a deploy reads.
pub(super) fn prepare_deploy(outputs: &Outputs, root: &Path) -> Result<(), Diagnostics> {
    let paths = || outputs.files().map(|path| root.join(path));
    files::check(paths())?;
    files::clear(paths())
}

/// Whether each image can have variables of its own.
pub(super) fn check_names(args: &ResultArgs, plan: &Plan) -> Result<(), Diagnostics> {
    if args.env_file.is_none() && args.properties.is_none() {
        return Ok(());
    }
    let clashes = handover::clashes(plan.images.iter().map(|image| image.name.as_str()));
    let problem = |(first, second, name): (&str, &str, String)| {
        Diagnostic::input(format!("images `{first}` and `{second}` would both be {name} in the file of variables"))
            .hint("rename one of them, or take the names from `--report`")
    };
    Diagnostics::check(clashes.into_iter().map(problem).collect())
}

/// The template of the task definition, checked against the images that it is for.
pub(super) fn template(plan: &Plan, root: &Path, world: &World) -> Result<Option<Template>, Diagnostics> {
    let Some(definition) = &plan.outputs.task_definition else { return Ok(None) };
    let path = root.join(&definition.template);
    let name = shown(&path, &world.folder);
    let bytes = workspace::read(&path).map_err(|error| {
        Diagnostic::input(format!("cannot read the task definition `{name}`")).caused_by(error.to_string())
    })?;
    let containers: Vec<&str> = plan.images.iter().map(|image| image.container.as_str()).collect();
    Template::read(&name, &String::from_utf8_lossy(&bytes), &containers).map(Some)
}

/// Writes the files that a deploy reads, unless nothing may be deployed.
pub(super) fn deploy(
    plan: &Plan,
    report: &Report,
    template: Option<&Template>,
    root: &Path,
    world: &World,
) -> Result<Vec<PathBuf>, Diagnostic> {
    // CodeBuild goes on to `post_build` where `build` has failed, and with it to a run that stands there.
    if world.variable("CODEBUILD_BUILD_SUCCEEDING") == Some("0") {
        report::note("CODEBUILD_BUILD_SUCCEEDING is 0: an earlier phase failed, so no deploy file is written");
        return Ok(Vec::new());
    }
    files::write_deploy_files(plan, report, template, root)
}

impl Finished {
    /// Prints and writes it; what went wrong first is told first.
    pub(super) fn tell(
        &mut self,
        args: &ResultArgs,
        result: Result<(), Diagnostics>,
        world: &World,
    ) -> Result<(), Diagnostics> {
        // Nothing is known to be secret that anybody would look for in a report.
        let result = result.map_err(|problems| problems.reworded(secrecy::without_known));
        let json =
            JsonReport::new(self.plan.as_ref(), self.report.as_ref(), result.as_ref().err(), world.retries.sum());
        let printed = match (&self.plan, &self.report) {
            _ if args.json => report::print_json(&json),
            (Some(plan), Some(report)) if result.is_ok() => report::print_references(plan, report),
            _ => Ok(()),
        };
        let write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| {
            path.as_ref().map_or(Ok(()), |path| files::write(&world.folder.join(path), text().as_bytes()))
        };
        let mut told = vec![printed, write(&args.report, &|| report::json::text(&json))];
        // What was interrupted has a page as well.
        if let (Some(timeline), Some(plan)) = (self.timeline.take(), &self.plan) {
            told.push(timeline.give_up(plan));
        }
        let handover = match (&self.plan, &self.report) {
            (Some(plan), Some(report)) if result.is_ok() => Handover::of(plan, report),
            _ => Handover::default(),
        };
        if result.is_ok() {
            told.push(write(&args.env_file, &|| handover::env_file(&handover)));
            told.push(write(&args.properties, &|| handover::properties(&handover)));
        }
        if let (true, Some(plan), Some(done)) = (args.emf, &self.plan, &self.report) {
            let now = clock::now().unix_timestamp_nanos() / 1_000_000;
            let now = i64::try_from(now).unwrap_or_default();
            report::emf::lines(plan, done, &self.spans, now).iter().for_each(|line| report::note(line));
        }
        if let Some(runner) = Runner::of(&world.variables) {
            let report = args.report.as_ref().map(|path| world.folder.join(path));
            told.push(runner.tell(self, &handover, report.as_deref(), result.as_ref().err()));
        }
        let mut problems: Vec<Diagnostic> = result.err().iter().flat_map(Diagnostics::iter).cloned().collect();
        problems.extend(told.into_iter().filter_map(Result::err));
        problems.extend(self.write_scans(&args.scans, world).err().iter().flat_map(Diagnostics::iter).cloned());
        Diagnostics::check(problems)
    }

    /// Where nothing was scanned, nothing is written: code scanning would take an empty file for word that all is well.
    fn write_scans(&self, files: &ScanFileArgs, world: &World) -> Result<(), Diagnostics> {
        let (Some(plan), Some(report)) = (&self.plan, &self.report) else { return Ok(()) };
        match scanned::of_report(plan, report, &self.dockerfiles) {
            found if found.is_empty() => Ok(()),
            found => scanned::write(files, &found, world),
        }
    }
}

/// Everything that failed, as the user is told of it.
pub(super) fn failures(plan: &Plan, report: &Report, around: Circumstances<'_>, world: &World) -> Vec<Diagnostic> {
    let general = report.failures.iter().map(|error| explain(error, around));
    let images = plan.images.iter().zip(&report.images).filter_map(|(planned, image)| match &image.outcome {
        Outcome::Failed(error) => {
            let written: Vec<Tag> = image.moves.iter().map(|written| written.tag.clone()).collect();
            let told = explain(error, Circumstances { image: Some(&image.name), written: &written, ..around });
            Some(blame::at_place(told, planned, error, world))
        }
        Outcome::Published(_) | Outcome::Staged(_) | Outcome::Stopped => None,
    });
    general.chain(images).collect()
}
