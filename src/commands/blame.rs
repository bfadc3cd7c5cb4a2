//! The place in a Dockerfile at which a build failed.

use std::path::PathBuf;
use std::sync::Arc;

use super::World;
use super::read::shown;
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::dockerfile;
use crate::effects::workspace;
use crate::execute::ports::{Failure, ServiceError};
use crate::plan::{BuildPlan, Dockerfile, ImageAction, ImagePlan, PartAction};

/// The failure as it was told, with the place where it is written in place of the builder's excerpt.
pub(super) fn at_place(mut told: Diagnostic, image: &ImagePlan, error: &ServiceError, world: &World) -> Diagnostic {
    let Some(place) = place(image, error, world) else { return told };
    told.causes.iter_mut().for_each(|cause| *cause = dockerfile::without_excerpt(cause));
    told.at(place)
}

/// Where the failure is written, if it is a step of a Dockerfile on this disk and no other step could be meant.
fn place(image: &ImagePlan, error: &ServiceError, world: &World) -> Option<Place> {
    let Failure::BuildFailed { step, .. } = &error.failure else { return None };
    let path = path(build(image)?)?;
    let text = String::from_utf8(workspace::read(&path).ok()?).ok()?;
    let line = dockerfile::line_in_error(&error.cause)
        .or_else(|| dockerfile::line_of_step(&text, step.as_deref().unwrap_or_default()))?;
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
