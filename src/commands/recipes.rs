//! A first look at the contexts and Dockerfiles, so that one that is missing is known before anything is changed.

use std::collections::BTreeSet;
use std::path::Path;

use super::contexts;
use crate::diagnostic::Diagnostics;
use crate::names::RegistryHost;
use crate::pipeline::{Image, Pipeline};

/// The Dockerfiles of a pipeline, as text, in the order of its images.
pub(crate) struct Recipes(Vec<String>);

/// Reads them all, and checks that the contexts are there. One that only the builder can read is an empty text.
pub(crate) fn read(pipeline: &Pipeline, root: &Path) -> Result<Recipes, Diagnostics> {
    let images: Vec<&Image> = pipeline.images.iter().collect();
    let texts = images.iter().map(|image| {
        contexts::named_folders(image, root, &[])?;
        let bytes = contexts::look(image, root, &[])?.dockerfile.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    });
    Ok(Recipes(contexts::all(&images, texts.collect())?))
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
