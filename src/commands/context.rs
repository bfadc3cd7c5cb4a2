//! `longshore context ls`

use std::path::{Path, PathBuf};

use super::contexts::unreadable;
use super::{World, contexts, key, read};
use crate::cli::{ContextArgs, ContextCommand, ContextLsArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::context::{Context, Entry, Weight, beside, slashed_bytes};
use crate::pipeline::{Image, Pipeline};
use crate::report;
use crate::report::context::{Form, Kind, Listing, escaped};

pub(super) fn run(args: &ContextArgs, world: &World) -> Result<(), Diagnostics> {
    match &args.command {
        ContextCommand::Ls(args) => ls(args, world),
    }
}

fn ls(args: &ContextLsArgs, world: &World) -> Result<(), Diagnostics> {
    let form = match (args.json, args.size) {
        (true, _) => Form::Json,
        (false, true) => Form::Sizes,
        (false, false) => Form::Paths,
    };
    match &args.context {
        Some(folder) => {
            let context = of_folder(&world.folder.join(folder), args.dockerfile.as_deref(), world)
                .map_err(|error| unreadable(None, error))?;
            list(&context, form, None, world)
        }
        None => {
            let loaded = read::pipeline(&args.pipeline, world)?;
            let image = the_image(&loaded.pipeline, args.image.as_deref())?;
            let written = key::written(&loaded.pipeline, &loaded.root);
            let context =
                contexts::open(image, &loaded.root, &written).map_err(|error| unreadable(Some(image), error))?;
            list(&context, form, Some(image), world)
        }
    }
}

/// The context of a folder, without a pipeline. The Dockerfile's path starts from the folder, or else from where the
/// user is, wherever there is something.
fn of_folder(
    folder: &Path,
    dockerfile: Option<&Path>,
    world: &World,
) -> Result<Context, crate::effects::context::ContextError> {
    let inside = folder.join(dockerfile.unwrap_or(Path::new("Dockerfile")));
    let outside = dockerfile.map(|file| world.folder.join(file));
    let is_there = |file: &PathBuf| file.exists() || beside(file).exists();
    let file = outside.filter(|file| !is_there(&inside) && is_there(file)).unwrap_or(inside);
    Context::folder(folder, Some(&file))
}

fn the_image<'p>(pipeline: &'p Pipeline, name: Option<&str>) -> Result<&'p Image, Diagnostics> {
    let known = || pipeline.images.iter().map(|image| format!("`{}`", image.name)).collect::<Vec<_>>().join(", ");
    match (name, pipeline.images.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Diagnostic::input("the pipeline has several images, each with a context of its own")
            .hint(format!("name one of {}", known()))
            .into()),
        (Some(name), images) => images.iter().find(|image| image.name == name).ok_or_else(|| {
            Diagnostic::input(format!("there is no image `{name}` in the pipeline file"))
                .hint(format!("its images are {}", known()))
                .into()
        }),
    }
}

fn list(context: &Context, form: Form, image: Option<&Image>, world: &World) -> Result<(), Diagnostics> {
    let mut listing = Listing::begin(form)?;
    let mut weight = Weight::default();
    for entry in context.walk().map_err(|error| unreadable(image, error))? {
        let Entry { path, metadata } = entry.map_err(|error| unreadable(image, error))?;
        let bytes = slashed_bytes(&path);
        let kind = metadata.file_type();
        if kind.is_file() {
            weight.add(&path, metadata.len());
            listing.add(&bytes, Kind::File, metadata.len())?;
        } else if kind.is_dir() {
            listing.add(&bytes, Kind::Folder, 0)?;
        } else if kind.is_symlink() {
            listing.add(&bytes, Kind::Link, 0)?;
        } else {
            report::note(&format!("`{}` is neither file, folder nor link; left out", escaped(&bytes)));
        }
    }
    listing.end(weight.bytes())?;
    world.warn(&contexts::too_much(image, &weight).into_iter().collect::<Vec<_>>());
    Ok(())
}
