//! The contexts of a pipeline's images, opened in one place for whoever needs them.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::context::{Context, ContextError, Weight, slashed_bytes};
use crate::effects::fingerprint::Fingerprint;
use crate::explain::{Circumstances, explain};
use crate::pipeline::{Dockerfile, Image, NamedContext};
use crate::report;

/// The context of an image; without the files that a run itself writes.
pub(super) fn open(image: &Image, root: &Path, written: &[PathBuf]) -> Result<Context, ContextError> {
    let folder = folder_of(image, root)?;
    let context = Context::open(&folder, &image.build.dockerfile)?;
    Ok(context.leaving_out(written.iter().map(PathBuf::as_path)))
}

/// What can be read of an image's context and Dockerfile before the build.
pub(super) struct Opened {
    /// The context, if it is a folder.
    pub context: Option<Context>,
    /// The Dockerfile's bytes, unless it is where only the builder reads it: in an archive or behind a URL.
    pub dockerfile: Option<Vec<u8>>,
}

/// Reads the Dockerfile of an image, and looks at its context.
pub(super) fn look(image: &Image, root: &Path, written: &[PathBuf]) -> Result<Opened, ContextError> {
    let build = &image.build;
    if build.context.folder().is_some() {
        let context = open(image, root, written)?;
        let dockerfile = Context::dockerfile_bytes(context.root(), &build.dockerfile)?;
        return Ok(Opened { context: Some(context), dockerfile: Some(dockerfile) });
    }
    let dockerfile = match &build.dockerfile {
        Dockerfile::Inline(text) => Some(text.clone().into_bytes()),
        Dockerfile::File(_) => None,
    };
    Ok(Opened { context: None, dockerfile })
}

/// The named contexts of an image that are folders, by their names.
pub(super) fn named_folders(
    image: &Image,
    root: &Path,
    written: &[PathBuf],
) -> Result<Vec<(String, Context)>, ContextError> {
    let folders = image.build.additional_contexts.iter().filter_map(|(name, context)| match context {
        NamedContext::Folder(folder) => Some((name, folder)),
        NamedContext::Planned(_) | NamedContext::Image(_) | NamedContext::Remote(_) => None,
    });
    let opened = folders.map(|(name, folder)| {
        let folder: PathBuf = root.join(folder).components().collect();
        let context = Context::folder(&folder, None)?.leaving_out(written.iter().map(PathBuf::as_path));
        Ok((name.clone(), context))
    });
    opened.collect()
}

fn folder_of(image: &Image, root: &Path) -> Result<PathBuf, ContextError> {
    let context = &image.build.context;
    let other =
        || ContextError::new(Path::new(&context.to_string()), &"a context that is no folder cannot be read here");
    let folder = context.folder().ok_or_else(other)?;
    // Through its components, which leave out `.`: the path is shown to the user.
    Ok(root.join(folder).components().collect())
}

/// What the user is told of a context that cannot be read.
pub(super) fn unreadable(image: Option<&Image>, error: ContextError) -> Diagnostic {
    let around = Circumstances { image: image.map(|image| image.name.as_str()), ..Circumstances::default() };
    explain(&error.while_doing("look at the build context"), around)
        .at_maybe(image.and_then(|image| image.build.place.clone()))
}

/// What was found for every image, or every problem at once.
pub(super) fn all<T>(images: &[&Image], found: Vec<Result<T, ContextError>>) -> Result<Vec<T>, Diagnostics> {
    let mut problems = Vec::new();
    let mut good = Vec::with_capacity(found.len());
    for (image, found) in images.iter().zip(found) {
        match found {
            Ok(found) => good.push(found),
            Err(error) => problems.push(unreadable(Some(image), error)),
        }
    }
    Diagnostics::check(problems)?;
    Ok(good)
}

/// A word on a context that is another with every commit, so that its image is never the same.
pub(super) fn ever_new(image: &Image, context: &Fingerprint) -> Option<Diagnostic> {
    context.checkout.is_some().then(|| {
        let message = format!("the context of image `{}` holds `.git`: it is built anew for every commit", image.name);
        Diagnostic::input(message).hint("list `.git` in a `.dockerignore` beside it, unless the build needs it")
    })
}

/// A word on a context that is larger than it can be meant to be.
pub(super) fn too_much(image: Option<&Image>, weight: &Weight) -> Option<Diagnostic> {
    let largest = weight.too_much()?;
    let whose = image.map_or("the context".to_owned(), |image| format!("the context of image `{}`", image.name));
    let mut warning = Diagnostic::input(format!("{whose} has {} bytes", weight.bytes()));
    let named = largest
        .iter()
        .map(|(bytes, path)| format!("{bytes} bytes in `{}`", report::context::escaped(&slashed_bytes(path))));
    warning.causes.extend(named);
    Some(warning.hint("leave out what the build does not need with a `.dockerignore`"))
}
