//! `longshore copy`: one image, from any registry to others.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::World;
use super::target::{self, Known};
use crate::cli::{CopyArgs, RegistryArgs};
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::clock;
use crate::effects::ecr::{EcrClient, EcrSettings};
use crate::effects::registry::{FoundLogin, OwnRegistry, Registries, RegistryClient};
use crate::execute::events::CopyEvent;
use crate::execute::ports::{Credential, Destination, Ecr as _, ServiceError, Stock};
use crate::explain::{Circumstances, explain};
use crate::facts::RepositoryFacts;
use crate::names::{Digest, ImageRef, Reference, RegistryHost};
use crate::pipeline;
use crate::plan::RepositorySpec;
use crate::report;
use crate::report::copy::{Copied, Sent};

/// Where the image goes, and the way there.
struct Goal {
    image: ImageRef,
    client: Arc<RegistryClient>,
    credential: Credential,
    /// The image has its name there already.
    is_done: bool,
    /// The control plane, where it is one of ECR's registries and not the run's own.
    ecr: Option<EcrClient>,
}

pub(super) async fn run(args: &CopyArgs, world: &World) -> Result<(), Diagnostics> {
    let source = parse(&args.source)?;
    let images = destinations(args, &source)?;
    let nothing = RegistryArgs { registry: None, region: None };
    let Known { ecr, host } = target::known(&pipeline::Registry::default(), &nothing, world).await?;
    let own = ecr.as_ref().zip(host.as_ref()).map(|(ecr, host)| OwnRegistry { host, ecr });
    let registries = Registries::new(&world.variables, own, &world.retries);

    let began = clock::instant();
    let from = registries.client(&source.host).await.map_err(|error| told(&error))?;
    let FoundLogin { credential, missing } = registries.login(&source.host).await;
    let digest = from.look_up(&source, credential.as_ref()).await;
    let digest = digest.map_err(|error| told(&error).caused_by_maybe(missing.as_deref()))?;
    let digest = digest.ok_or_else(|| {
        Diagnostic::input(format!("there is no image {source}")).hint("check the registry, the repository and the tag")
    })?;

    let goals = goals(images, &digest, args, &registries, own, world).await?;
    let pinned = ImageRef::digested(&source.host, &source.repository, &digest);
    let work = Work { from: &from, credential: credential.as_ref(), goals: &goals, own, sent: RefCell::default() };
    work.copy(&pinned, None).await?;
    if args.referrers {
        let referrers = from.referrers(&pinned, credential.as_ref()).await.map_err(|error| told(&error))?;
        for reference in referrers {
            let image = ImageRef { reference: reference.clone(), ..source.clone() };
            work.copy(&image, Some(&reference)).await?;
        }
    }
    // Every registry has it all before any has it under its name.
    work.name(&pinned).await?;
    let goals = goals.iter().map(|goal| (&goal.image, goal.is_done)).collect();
    let copied =
        Copied { source: &source, digest: &digest, goals, sent: work.sent.into_inner(), took: began.elapsed() };
    report::note(&copied.summary());
    Ok(report::print(&if args.json { copied.json(world.retries.sum()) } else { copied.text() })?)
}

fn parse(text: &str) -> Result<ImageRef, Diagnostic> {
    text.parse()
        .map_err(|error: crate::names::InvalidName| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))
}

/// The names that the image gets; without a tag, its own.
fn destinations(args: &CopyArgs, source: &ImageRef) -> Result<Vec<ImageRef>, Diagnostics> {
    let mut problems = Vec::new();
    let mut images: Vec<ImageRef> = Vec::new();
    for text in &args.destinations {
        let first = text.split('/').next().unwrap_or_default();
        if !text.contains('/') || !(first.contains(['.', ':']) || first == "localhost") {
            let hint = "write it as `HOST/REPOSITORY` or `HOST/REPOSITORY:TAG`";
            problems.push(Diagnostic::input(format!("the destination `{text}` names no registry")).hint(hint));
            continue;
        }
        let is_named = text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'));
        match parse(text) {
            Ok(image)
                if is_named
                    && matches!(image.reference, Reference::Digest(_))
                    && image.reference != source.reference =>
            {
                problems.push(
                    Diagnostic::input(format!("the destination `{text}` has a digest"))
                        .hint("the digest is the source's; give the destination a tag, or nothing"),
                );
            }
            Ok(image) => {
                let reference = if is_named { image.reference } else { source.reference.clone() };
                images.push(ImageRef { reference, ..image });
            }
            Err(problem) => problems.push(problem),
        }
    }
    let mut seen = BTreeSet::new();
    images.retain(|image| seen.insert(image.clone()));
    Diagnostics::check(problems)?;
    Ok(images)
}

/// Looks at all destinations, so that whatever stands in the way is known before anything is sent.
async fn goals(
    images: Vec<ImageRef>,
    digest: &Digest,
    args: &CopyArgs,
    registries: &Registries<'_>,
    own: Option<OwnRegistry<'_>>,
    world: &World,
) -> Result<Vec<Goal>, Diagnostics> {
    let mut goals = Vec::with_capacity(images.len());
    let mut problems = Vec::new();
    for image in images {
        match goal(image, digest, args, registries, own, world).await {
            Ok(goal) => goals.push(goal),
            Err(problem) => problems.push(problem),
        }
    }
    Diagnostics::check(problems)?;
    Ok(goals)
}

