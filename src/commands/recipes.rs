//! A first look at the contexts and Dockerfiles, so that one that is missing is known before anything is changed.

use std::collections::BTreeSet;
use std::path::Path;

use super::{contexts, origins};
use crate::diagnostic::Diagnostics;
use crate::dockerfile::{self, Circumstances};
use crate::names::{Platform, RegistryHost};
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
    /// The images that they are built on, as far as they can be told, and those that are named contexts.
    pub(crate) fn images(&self, pipeline: &Pipeline) -> BTreeSet<String> {
        // Which platform is built for hardly ever decides what is built on.
        let Ok(platform) = "linux/amd64".parse::<Platform>() else { return BTreeSet::new() };
        let mut all = BTreeSet::new();
        for (image, text) in pipeline.images.iter().zip(&self.0) {
            let contexts = image.build.additional_contexts.keys().cloned().collect();
            let declared = image.build.platforms.as_slice();
            let platforms = if declared.is_empty() { std::slice::from_ref(&platform) } else { declared };
            for platform in platforms {
                let circumstances = Circumstances {
                    target: image.build.target.as_deref(),
                    args: &image.build.args,
                    platform,
                    build_platform: platform,
                    contexts: &contexts,
                };
                all.extend(dockerfile::read(text, &circumstances).map(|recipe| recipe.images).unwrap_or_default());
            }
            all.extend(origins::references(image).cloned());
        }
        all
    }

    /// The images whose Dockerfile, or a build argument of it, speaks of this registry.
    pub(crate) fn based_on(&self, host: &RegistryHost, pipeline: &Pipeline) -> BTreeSet<String> {
        let speaks = |text: &String| text.contains(host.as_str());
        let images = pipeline.images.iter().zip(&self.0);
        let based = images.filter(|(image, text)| speaks(text) || image.build.args.values().any(speaks));
        based.map(|(image, _)| image.name.clone()).collect()
    }
}
