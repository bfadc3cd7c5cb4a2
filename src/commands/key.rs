//! `longshore key`, and the keys for whoever else needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::origins::{self, Origins};
use super::target::{self, Known};
use super::{World, builders, contexts, defect, read};
use crate::cli::KeyArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dockerfile::{self, Circumstances, Recipe};
use crate::effects::clock;
use crate::effects::context::{Context, ContextError};
use crate::effects::docker_credential;
use crate::effects::fingerprint::{self, Fingerprint, Remembered};
use crate::effects::registry::{BaseImages, OwnRegistry};
use crate::effects::workspace;
use crate::facts::Variables;
use crate::key::{self, BaseImage, FileSet, ImageInputs, ImageKey, KeyParts, PlatformInputs};
use crate::names::{Digest, ImageRef, Platform, Reference};
use crate::pipeline::{Image, ManifestKind, NamedContext, Pipeline, Reuse};
use crate::report;
use crate::retry::Tally;

pub(super) async fn run(args: &KeyArgs, world: &World) -> Result<(), Diagnostics> {
    let loaded = read::pipeline(&args.pipeline, world)?;
    let mut wanted = loaded.pipeline.clone();
    read::select(&mut wanted, &args.images)?;
    let builders = builders::find(&loaded.pipeline, &loaded.root, world).await;
    let (platform, source) = builders.platform();
    source.tell(&platform);
    let Known { ecr, host } = target::known(&loaded.pipeline.registry, &args.registry, world).await?;
    let own = ecr.as_ref().zip(host.as_ref()).map(|(ecr, host)| OwnRegistry { host, ecr });
    let written = written(&loaded.pipeline, &loaded.root);
    let sight = Sight {
        root: &loaded.root,
        written: &written,
        platform: &platform,
        buildkit: builders.build_with_buildkit(),
        own,
        variables: &world.variables,
        retries: &world.retries,
        warn: &|warnings| world.warn(warnings),
    };
    let images: BTreeSet<&str> = wanted.images.iter().map(|image| image.name.as_str()).collect();
    let mut keys = keys(&loaded.pipeline, &images, &sight).await?;
    keys.retain(|key| images.contains(key.name.as_str()));
    if args.json {
        return Ok(report::print(&report::keys::json(&keys, world.retries.sum()))?);
    }
    let always = keys.iter().filter_map(|image| {
        let reason = &image.key.as_ref().err()?.reason;
        Some(Diagnostic::input(format!("image `{}` has no key and is always built: {reason}", image.name)))
    });
    world.warn(&always.collect::<Vec<_>>());
    Ok(report::print(&if args.explain { report::keys::explained(&keys) } else { report::keys::plain(&keys) })?)
}

/// The files that a run of this pipeline writes.
pub(super) fn written(pipeline: &Pipeline, root: &Path) -> Vec<PathBuf> {
    pipeline.outputs.files().map(|path| root.join(path)).collect()
}

/// What keys are computed with.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// The folder that the pipeline's paths start from.
    pub(crate) root: &'a Path,
    /// What the builder builds for unless it is told otherwise.
    pub(crate) platform: &'a Platform,
    /// All builders build with BuildKit.
    pub(crate) buildkit: bool,
    /// The registry that the images go to, if it is known.
    pub(crate) own: Option<OwnRegistry<'a>>,
    /// The files that a run itself writes.
    pub(crate) written: &'a [PathBuf],
    /// The environment.
    pub(crate) variables: &'a Variables,
    /// Where retries are counted.
    pub(crate) retries: &'a Arc<Tally>,
    /// Is told of what may go wrong.
    pub(crate) warn: &'a dyn Fn(&[Diagnostic]),
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
    let (opened, contexts) = open(&images, sight)?;
    let recipes = opened.iter().flat_map(|one| &one.recipes).filter_map(|(_, recipe)| recipe.as_ref().ok());
    let written = recipes.flat_map(|recipe| &recipe.images);
    let references = written.chain(images.iter().flat_map(|image| origins::references(image)));
    let references: BTreeSet<String> =
        references.filter(|reference| !is_own(reference, pipeline, sight)).cloned().collect();
    let bases = BaseImages::new(sight.variables, sight.own, sight.retries);
    let (fingerprints, digests, guarded) =
        tokio::join!(read_files(contexts, sight), bases.resolve(&references), guarded(&references, sight));
    let mut fingerprints = fingerprints?.into_iter();
    let seen = images.iter().zip(opened).map(|(image, opened)| {
        let own = opened.has_folder.then(|| fingerprints.next()).flatten();
        let named: Vec<_> = opened.named.into_iter().zip(fingerprints.by_ref()).collect();
        let named = named.into_iter().map(|(name, found)| Ok((name, found?))).collect::<Result<_, ContextError>>();
        let own = own.transpose()?;
        let origins = origins::find(image, sight.root, &named?, &digests, &guarded)?;
        Ok(Seen { dockerfile: opened.dockerfile, recipes: opened.recipes, own, origins })
    });
    let seen = contexts::all(&images, seen.collect())?;
    let large = images
        .iter()
        .zip(&seen)
        .filter_map(|(image, seen)| contexts::too_much(Some(image), &seen.own.as_ref()?.weight));
    let ever_new = images
        .iter()
        .zip(&seen)
        .filter(|(image, _)| image.reuse != Reuse::Never)
        .filter_map(|(image, seen)| contexts::ever_new(image, seen.own.as_ref()?));
    (sight.warn)(&large.chain(ever_new).collect::<Vec<_>>());
    let inputs = images.iter().zip(seen).map(|(image, seen)| input(image, &seen, &digests, &guarded, pipeline));
    Ok(key::assemble(inputs.collect()))
}

