//! `longshore cost`

use std::collections::HashMap;

use super::images::{told, way};
use super::way::Way;
use super::{World, prices};
use crate::cli::CostArgs;
use crate::diagnostic::Diagnostics;
use crate::effects::clock;
use crate::execute::ports::ServiceError;
use crate::inventory::{Cost, Holdings, cost, entries};
use crate::lifecycle::{self, Image, ImageState, Moment};
use crate::names::RepositoryName;
use crate::report;

pub(super) async fn run(args: &CostArgs, world: &World) -> Result<(), Diagnostics> {
    let prices = prices::prices(&args.prices, world)?;
    let (way, _) = way(&args.place, world).await?;
    let names = match args.repositories.is_empty() {
        true => way.ecr.repository_names().await.map_err(|error| told(&error))?,
        false => args.repositories.clone(),
    };
    let now = Moment::from(clock::now());
    let mut costs: Vec<(RepositoryName, Cost)> = Vec::new();
    // One after the other, so that only one repository's layers are in memory; each is read by many calls at once.
    for name in names {
        let cost = of(&way, &name, now).await.map_err(|error| told(&error))?;
        costs.push((name, cost));
    }
    match args.json {
        true => {
            let document = report::cost::json(&costs, &prices, now);
            report::print_json(&report::json::with_retries(document, world.retries.sum()))?;
        }
        false => report::print(&report::cost::text(&costs, &prices))?,
    }
    Ok(())
}

async fn of(way: &Way, name: &RepositoryName, now: Moment) -> Result<Cost, ServiceError> {
    let policy = way.ecr.lifecycle_policy(name).await?;
    // ECR keeps no policy that this could not read; if it does, there is no saving to tell.
    let policy = policy.and_then(|text| lifecycle::read_json(&text).ok()).map(|written| written.policy);
    let mut holdings = Holdings::default();
    let mut images: Vec<Image> = Vec::new();
    way.ecr
        .image_pages::<ServiceError>(name, &mut async |mut page| {
            let readable = page.iter().filter(|image| image.state == ImageState::Active);
            let digests: Vec<String> = readable.map(|image| image.digest.clone()).collect();
            let fetched = way.ecr.manifests(name, &digests).await?;
            let manifests: HashMap<String, String> =
                fetched.into_iter().map(|one| (one.digest, one.manifest)).collect();
            for image in &mut page {
                let manifest = manifests.get(&image.digest).map(String::as_str);
                holdings.add(image, manifest);
                let listed = manifest.and_then(entries).unwrap_or_default();
                image.children = listed.into_iter().map(|entry| entry.digest).collect();
            }
            // Only a policy asks for them again.
            if policy.is_some() {
                images.extend(page);
            }
            Ok(())
        })
        .await?;
    Ok(cost(&holdings, images, policy.as_ref(), now))
}
