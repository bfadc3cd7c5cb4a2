//! `longshore scan`

use std::path::Path;

use super::read::Loaded;
use super::target;
use super::way::Way;
use super::{World, look, read, scanned};
use crate::cli::{RegistryArgs, ScanArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::execute::ports::{Ecr, Failure, Registry, ServiceError};
use crate::execute::{Scanner, targets};
use crate::explain::{Circumstances, explain};
use crate::names::{Digest, ImageRef, Reference, RegistryHost, RepositoryName};
use crate::pipeline::{self, Pipeline};
use crate::report::scan::Scanned;
use crate::report::{self, files};
use crate::scan::{End, ImageScan, NoScan, Objection, Policy, judge};

/// What is to be scanned.
struct Wanted {
    /// What the user calls it.
    name: String,
    repository: RepositoryName,
    /// Where it may be found, the likeliest first.
    references: Vec<Reference>,
    /// The gate of the pipeline's image.
    gate: Option<Policy>,
    file: Option<String>,
}

pub(super) async fn run(args: &ScanArgs, world: &World) -> Result<(), Diagnostics> {
    files::check([&args.files.sarif, &args.files.junit].into_iter().flatten().map(|path| world.folder.join(path)))?;
    let loaded = match read::find(&args.pipeline, world) {
        Some(_) => Some(read::pipeline(&args.pipeline, world)?),
        None => None,
    };
    let (wanted, host) = wanted(args, loaded.as_ref(), world)?;
    let registry = loaded.as_ref().map_or_else(pipeline::Registry::default, |loaded| loaded.pipeline.registry.clone());
    let at = RegistryArgs {
        registry: host.or_else(|| args.registry.registry.clone()),
        region: args.registry.region.clone(),
    };
    let target = target::connect(&registry, &at, None, world).await?;
    let way = Way::to(target, world).map_err(|error| told(&error))?;
    let digest = find(&wanted, &way).await?;
    let image = ImageRef::digested(&way.host, &wanted.repository, &digest);

    let gated = wanted.gate.is_some() || args.fail_on.is_some();
    let mut policy = wanted.gate.unwrap_or_default();
    policy.fail_on = args.fail_on.unwrap_or(policy.fail_on);
    let scans = scans(&way, &image, &digest, &policy).await.map_err(|error| told(&error))?;
    let judgement = judge(&policy, clock::now().date(), &scans);
    let scanned = Scanned {
        name: wanted.name,
        image,
        file: wanted.file,
        fail_on: gated.then_some(policy.fail_on),
        scans: &scans,
        judgement: &judgement,
    };
    if args.json {
        report::print_json(&report::json::with_retries(report::scan::json(&scanned), world.retries.sum()))?;
    } else {
        report::print(&report::scan::table(&scanned))?;
    }
    scanned::write(&args.files, std::slice::from_ref(&scanned), world)?;
    let is_closing = |objection: &&Objection| gated || !matches!(objection, Objection::Finding { .. });
    let objections: Vec<Objection> = judgement.objections.iter().filter(is_closing).cloned().collect();
    if objections.is_empty() {
        return Ok(());
    }
    let failure = Failure::GateClosed { fail_on: policy.fail_on, objections, released: true };
    Err(told(&ServiceError { failure, doing: format!("let {} through", scanned.name), cause: String::new() }).into())
}

async fn scans(way: &Way, image: &ImageRef, digest: &Digest, policy: &Policy) -> Result<Vec<ImageScan>, ServiceError> {
    let manifest = way.registry.manifest(image, &way.ecr.credential().await?).await?;
    let targets = targets(digest, &manifest.bytes)?;
    let scanning = way.ecr.scanning(&image.repository).await?;
    if scanning.is_off() {
        let never = |target: &crate::scan::Child| ImageScan {
            digest: target.digest.clone(),
            platform: target.platform.clone(),
            end: End::NeverScanned(NoScan::NoFilter),
        };
        return Ok(targets.iter().map(never).collect());
    }
    let began = clock::instant();
    let scanner = Scanner { ecr: &way.ecr, repository: &image.repository, scanning, elapsed: &|| began.elapsed() };
    let say = |event| report::note(&report::progress::scan_words(&event));
    scanner.scan(&targets, policy, &say).await
}

/// What the user means, and the registry if that is named.
fn wanted(
    args: &ScanArgs,
    loaded: Option<&Loaded>,
    world: &World,
) -> Result<(Wanted, Option<RegistryHost>), Diagnostics> {
    let text = args.image.as_str();
    let name = text.split(['@', ':']).next().unwrap_or_default();
    if let Some(Loaded { pipeline, root }) = loaded
        && let Some(at) = pipeline.images.iter().position(|image| image.name == name)
    {
        let image = &pipeline.images[at];
        let references = match text.len() == name.len() {
            true => tags_of(at, pipeline, args, root, world)?,
            false => vec![parse(&format!("any.example/image{}", &text[name.len()..]))?.reference],
        };
        let wanted = Wanted {
            name: text.to_owned(),
            repository: image.repository.name.clone(),
            references,
            gate: image.gate.clone(),
            file: scanned::dockerfile(image, root),
        };
        return Ok((wanted, None));
    }
    let first = text.split('/').next().unwrap_or_default();
    let is_whole = text.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let is_named = text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if !is_named {
        let mut problem = Diagnostic::input(format!("`{text}` names no image"));
        if let Some(loaded) = loaded {
            let names: Vec<String> = loaded.pipeline.images.iter().map(|image| format!("`{}`", image.name)).collect();
            problem = problem.hint(format!("the images of the pipeline are {}", names.join(", ")));
        }
        return Err(problem.hint("or name a repository with a tag or a digest, as in `shop/web:1.2.3`").into());
    }
    let whole = if is_whole { text.to_owned() } else { format!("any.example/{text}") };
    let parsed = parse(&whole)?;
    let of_pipeline = loaded.and_then(|Loaded { pipeline, root }| {
        let image = pipeline.images.iter().find(|image| image.repository.name == parsed.repository);
        Some((image?, root))
    });
    let wanted = Wanted {
        name: text.to_owned(),
        gate: of_pipeline.and_then(|(image, _)| image.gate.clone()),
        file: of_pipeline.and_then(|(image, root)| scanned::dockerfile(image, root)),
        repository: parsed.repository,
        references: vec![parsed.reference],
    };
    Ok((wanted, is_whole.then_some(parsed.host)))
}

fn parse(text: &str) -> Result<ImageRef, Diagnostic> {
    text.parse()
        .map_err(|error: crate::names::InvalidName| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))
}

