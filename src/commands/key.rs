//! `longshore key`, and the keys for whoever else needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::target::{self, Known};
use super::{World, read};
use crate::cli::KeyArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::dockerfile::{self, Circumstances, Recipe};
use crate::effects::context::{Context, ContextError};
use crate::effects::docker::{Docker, DockerSettings};
use crate::effects::docker_credential;
use crate::effects::fingerprint::{self, Fingerprint};
use crate::effects::program;
use crate::effects::registry::{BaseImages, OwnRegistry};
use crate::explain::{self, explain};
use crate::facts::Variables;
use crate::key::{self, ImageInputs, ImageKey, KeyParts};
use crate::names::{Digest, ImageRef, Platform, Reference};
use crate::pipeline::{Image, Pipeline};
use crate::report;

pub(super) async fn run(args: &KeyArgs, world: &World) -> Result<(), Diagnostics> {
    let loaded = read::pipeline(&args.pipeline, world)?;
    let mut wanted = loaded.pipeline.clone();
    read::select(&mut wanted, &args.images)?;
    let (platform, source) = platform_of_daemon(world).await;
    source.tell(&platform);
    let Known { ecr, host } = target::known(&loaded.pipeline.registry, &args.registry, world).await?;
    let own = ecr.as_ref().zip(host.as_ref()).map(|(ecr, host)| OwnRegistry { host, ecr });
    let written = written(&loaded.pipeline, &loaded.root);
    let sight = Sight { root: &loaded.root, written: &written, platform: &platform, own, variables: &world.variables };
    let images: BTreeSet<&str> = wanted.images.iter().map(|image| image.name.as_str()).collect();
    let mut keys = keys(&loaded.pipeline, &images, &sight).await?;
    keys.retain(|key| images.contains(key.name.as_str()));
    if args.json {
        return Ok(report::print(&report::keys::json(&keys))?);
    }
    let always = keys.iter().filter_map(|image| {
        let reason = &image.key.as_ref().err()?.reason;
        Some(Diagnostic::input(format!("image `{}` has no key and is always built: {reason}", image.name)))
    });
    report::warnings(&always.collect::<Vec<_>>(), world.colors);
    Ok(report::print(&if args.explain { report::keys::explained(&keys) } else { report::keys::plain(&keys) })?)
}

/// What the daemon builds for unless it is told otherwise; what this machine is, if no daemon says so.
pub(super) async fn platform_of_daemon(world: &World) -> (Platform, PlatformSource) {
    let asked = async {
        Docker::connect(&DockerSettings::from_environment(&world.variables)).ok()?.look().await.ok()?.platform()
    };
    match asked.await {
        Some(platform) => (platform, PlatformSource::Daemon),
        None => (program::platform(), PlatformSource::Machine),
    }
}

/// Who says what images without a `platform` are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlatformSource {
    Daemon,
    /// No daemon answers, so that it is a guess.
    Machine,
}

impl PlatformSource {
    /// Tells the user of a guess.
    pub(super) fn tell(self, platform: &Platform) {
        if self == PlatformSource::Machine {
            report::note(&format!(
                "the Docker daemon does not answer; images without a `platform` are taken for {platform}"
            ));
        }
    }
}

/// The files that a run of this pipeline writes.
pub(super) fn written(pipeline: &Pipeline, root: &Path) -> Vec<PathBuf> {
    let outputs = &pipeline.outputs;
    outputs.image_definitions.iter().chain(&outputs.image_detail).map(|path| root.join(path)).collect()
}

/// What keys are computed with.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// The folder that the pipeline's paths start from.
    pub(crate) root: &'a Path,
    /// What the builder builds for unless it is told otherwise.
    pub(crate) platform: &'a Platform,
    /// The registry that the images go to, if it is known.
    pub(crate) own: Option<OwnRegistry<'a>>,
    /// The files that a run itself writes.
    pub(crate) written: &'a [PathBuf],
    /// The environment.
    pub(crate) variables: &'a Variables,
}