async fn goal(
    image: ImageRef,
    digest: &Digest,
    args: &CopyArgs,
    registries: &Registries<'_>,
    own: Option<OwnRegistry<'_>>,
    world: &World,
) -> Result<Goal, Diagnostic> {
    let client = registries.client(&image.host).await.map_err(|error| told(&error))?;
    let own = own.filter(|own| *own.host == image.host).map(|own| own.ecr);
    let control = match own {
        Some(_) => None,
        None => ecr_of(&image.host, world).await.map_err(|error| told(&error))?,
    };
    let ecr = own.or(control.as_ref());
    let names = BTreeSet::from([image.repository.clone()]);
    let standing = async { Some(ecr?.look_at_repositories(&names).await) };
    let (FoundLogin { credential, missing }, standing) = tokio::join!(registries.login(&image.host), standing);
    let Some(credential) = credential else {
        let diagnostic = Diagnostic::new(Blame::Access, format!("there is no credential for {}", image.host));
        return Err(diagnostic
            .caused_by_maybe(missing.as_deref())
            .hint(format!("log in with `docker login {}`", image.host)));
    };
    let frozen = match ecr.zip(standing) {
        Some((ecr, standing)) => {
            let found = standing.map_err(|error| told(&error))?;
            check_repository(&image, found.get(&image.repository), ecr, args.create).await?
        }
        None => false,
    };
    let now = client.look_up(&image, Some(&credential)).await.map_err(|error| told(&error))?;
    match now {
        Some(now) if now != *digest && frozen => Err(Diagnostic::input(format!(
            "tag `{}` is taken in {}, and that repository's tags are immutable",
            image.reference.as_str(),
            image.name()
        ))
        .caused_by(format!("it is {now}; it should be {digest}"))
        .hint("nothing was copied; choose another tag")),
        now => Ok(Goal { is_done: now.as_ref() == Some(digest), image, client, credential, ecr: control }),
    }
}

async fn ecr_of(host: &RegistryHost, world: &World) -> Result<Option<EcrClient>, ServiceError> {
    let Some(endpoint) = host.as_ecr() else { return Ok(None) };
    let settings = EcrSettings {
        region: Some(endpoint.region),
        account: Some(endpoint.account),
        fips: endpoint.fips,
        dual_stack: endpoint.dual_stack,
        on_credential: world.on_credential(),
        ..EcrSettings::default()
    };
    EcrClient::connect(&settings, &world.variables, &world.retries).await.map(Some)
}

/// Sees to it that the repository is there; whether the tag could not move in it.
async fn check_repository(
    image: &ImageRef,
    found: Option<&RepositoryFacts>,
    ecr: &EcrClient,
    create: bool,
) -> Result<bool, Diagnostic> {
    match found {
        Some(repository) => Ok(match &image.reference {
            Reference::Tag(tag) => repository.is_frozen(tag),
            Reference::Digest(_) => false,
        }),
        None if create => {
            let spec = RepositorySpec::plain(image.repository.clone());
            ecr.create_repository(&spec).await.map_err(|error| told(&error))?;
            report::note(&format!("created repository {}", image.name()));
            Ok(false)
        }
        None => Err(Diagnostic::input(format!("repository `{}` does not exist in {}", image.repository, image.host))
            .hint("pass --create to have it created")),
    }
}

/// The copying itself.
struct Work<'a> {
    from: &'a RegistryClient,
    credential: Option<&'a Credential>,
    goals: &'a [Goal],
    own: Option<OwnRegistry<'a>>,
    sent: RefCell<Sent>,
}

impl Work<'_> {
    /// Copies one manifest with all its parts to every destination, by its digest unless it has a name of its own.
    async fn copy(&self, image: &ImageRef, name: Option<&Reference>) -> Result<(), Diagnostics> {
        let destinations: Vec<_> = self
            .goals
            .iter()
            .map(|goal| Destination {
                registry: &*goal.client,
                credential: &goal.credential,
                image: ImageRef { reference: name.unwrap_or(&image.reference).clone(), ..goal.image.clone() },
                stock: self.stock(goal),
            })
            .collect();
        let count = |event| {
            let mut sent = self.sent.borrow_mut();
            match event {
                CopyEvent::BlobThere => sent.there += 1,
                CopyEvent::BlobMounted => sent.mounted += 1,
                CopyEvent::BlobSent(size) => {
                    sent.blobs += 1;
                    sent.bytes += size;
                }
            }
        };
        check(&self.from.copy_to(image, self.credential, &destinations, &count).await)
    }

    /// Who knows of many blobs at once whether a destination has them.
    fn stock<'g>(&'g self, goal: &'g Goal) -> Option<&'g dyn Stock> {
        let own = self.own.filter(|own| *own.host == goal.image.host).map(|own| own.ecr);
        goal.ecr.as_ref().or(own).map(|ecr| ecr as &dyn Stock)
    }

    async fn name(&self, image: &ImageRef) -> Result<(), Diagnostics> {
        let named: Vec<_> = self
            .goals
            .iter()
            .filter(|goal| !goal.is_done)
            .map(|goal| Destination {
                registry: &*goal.client,
                credential: &goal.credential,
                image: goal.image.clone(),
                stock: None,
            })
            .collect();
        check(&self.from.copy_to(image, self.credential, &named, &|_| {}).await)
    }
}

fn check(results: &[Result<(), ServiceError>]) -> Result<(), Diagnostics> {
    let mut problems: Vec<Diagnostic> = Vec::new();
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        let problem = told(error);
        // What the source failed with is the same for every destination.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    Diagnostics::check(problems)
}

fn told(error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default())
}