type Recipes = Vec<(Platform, Result<Recipe, String>)>;

/// An image before its files are read; its contexts are read beside it, its own before the named ones.
struct Opened {
    /// Of nothing, where only the builder can read the Dockerfile.
    dockerfile: Digest,
    /// What the Dockerfile says for each platform, or why that is not known.
    recipes: Recipes,
    has_folder: bool,
    /// The named contexts that are folders.
    named: Vec<String>,
}

/// An image when all has been read.
struct Seen {
    dockerfile: Digest,
    recipes: Recipes,
    own: Option<Fingerprint>,
    origins: Origins,
}

fn open(images: &[&Image], sight: &Sight<'_>) -> Result<(Vec<Opened>, Vec<Context>), Diagnostics> {
    let mut folders = Vec::new();
    let opened = images.iter().map(|image| {
        let contexts::Opened { context, dockerfile } = contexts::look(image, sight.root, sight.written)?;
        let named = contexts::named_folders(image, sight.root, sight.written)?;
        let has_folder = context.is_some();
        let (names, contexts): (Vec<String>, Vec<Context>) = named.into_iter().unzip();
        folders.extend(context.into_iter().chain(contexts));
        let recipe = |platform: &Platform| match &dockerfile {
            Some(bytes) => recipe(image, &String::from_utf8_lossy(bytes), platform, sight),
            None => Err("its Dockerfile is inside of its context, which only the builder reads".to_owned()),
        };
        let recipes = platforms(image, sight).into_iter().map(|platform| (recipe(&platform), platform));
        let recipes = recipes.map(|(recipe, platform)| (platform, recipe)).collect();
        let dockerfile = Digest::of(dockerfile.as_deref().unwrap_or_default());
        Ok(Opened { dockerfile, recipes, has_folder, named: names })
    });
    let opened = contexts::all(images, opened.collect())?;
    Ok((opened, folders))
}

fn recipe(image: &Image, text: &str, platform: &Platform, sight: &Sight<'_>) -> Result<Recipe, String> {
    let circumstances = Circumstances {
        target: image.build.target.as_deref(),
        args: &image.build.args,
        platform,
        build_platform: sight.platform,
        contexts: &image.build.additional_contexts.keys().cloned().collect(),
    };
    dockerfile::read(text, &circumstances).map_err(|problem| format!("its Dockerfile is not understood: {problem}"))
}

/// The platforms that an image is built for, at least one.
fn platforms(image: &Image, sight: &Sight<'_>) -> Vec<Platform> {
    let declared: Vec<Platform> = image.build.platforms.iter().map(Platform::normalized).collect();
    if declared.is_empty() { vec![sight.platform.normalized()] } else { declared }
}

async fn read_files(
    contexts: Vec<Context>,
    sight: &Sight<'_>,
) -> Result<Vec<Result<Fingerprint, ContextError>>, Diagnostics> {
    let remembered = remembered(sight);
    let read = tokio::task::spawn_blocking(move || {
        defect::provoke("files", workspace::variables);
        fingerprint::contexts(&contexts, remembered.as_ref())
    });
    let read = read.await;
    read.map_err(|error| defect::of_task("cannot read the contexts", &error).into())
}

