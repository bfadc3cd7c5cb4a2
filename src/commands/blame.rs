//! The place in a Dockerfile at which a build failed, or of which a builder warns.

use std::path::PathBuf;
use std::sync::Arc;

use super::World;
use super::read::shown;
use crate::diagnostic::{Blame, Diagnostic, Place, Source};
use crate::dockerfile;
use crate::effects::workspace;
use crate::execute::ports::{Failure, ServiceError};
use crate::plan::{BuildPlan, Dockerfile, ImageAction, ImagePlan, PartAction, Plan};

/// The failure as it was told, with the place where it is written in place of the builder's excerpt.
pub(super) fn at_place(mut told: Diagnostic, image: &ImagePlan, error: &ServiceError, world: &World) -> Diagnostic {
    let Some(place) = place(image, error, world) else { return told };
    told.causes.iter_mut().for_each(|cause| *cause = dockerfile::without_excerpt(cause));
    told.at(place)
}

/// Where the failure is written, if it is a step of a Dockerfile on this disk and no other step could be meant.
fn place(image: &ImagePlan, error: &ServiceError, world: &World) -> Option<Place> {
    let Failure::BuildFailed { step, .. } = &error.failure else { return None };
    of_line(build(image)?, world, |text| {
        dockerfile::line_in_error(&error.cause)
            .or_else(|| dockerfile::line_of_step(text, step.as_deref().unwrap_or_default()))
    })
}

/// What builders warned of, each at its line of the Dockerfile where the builder names one. `builds` are by the names
/// under which images are told of.
pub(super) fn warnings(told: &[(String, String)], builds: &[(String, &BuildPlan)], world: &World) -> Vec<Diagnostic> {
    let warning = |(name, text): &(String, String)| {
        let build = builds.iter().find(|(known, _)| known == name).map(|(_, build)| *build);
        let place = build.and_then(|build| of_line(build, world, |_| dockerfile::line_in_warning(text)));
        Diagnostic::new(Blame::Work, format!("image `{name}`: {text}")).at_maybe(place)
    };
    told.iter().map(warning).collect()
}

/// The builds of a plan, by the names under which images are told of.
pub(super) fn builds(plan: &Plan) -> Vec<(String, &BuildPlan)> {
    let all = plan.images.iter().filter_map(|image| Some((image, build(image)?)));
    all.flat_map(|(image, build)| image.told_as().into_iter().map(move |name| (name, build))).collect()
}

/// The line that is found in a build's Dockerfile, if that is a file on this disk and has it.
fn of_line(build: &BuildPlan, world: &World, find: impl FnOnce(&str) -> Option<usize>) -> Option<Place> {
    let path = path(build)?;
    let text = String::from_utf8(workspace::read(&path).ok()?).ok()?;
    let line = find(&text)?;
    let written = text.lines().nth(line - 1)?;
    let indent = written.chars().take_while(|c| c.is_whitespace()).count();
    let length = written.trim().chars().count();
    let source = Arc::new(Source { name: shown(&path, &world.folder), text });
    Some(Place { source, line, column: indent + 1, length })
}

/// How the image is built; of several platforms all are built by the same Dockerfile.
fn build(image: &ImagePlan) -> Option<&BuildPlan> {
    match &image.action {
        ImageAction::Build { build, .. } => Some(build),
        ImageAction::Assemble { parts, .. } => parts.iter().find_map(|part| match &part.action {
            PartAction::Build { build, .. } => Some(build.as_ref()),
            PartAction::Reuse { .. } => None,
        }),
        ImageAction::Reuse { .. } => None,
    }
}

fn path(build: &BuildPlan) -> Option<PathBuf> {
    match &build.dockerfile {
        Dockerfile::File(file) => Some(build.context.folder()?.join(file)),
        Dockerfile::Inline(_) => None,
    }
}
