//! `longshore images show`

use std::collections::{BTreeSet, HashMap};

use super::{told, way};
use crate::cli::ImagesShowArgs;
use crate::commands::World;
use crate::commands::way::Way;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::ports::{Ecr as _, ServiceError};
use crate::inventory::{Drawn, blobs, draw};
use crate::lifecycle::{Image, ImageState};
use crate::names::{Digest, ImageRef, RepositoryName};
use crate::report;
use crate::report::images::{Shown, ShownPart};
use crate::scan::{Child, Contents, contents};

pub(super) async fn run(args: &ImagesShowArgs, world: &World) -> Result<(), Diagnostics> {
    let (name, id) = named(args)?;
    let (way, _) = way(&args.place, world).await?;
    let found = match &id {
        Some(id) => way.ecr.image(&name, id).await,
        None => newest(&way, &name).await,
    };
    let image = checked(found.map_err(|error| told(&error))?, id.as_deref(), &name)?;
    let shown = look(&way, &name, &image).await.map_err(|error| told(&error))?;
    match args.json {
        true => {
            let document = report::images::shown_json(&shown);
            report::print_json(&report::json::with_retries(document, world.retries.sum()))?;
        }
        false => report::print(&report::images::shown(&shown))?,
    }
    Ok(())
}

fn named(args: &ImagesShowArgs) -> Result<(RepositoryName, Option<String>), Diagnostic> {
    let text = args.repository.as_str();
    let (name, id) = match text.split_once('@').or_else(|| text.split_once(':')) {
        Some((name, id)) => (name, Some(id.to_owned())),
        None => (text, None),
    };
    if id.is_some() && args.image.is_some() {
        return Err(Diagnostic::input("the image is named twice").hint("leave out one of the two"));
    }
    let name = name.parse::<RepositoryName>();
    let name = name.map_err(|error| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))?;
    Ok((name, id.or_else(|| args.image.clone())))
}

/// The newest image that has a tag.
async fn newest(way: &Way, name: &RepositoryName) -> Result<Option<Image>, ServiceError> {
    let mut newest: Option<Image> = None;
    way.ecr
        .image_pages::<ServiceError>(name, &mut async |page| {
            let tagged = page.into_iter().filter(|image| !image.tags.is_empty());
            newest = newest.take().into_iter().chain(tagged).max_by_key(|image| image.pushed_at);
            Ok(())
        })
        .await?;
    Ok(newest)
}

fn checked(found: Option<Image>, id: Option<&str>, name: &RepositoryName) -> Result<Image, Diagnostic> {
    let found = found.ok_or_else(|| {
        let what = id.map_or("image with a tag".to_owned(), |id| format!("`{id}`"));
        Diagnostic::input(format!("there is no {what} in `{name}`"))
            .hint(format!("`longshore images ls {name}` lists what is there"))
    })?;
    if found.state != ImageState::Active {
        let problem = Diagnostic::input(format!("{} is in the archive, where it cannot be read", found.digest));
        return Err(
            problem.hint("bring it back with `aws ecr update-image-storage-class`; that takes up to 20 minutes")
        );
    }
    Ok(found)
}

async fn look<'a>(way: &Way, name: &'a RepositoryName, image: &'a Image) -> Result<Shown<'a>, ServiceError> {
    let manifest = way.ecr.manifests(name, std::slice::from_ref(&image.digest)).await?.pop();
    let manifest = manifest.map(|fetched| fetched.manifest).unwrap_or_default();
    let (children, manifests) = match contents(manifest.as_bytes()) {
        Ok(Contents::Index(children)) => {
            let digests: Vec<String> = children.iter().map(|child| child.digest.to_string()).collect();
            let fetched = way.ecr.manifests(name, &digests).await?;
            (children, fetched.into_iter().map(|one| (one.digest, one.manifest)).collect::<HashMap<_, _>>())
        }
        _ => {
            let digest = image.digest.parse::<Digest>().ok();
            let child = digest.map(|digest| Child { digest, platform: None });
            (child.into_iter().collect(), HashMap::from([(image.digest.clone(), manifest)]))
        }
    };
    let mut parts = Vec::new();
    for child in children {
        let Some(manifest) = manifests.get(child.digest.as_str()) else { continue };
        let drawn = draw(manifest, &configuration(way, name, manifest).await);
        parts.push(ShownPart {
            platform: child.platform.or_else(|| drawn.platform.clone()),
            digest: child.digest,
            drawn,
            shared: Vec::new(),
        });
    }
    let own: BTreeSet<&str> = parts.iter().map(|part| part.digest.as_str()).collect();
    let Users { of_layer, images } = users(way, name, &own, parts.iter().map(|part| &part.drawn)).await?;
    let others = images.saturating_sub(own.len().max(1));
    let signatures = match image.digest.parse::<Digest>() {
        Ok(digest) => way.ecr.signatures_if_told(name, &digest).await,
        Err(_) => None,
    };
    for part in &mut parts {
        part.shared =
            part.drawn.layers.iter().map(|layer| of_layer.get(&layer.blob.digest).copied().unwrap_or(0)).collect();
    }
    Ok(Shown { repository: name, image, parts, others, signatures })
}

/// An image's configuration; what cannot be read only lacks its commands.
async fn configuration(way: &Way, name: &RepositoryName, manifest: &str) -> String {
    let config = blobs(manifest).into_iter().next().and_then(|blob| blob.digest.parse::<Digest>().ok());
    let Some(digest) = config else { return String::new() };
    let Ok(credential) = way.ecr.credential().await else { return String::new() };
    let image = ImageRef::digested(&way.host, name, &digest);
    way.registry.small_blob(&image, &credential).await.unwrap_or_default()
}

/// Who else needs the layers of an image.
struct Users {
    /// How many other images of the repository need each layer.
    of_layer: HashMap<String, usize>,
    /// How many images there are at all.
    images: usize,
}

/// All manifests are read, page by page; only the layers of the image are remembered.
async fn users(
    way: &Way,
    name: &RepositoryName,
    own: &BTreeSet<&str>,
    drawn: impl Iterator<Item = &Drawn>,
) -> Result<Users, ServiceError> {
    let of_layer = drawn.flat_map(|drawn| &drawn.layers).map(|layer| (layer.blob.digest.clone(), 0)).collect();
    let mut users = Users { of_layer, images: 0 };
    way.ecr
        .image_pages::<ServiceError>(name, &mut async |page| {
            users.images += page.len();
            let others = page.iter().filter(|other| {
                other.state == ImageState::Active && !other.is_index() && !own.contains(other.digest.as_str())
            });
            let others: Vec<String> = others.map(|other| other.digest.clone()).collect();
            for fetched in way.ecr.manifests(name, &others).await? {
                let needed: BTreeSet<String> = blobs(&fetched.manifest).into_iter().map(|blob| blob.digest).collect();
                for digest in needed {
                    if let Some(count) = users.of_layer.get_mut(&digest) {
                        *count += 1;
                    }
                }
            }
            Ok(())
        })
        .await?;
    Ok(users)
}
