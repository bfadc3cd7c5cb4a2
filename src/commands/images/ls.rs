//! `longshore images ls`

use std::collections::HashMap;

use super::{told, way};
use crate::cli::{ImagesLsArgs, SortBy};
use crate::commands::World;
use crate::commands::way::Way;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::ports::ServiceError;
use crate::inventory::{Families, Row, Sort, Top, entries};
use crate::lifecycle::{Image, ImageState};
use crate::names::RepositoryName;
use crate::report::images::Listing;

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
    let most = args.limit.unwrap_or(usize::MAX);
    let sort = match args.sort {
        SortBy::None => None,
        SortBy::Pushed => Some(Sort::Pushed),
        SortBy::Pulled => Some(Sort::Pulled),
        SortBy::Size => Some(Sort::Size),
        SortBy::Tag => Some(Sort::Tag),
    };
    let result = match sort {
        None => unsorted(&way, name, most, &mut listing).await,
        Some(sort) => sorted(&way, name, Top::new(sort, most), &mut listing).await,
    };
    match result {
        Ok(()) | Err(Stop::Enough) => Ok(listing.end()?),
        Err(Stop::Service(error)) => Err(told(&error).into()),
        Err(Stop::Print(problem)) => Err(problem.into()),
    }
}

/// Prints each page as it comes; what an index lists is known as far as it is on the same page.
async fn unsorted(way: &Way, name: &RepositoryName, most: usize, listing: &mut Listing) -> Result<(), Stop> {
    let mut left = most;
    way.ecr
        .image_pages::<Stop>(name, &mut async |images| {
            let mut families = Families::default();
            read_indexes(way, name, &images, &mut families).await?;
            let page: Vec<Row<'_>> = images.iter().take(left).map(|image| families.row(image)).collect();
            left -= page.len();
            listing.print(&page).map_err(Stop::Print)?;
            if left == 0 { Err(Stop::Enough) } else { Ok(()) }
        })
        .await
}

/// Reads all pages, keeps what may be among the first, and prints that.
async fn sorted(way: &Way, name: &RepositoryName, mut top: Top, listing: &mut Listing) -> Result<(), Stop> {
    let mut families = Families::default();
    way.ecr
        .image_pages::<Stop>(name, &mut async |images| {
            read_indexes(way, name, &images, &mut families).await?;
            top.add(images);
            Ok(())
        })
        .await?;
    // In pieces, so that the text of a long list need not be in memory as well.
    for some in top.sorted().chunks(1000) {
        let rows: Vec<Row<'_>> = some.iter().map(|image| families.row(image)).collect();
        listing.print(&rows).map_err(Stop::Print)?;
    }
    Ok(())
}

async fn read_indexes(
    way: &Way,
    name: &RepositoryName,
    images: &[Image],
    families: &mut Families,
) -> Result<(), ServiceError> {
    let indexes = images.iter().filter(|image| image.is_index() && image.state == ImageState::Active);
    let by_digest: HashMap<&str, &Image> = indexes.map(|image| (image.digest.as_str(), image)).collect();
    let digests: Vec<String> = by_digest.keys().map(|digest| (*digest).to_owned()).collect();
    for fetched in way.ecr.manifests(name, &digests).await? {
        let index = by_digest.get(fetched.digest.as_str());
        if let (Some(index), Some(listed)) = (index, entries(&fetched.manifest)) {
            families.add(index, &listed);
        }
    }
    Ok(())
}