/// Where the hashes of the checkout's files are kept. Source: XDG Base Directory Specification.
fn remembered(sight: &Sight<'_>) -> Option<Remembered> {
    let variables = sight.variables;
    let set = |name: &str| variables.get(name).filter(|value| Path::new(value).is_absolute()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    let checkout = Digest::of(sight.root.as_os_str().as_encoded_bytes());
    let file = base.join("longshore").join("file-hashes").join(&checkout.hex()[..16]);
    Some(Remembered { file, began: clock::now() })
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
    seen: &Seen,
    digests: &BTreeMap<String, Result<Digest, String>>,
    guarded: &BTreeSet<String>,
    pipeline: &Pipeline,
) -> ImageInputs {
    let build = &image.build;
    let contexts = build.additional_contexts.iter();
    let contexts = contexts.filter_map(|(name, context)| Some((name.clone(), context.planned()?.to_owned()))).collect();
    let recipes = seen.recipes.iter();
    let inputs = |(platform, recipe): &(Platform, Result<Recipe, String>)| {
        on_platform(image, platform, recipe.clone(), seen, digests, guarded, pipeline)
    };
    ImageInputs {
        name: image.name.clone(),
        platforms: recipes.map(inputs).collect(),
        is_index: image.manifest == ManifestKind::Index,
        depends_on: image.depends_on.clone(),
        contexts,
    }
}

/// What is known of an image on one platform.
fn on_platform(
    image: &Image,
    platform: &Platform,
    recipe: Result<Recipe, String>,
    seen: &Seen,
    digests: &BTreeMap<String, Result<Digest, String>>,
    guarded: &BTreeSet<String>,
    pipeline: &Pipeline,
) -> PlatformInputs {
    let Origins { origin, named, unknowable } = &seen.origins;
    let (own, mut unknowable) = (seen.own.as_ref(), unknowable.clone());
    let recipe = recipe.unwrap_or_else(|problem| {
        unknowable.push(problem);
        Recipe::default()
    });
    unknowable.extend(recipe.unknowable.iter().map(|reason| format!("its Dockerfile {reason}")));
    let mut bases = BTreeMap::new();
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
    let options = &build.options;
    let attestations = [("provenance", &options.provenance), ("sbom", &options.sbom)];
    let parts = KeyParts {
        platform: platform.clone(),
        dockerfile: seen.dockerfile.clone(),
        target: build.target.clone(),
        args: build.args.clone(),
        labels: build.labels.clone(),
        network: build.network.clone(),
        extra_hosts: build.extra_hosts.clone(),
        shm_size: build.shm_size,
        files: own.map_or_else(|| Arc::new(FileSet::new(Vec::new())), |own| Arc::clone(&own.files)),
        checkout: own.and_then(|own| own.checkout.clone()).filter(|_| recipe.may_copy(".git")),
        bases,
        contexts: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        secrets: options.secrets.iter().map(|secret| secret.id.clone()).collect(),
        origin: origin.clone(),
        named: named.clone(),
        ssh: options.ssh.iter().map(|ssh| ssh.id.clone()).collect(),
        ulimits: options.ulimits.iter().map(|one| (one.name.clone(), format!("{}:{}", one.soft, one.hard))).collect(),
        entitlements: options.entitlements.iter().cloned().collect(),
        attestations: attestations
            .into_iter()
            .filter_map(|(kind, text)| Some((kind.to_owned(), text.clone()?)))
            .collect(),
    };
    let base = recipe.base.as_ref().and_then(|name| base(name, image, digests, platform));
    PlatformInputs { parts, unknowable, base }
}

/// What a `FROM` of this name builds on, if that is an image of a registry.
fn base(
    name: &str,
    image: &Image,
    digests: &BTreeMap<String, Result<Digest, String>>,
    platform: &Platform,
) -> Option<BaseImage> {
    let reference = match image.build.additional_contexts.get(name) {
        None => name,
        Some(NamedContext::Image(reference)) => reference,
        Some(NamedContext::Planned(_) | NamedContext::Folder(_) | NamedContext::Remote(_)) => return None,
    };
    let digest = digests.get(reference)?.as_ref().ok()?;
    let ImageRef { host, repository, .. } = reference.parse().ok()?;
    Some(BaseImage { image: ImageRef::digested(&host, &repository, digest), platform: platform.clone() })
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
    if sight.buildkit {
        return guarded;
    }
    for reference in references {
        let Ok(ImageRef { host, reference: Reference::Tag(_), .. }) = reference.parse() else { continue };
        let is_own = sight.own.is_some_and(|own| *own.host == host);
        // A configuration that cannot be read is told of where the reference is resolved.
        if !is_own && docker_credential::look_up(&host, sight.variables).await.is_ok_and(|found| found.is_some()) {
            guarded.insert(reference.clone());
        }
    }
    guarded
}