/// The keys of these images and of all that they need, in the order of dependencies.
///
/// # Errors
/// If a context or a Dockerfile cannot be read; whatever else is not known makes an image one that is always built.
pub(crate) async fn keys(
    pipeline: &Pipeline,
    names: &BTreeSet<&str>,
    sight: &Sight<'_>,
) -> Result<Vec<ImageKey>, Diagnostics> {
    let needed = pipeline.with_needed(names.iter().copied());
    let ordered = pipeline.in_dependency_order();
    let images: Vec<&Image> = ordered.into_iter().filter(|image| needed.contains(image.name.as_str())).collect();
    let (recipes, contexts) = open(&images, sight)?;
    let references = recipes.iter().flat_map(|(_, recipe)| recipe.iter().flat_map(|recipe| &recipe.images));
    let references: BTreeSet<String> =
        references.filter(|reference| !is_own(reference, pipeline, sight)).cloned().collect();
    let bases = BaseImages::new(sight.variables, sight.own);
    let (fingerprints, digests, guarded) =
        tokio::join!(read_files(contexts), bases.resolve(&references), guarded(&references, sight));
    let fingerprints = all(&images, fingerprints?)?;
    let inputs = images.iter().zip(recipes).zip(fingerprints);
    let inputs =
        inputs.map(|((image, recipe), files)| input(image, recipe, files, &digests, &guarded, pipeline, sight));
    Ok(key::assemble(inputs.collect()))
}

/// What a Dockerfile's bytes are, and what they say; or why that is not known.
type Read = (Digest, Result<Recipe, String>);

fn open(images: &[&Image], sight: &Sight<'_>) -> Result<(Vec<Read>, Vec<Context>), Diagnostics> {
    let opened = images.iter().map(|image| {
        let folder = sight.root.join(folder_of(image)?);
        let context =
            Context::open(&folder, &image.build.dockerfile)?.leaving_out(sight.written.iter().map(PathBuf::as_path));
        let bytes = Context::dockerfile_bytes(&folder, &image.build.dockerfile)?;
        Ok(((Digest::of(&bytes), recipe(image, &String::from_utf8_lossy(&bytes), sight)), context))
    });
    Ok(all(images, opened.collect())?.into_iter().unzip())
}

/// The folder of its context, as written.
pub(super) fn folder_of(image: &Image) -> Result<&Path, ContextError> {
    let context = &image.build.context;
    let other =
        || ContextError::new(Path::new(&context.to_string()), &"a context that is no folder cannot be read yet");
    context.folder().map(PathBuf::as_path).ok_or_else(other)
}

fn recipe(image: &Image, text: &str, sight: &Sight<'_>) -> Result<Recipe, String> {
    let circumstances = Circumstances {
        target: image.build.target.as_deref(),
        args: &image.build.args,
        platform: &platform(image, sight),
        build_platform: sight.platform,
        contexts: &image.build.additional_contexts.keys().cloned().collect(),
    };
    dockerfile::read(text, &circumstances).map_err(|problem| format!("its Dockerfile is not understood: {problem}"))
}

fn platform(image: &Image, sight: &Sight<'_>) -> Platform {
    image.build.platform.as_ref().unwrap_or(sight.platform).normalized()
}

async fn read_files(contexts: Vec<Context>) -> Result<Vec<Result<Fingerprint, ContextError>>, Diagnostics> {
    let read = tokio::task::spawn_blocking(move || fingerprint::contexts(&contexts)).await;
    read.map_err(|error| Diagnostic::new(Blame::Bug, "cannot read the contexts").caused_by(error.to_string()).into())
}

/// What was found for every image, or every problem at once.
fn all<T>(images: &[&Image], found: Vec<Result<T, ContextError>>) -> Result<Vec<T>, Diagnostics> {
    let mut problems = Vec::new();
    let mut good = Vec::with_capacity(found.len());
    for (image, found) in images.iter().zip(found) {
        match found {
            Ok(found) => good.push(found),
            Err(error) => {
                let around = explain::Circumstances { image: Some(&image.name), ..explain::Circumstances::default() };
                problems
                    .push(explain(&error.while_doing("read the context"), around).at_maybe(image.build.place.clone()));
            }
        }
    }
    Diagnostics::check(problems)?;
    Ok(good)
}

