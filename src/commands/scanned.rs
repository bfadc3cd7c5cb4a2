//! What scans found, as files for code scanning and for CI systems.

use std::collections::BTreeMap;
use std::path::Path;

use super::World;
use crate::cli::ScanFileArgs;
use crate::diagnostic::Diagnostics;
use crate::effects::git;
use crate::execute::report::Report;
use crate::names::ImageRef;
use crate::pipeline::{self, ContextSource, Dockerfile, Pipeline};
use crate::plan::Plan;
use crate::report::scan::Scanned;
use crate::report::{self, files, paths};

/// The Dockerfile by its path from the top of the git repository, where code scanning shows findings; without one, from
/// the pipeline's folder.
pub(super) fn dockerfile(image: &pipeline::Image, root: &Path) -> Option<String> {
    let ContextSource::Folder(folder) = &image.build.context else { return None };
    let Dockerfile::File(file) = &image.build.dockerfile else { return None };
    let top = git::top(root).unwrap_or(root);
    let path = paths::from_top(&folder.join(file), root, Some(top));
    // A file of somewhere else is none that code scanning could show.
    let parts = path.is_relative().then_some(path.components())?;
    Some(parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// The Dockerfiles of a pipeline's images, by their keys.
pub(super) fn dockerfiles(pipeline: &Pipeline, root: &Path) -> BTreeMap<String, String> {
    let all = pipeline.images.iter().filter_map(|image| Some((image.name.clone(), dockerfile(image, root)?)));
    all.collect()
}

/// What was scanned of a plan, by what its images are built from.
pub(super) fn of_report<'a>(
    plan: &'a Plan,
    report: &'a Report,
    dockerfiles: &BTreeMap<String, String>,
) -> Vec<Scanned<'a>> {
    let images = plan.images.iter().zip(&report.images);
    let scanned = images.filter_map(|(planned, done)| {
        let gate = done.gate.as_ref()?;
        Some(Scanned {
            name: planned.name.clone(),
            image: ImageRef::digested(&plan.registry, &planned.repository, &gate.digest),
            file: dockerfiles.get(&planned.name).cloned(),
            fail_on: planned.gate.as_ref().map(|gate| gate.policy.fail_on),
            scans: &gate.scans,
            judgement: &gate.judgement,
        })
    });
    scanned.collect()
}

/// Writes the files that were asked for.
pub(super) fn write(args: &ScanFileArgs, images: &[Scanned<'_>], world: &World) -> Result<(), Diagnostics> {
    let mut problems = Vec::new();
    if let Some(path) = &args.sarif {
        let text = report::json::text(&report::scan::sarif(images));
        problems.extend(files::write(&world.folder.join(path), text.as_bytes()).err());
    }
    if let Some(path) = &args.junit {
        problems.extend(files::write(&world.folder.join(path), report::scan::junit(images).as_bytes()).err());
    }
    Diagnostics::check(problems)
}