/// The tags that this checkout gives an image.
fn tags_of(
    at: usize,
    pipeline: &Pipeline,
    args: &ScanArgs,
    root: &Path,
    world: &World,
) -> Result<Vec<Reference>, Diagnostics> {
    let facts = look::checkout(&args.facts, root, world)?;
    let environment = look::environment(&args.facts, pipeline, &facts, world)?;
    let mut tags = look::tags(pipeline, &facts, &environment)?;
    Ok(tags.swap_remove(at).tags.into_iter().map(|planned| Reference::Tag(planned.tag)).collect())
}

async fn find(wanted: &Wanted, way: &Way) -> Result<Digest, Diagnostic> {
    let credential = way.ecr.credential().await.map_err(|error| told(&error))?;
    for reference in &wanted.references {
        let image =
            ImageRef { host: way.host.clone(), repository: wanted.repository.clone(), reference: reference.clone() };
        if let Some(digest) = way.registry.digest(&image, &credential).await.map_err(|error| told(&error))? {
            return Ok(digest);
        }
    }
    let tried: Vec<String> = wanted.references.iter().map(|reference| format!("`{}`", reference.as_str())).collect();
    let message = format!("there is no image `{}` in {}", wanted.name, way.host);
    Err(Diagnostic::input(message)
        .caused_by(format!("repository `{}` has none of {}", wanted.repository, tried.join(", ")))
        .hint("push it first with `longshore run --no-tag`, or name a tag that is there"))
}

fn told(error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default())
}
