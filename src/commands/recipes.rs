//! A first look at the contexts and Dockerfiles, so that one that is missing is known before anything is changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::key::folder_of;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::context::{Context, ContextError};
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::names::RegistryHost;
use crate::pipeline::{Image, Pipeline};

/// The Dockerfiles of a pipeline, as text, in the order of its images.
pub(crate) struct Recipes(Vec<String>);

/// Reads them all, and checks that the contexts are there.
pub(crate) fn read(pipeline: &Pipeline, root: &Path) -> Result<Recipes, Diagnostics> {
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    for image in &pipeline.images {
        match text(image, root) {
            Ok(text) => texts.push(text),
            Err(error) => problems.push(unreadable(image, &error.while_doing("look at the build context"))),
        }
    }
    Diagnostics::check(problems)?;
    Ok(Recipes(texts))
}

fn text(image: &Image, root: &Path) -> Result<String, ContextError> {
    // Through its components, which leave out `.`: the path is shown to the user.
    let context: PathBuf = root.join(folder_of(image)?).components().collect();
    Context::open(&context, &image.build.dockerfile)?;
    Context::dockerfile_text(&context, &image.build.dockerfile)
}

impl Recipes {
    /// The images whose Dockerfile, or a build argument of it, speaks of this registry.
    pub(crate) fn based_on(&self, host: &RegistryHost, pipeline: &Pipeline) -> BTreeSet<String> {
        let speaks = |text: &String| text.contains(host.as_str());
        let images = pipeline.images.iter().zip(&self.0);
        let based = images.filter(|(image, text)| speaks(text) || image.build.args.values().any(speaks));
        based.map(|(image, _)| image.name.clone()).collect()
    }
}

fn unreadable(image: &Image, error: &ServiceError) -> Diagnostic {
    let around = Circumstances { image: Some(&image.name), ..Circumstances::default() };
    explain(error, around).at_maybe(image.build.place.clone())
}