/// Whether a reference names an image that this very pipeline makes, so that its key stands for it and not the digest
/// that it had last time.
fn is_own(reference: &str, pipeline: &Pipeline, sight: &Sight<'_>) -> bool {
    let Ok(ImageRef { host, repository, reference: Reference::Tag(_) }) = reference.parse() else { return false };
    sight.own.is_some_and(|own| *own.host == host)
        && pipeline.images.iter().any(|image| image.repository.name == repository)
}

fn input(
    image: &Image,
    (dockerfile, recipe): Read,
    fingerprint: Fingerprint,
    digests: &BTreeMap<String, Result<Digest, String>>,
    guarded: &BTreeSet<String>,
    pipeline: &Pipeline,
    sight: &Sight<'_>,
) -> ImageInputs {
    let mut unknowable = Vec::new();
    let recipe = recipe.unwrap_or_else(|problem| {
        unknowable.push(problem);
        Recipe::default()
    });
    unknowable.extend(recipe.unknowable.iter().map(|reason| format!("its Dockerfile {reason}")));
    let mut bases = BTreeMap::new();
    let depends_on = image.depends_on.clone();
    for reference in &recipe.images {
        match digests.get(reference) {
            Some(Ok(digest)) => {
                if guarded.contains(reference) {
                    unknowable.push(format!(
                        "base image `{reference}` needs a credential of the docker configuration, which the builder is not \
                         given"
                    ));
                }
                bases.insert(reference.clone(), digest.clone());
            }
            Some(Err(problem)) => unknowable.push(format!("base image `{reference}` is not known: {problem}")),
            None => unknowable.push(own_base(reference, pipeline)),
        }
    }
    let build = &image.build;
    let parts = KeyParts {
        platform: platform(image, sight),
        dockerfile,
        target: build.target.clone(),
        args: build.args.clone(),
        labels: build.labels.clone(),
        network: build.network.clone(),
        extra_hosts: build.extra_hosts.clone(),
        shm_size: build.shm_size,
        files: Arc::clone(&fingerprint.files),
        checkout: fingerprint.checkout.filter(|_| recipe.may_copy(".git")),
        bases,
        contexts: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        secrets: BTreeSet::new(),
    };
    let contexts = build.additional_contexts.iter();
    let contexts = contexts.filter_map(|(name, context)| Some((name.clone(), context.planned()?.to_owned()))).collect();
    ImageInputs { name: image.name.clone(), parts, depends_on, contexts, unknowable }
}

/// Why a base that this very pipeline makes leaves an image without a key: the builder gets what the tag names when it
/// asks, which before the release is the image of the run before.
fn own_base(reference: &str, pipeline: &Pipeline) -> String {
    let parsed: Option<ImageRef> = reference.parse().ok();
    let is_named = |image: &&Image| parsed.as_ref().is_some_and(|r| r.repository == image.repository.name);
    let name = pipeline.images.iter().find(is_named).map_or("another image", |image| image.name.as_str());
    format!("its base `{reference}` is image `{name}` of this pipeline, and its tag moves at the end of the run")
}

/// The references by tag to registries for which the docker client has a credential, where the builder cannot ask for
/// it, and so may build on an older copy of its own. BuildKit can.
async fn guarded(references: &BTreeSet<String>, sight: &Sight<'_>) -> BTreeSet<String> {
    let mut guarded = BTreeSet::new();
    for reference in references {
        let Ok(ImageRef { host, reference: Reference::Tag(_), .. }) = reference.parse() else { continue };
        let is_own = sight.own.is_some_and(|own| *own.host == host);
        // A configuration that cannot be read is told of where the reference is resolved.
        if !is_own && docker_credential::look_up(&host, sight.variables).await.is_ok_and(|found| found.is_some()) {
            guarded.insert(reference.clone());
        }
    }
    if !guarded.is_empty() && builds_with_buildkit(sight.variables).await {
        guarded.clear();
    }
    guarded
}

/// Whether the daemon builds with BuildKit; without a daemon, whether the user lets it.
async fn builds_with_buildkit(variables: &Variables) -> bool {
    let settings = DockerSettings::from_environment(variables);
    if settings.classic_builder {
        return false;
    }
    let Ok(docker) = Docker::connect(&settings) else { return true };
    docker.look().await.map_or(true, |facts| facts.buildkit)
}
