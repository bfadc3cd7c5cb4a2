//! `longshore images ls`

use std::collections::BTreeMap;

use super::{told, way};
use crate::cli::{ImagesLsArgs, SortBy};
use crate::commands::World;
use crate::commands::decide::Way;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::ports::ServiceError;
use crate::inventory::{Row, Sort, rows};
use crate::lifecycle::{Image, ImageState};
use crate::names::RepositoryName;
use crate::report::images::{Listing, Platforms};
use crate::scan::{Contents, contents};

/// What stops a listing.
enum Stop {
    Service(ServiceError),
    Print(Diagnostic),
    /// There are as many as were asked for.
    Enough,
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Stop::Service(error)
    }
}

pub(super) async fn run(args: &ImagesLsArgs, world: &World) -> Result<(), Diagnostics> {
    let (way, _) = way(&args.place, world).await?;
    let name = &args.repository;
    let mut listing = Listing::new(args.json);
    let mut left = args.limit.unwrap_or(usize::MAX);
    let sort = match args.sort {
        SortBy::None => None,
        SortBy::Pushed => Some(Sort::Pushed),
        SortBy::Pulled => Some(Sort::Pulled),
        SortBy::Size => Some(Sort::Size),
        SortBy::Tag => Some(Sort::Tag),
    };
    let result = match sort {
        None => {
            way.ecr
                .image_pages::<Stop>(name, &mut async |images| {
                    let (images, platforms) = with_children(&way, name, images).await?;
                    let page: Vec<Row<'_>> =
                        images.iter().take(left).map(|image| Row { image, listed_by: Vec::new() }).collect();
                    left -= page.len();
                    listing.print(&page, &platforms).map_err(Stop::Print)?;
                    if left == 0 { Err(Stop::Enough) } else { Ok(()) }
                })
                .await
        }
        Some(sort) => {
            let (mut all, mut platforms) = (Vec::new(), Platforms::new());
            let read = way
                .ecr
                .image_pages::<Stop>(name, &mut async |images| {
                    let (images, found) = with_children(&way, name, images).await?;
                    all.extend(images);
                    platforms.extend(found);
                    Ok(())
                })
                .await;
            read.and_then(|()| {
                let sorted = rows(&all, sort);
                listing.print(&sorted[..left.min(sorted.len())], &platforms).map_err(Stop::Print)
            })
        }
    };
    match result {
        Ok(()) | Err(Stop::Enough) => Ok(listing.end()?),
        Err(Stop::Service(error)) => Err(told(&error).into()),
        Err(Stop::Print(problem)) => Err(problem.into()),
    }
}

/// The images with what their indexes list, and the platforms that those name.
async fn with_children(
    way: &Way,
    name: &RepositoryName,
    mut images: Vec<Image>,
) -> Result<(Vec<Image>, Platforms), ServiceError> {
    let indexes = images.iter().filter(|image| image.is_index() && image.state == ImageState::Active);
    let indexes: Vec<String> = indexes.map(|image| image.digest.clone()).collect();
    let mut platforms = Platforms::new();
    let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for fetched in way.ecr.manifests(name, &indexes).await? {
        let Ok(Contents::Index(listed)) = contents(fetched.manifest.as_bytes()) else { continue };
        let mut names = Vec::new();
        for child in &listed {
            names.extend(child.platform.clone());
            if let Some(platform) = &child.platform {
                platforms.insert(child.digest.to_string(), vec![platform.clone()]);
            }
        }
        platforms.insert(fetched.digest.clone(), names);
        children.insert(fetched.digest, listed.into_iter().map(|child| child.digest.to_string()).collect());
    }
    for image in &mut images {
        image.children = children.remove(&image.digest).unwrap_or_default();
    }
    Ok((images, platforms))
}
