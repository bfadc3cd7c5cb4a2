//! The first step: the pipeline file.

use std::path::{Path, PathBuf};

use super::World;
use crate::cli::PipelineArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::workspace;
use crate::names;
use crate::pipeline::{self, Image, Pipeline};

/// A pipeline, and the folder that its paths start from.
pub(super) struct Loaded {
    pub(super) pipeline: Pipeline,
    pub(super) root: PathBuf,
}

/// The pipeline file that was named, or the nearest one.
pub(super) fn find(args: &PipelineArgs, world: &World) -> Option<PathBuf> {
    let named = args.file.as_deref().or_else(|| world.variable("LONGSHORE_FILE").map(Path::new));
    named.map(|path| world.folder.join(path)).or_else(|| workspace::find_pipeline_file(&world.folder))
}

/// Reads the pipeline file that was named, or the nearest one, and the files that it names. Tells their warnings.
pub(super) fn pipeline(args: &PipelineArgs, world: &World) -> Result<Loaded, Diagnostics> {
    let Loaded { mut pipeline, root } = alone(args, world)?;
    let policies = pipeline::load_files(&mut pipeline, &|file: &Path| {
        let file = root.join(file);
        workspace::read(&file).map(|bytes| (shown(&file, &world.folder), bytes)).map_err(|error| error.to_string())
    })?;
    world.warn(&policies);
    Ok(Loaded { pipeline, root })
}

/// Reads the pipeline file that was named, or the nearest one, and nothing that it names. Tells its warnings.
pub(super) fn alone(args: &PipelineArgs, world: &World) -> Result<Loaded, Diagnostics> {
    let path = find(args, world).ok_or_else(no_file)?;
    let stdin = args.file.as_deref().filter(|file| *file == Path::new("-"));
    let name = if stdin.is_some() { "standard input".to_owned() } else { shown(&path, &world.folder) };
    let bytes = workspace::read_pipeline(stdin.unwrap_or(&path)).map_err(|error| {
        Diagnostic::input(format!("cannot read the pipeline file `{name}`")).caused_by(error.to_string())
    })?;
    let (pipeline, warnings) =
        pipeline::parse_bytes(&name, bytes)?.resolve(&|variable: &str| world.variables.get(variable).cloned())?;
    world.warn(&warnings);
    let root = path.parent().unwrap_or(&world.folder).to_owned();
    Ok(Loaded { pipeline, root })
}

/// The pipeline, where there is one.
pub(super) fn pipeline_if_any(args: &PipelineArgs, world: &World) -> Result<Option<Pipeline>, Diagnostics> {
    match find(args, world) {
        None => Ok(None),
        Some(_) => Ok(Some(pipeline(args, world)?.pipeline)),
    }
}

/// Keeps only the images of these names and those that they need, if any names are given. A name may be a glob.
pub(super) fn select(pipeline: &mut Pipeline, names: &[String]) -> Result<(), Diagnostics> {
    let named = named(pipeline, names)?;
    let wanted = pipeline.with_needed(named.iter().map(String::as_str));
    let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    pipeline.images.retain(|image| wanted.contains(&image.name));
    Ok(())
}

/// Keeps only the images of these names, if any are given, without those that they need.
pub(super) fn select_alone(pipeline: &mut Pipeline, names: &[String]) -> Result<(), Diagnostics> {
    let named = named(pipeline, names)?;
    pipeline.images.retain(|image| named.contains(&image.name));
    Ok(())
}

/// The images that these names and globs mean; all, if there are none.
fn named(pipeline: &Pipeline, names: &[String]) -> Result<Vec<String>, Diagnostics> {
    let known = |name: &String| pipeline.images.iter().any(|image| pipeline::glob(name, &image.name));
    let unknown = names.iter().filter(|name| !known(name)).map(|name| {
        let images: Vec<String> = pipeline.images.iter().map(|image| format!("`{}`", image.name)).collect();
        let near = names::nearest(name, pipeline.images.iter().map(|image| image.name.as_str()));
        Diagnostic::input(format!("there is no image `{name}` in the pipeline file"))
            .hint_maybe(near.map(|near| format!("did you mean `{near}`?")))
            .hint(format!("its images are {}", images.join(", ")))
    });
    Diagnostics::check(unknown.collect())?;
    let is_wanted = |image: &&Image| names.is_empty() || names.iter().any(|name| pipeline::glob(name, &image.name));
    Ok(pipeline.images.iter().filter(is_wanted).map(|image| image.name.clone()).collect())
}

fn no_file() -> Diagnostic {
    Diagnostic::input("there is no longshore.yaml here, nor in a folder above within the git repository")
        .hint("write one with `longshore init`, or name it with `--file`")
}

/// The path as short as it can be said from where the user is.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
