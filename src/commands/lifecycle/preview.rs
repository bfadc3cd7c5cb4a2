//! `longshore lifecycle preview`

use super::World;
use crate::cli::lifecycle::PreviewArgs;
use crate::commands::read;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::inventory::Prices;
use crate::lifecycle;
use crate::pipeline;
use crate::report;
use crate::report::lifecycle::Bearing;

pub(super) async fn run(args: &PreviewArgs, world: &World) -> Result<(), Diagnostics> {
    let stated = args.policy.as_deref().map(|path| super::policy(path, world)).transpose()?;
    let pipeline = read::pipeline_if_any(&args.place.pipeline, world)?;
    let ecr = super::ecr(pipeline.as_ref(), &args.place.registry, world).await?;
    let name = &args.repository;
    let file = match stated {
        Some(file) => file,
        None => {
            let text = ecr.lifecycle_policy(name).await.map_err(|error| super::told(&error))?;
            let text = text.ok_or_else(|| {
                Diagnostic::input(format!("repository `{name}` has no lifecycle policy"))
                    .hint("name one with `--policy`")
            })?;
            pipeline::parse_policy("the repository's policy", text.into_bytes())?
        }
    };
    let preview = ecr.preview_lifecycle(name, Some(&file.policy)).await.map_err(|error| super::told(&error))?;
    // After the preview, so that both are of nearly the same moment.
    let (images, reach) = tokio::join!(ecr.images(name), ecr.destinations(name));
    let (images, reach) = (images.map_err(|error| super::told(&error))?, Some(reach));
    let outcome = lifecycle::evaluate(&file.policy, &images, super::at(None)?);
    let found = lifecycle::disagreements(&outcome, &preview);
    if args.json {
        let document = report::lifecycle::disagreements_json(&found, outcome.at, world.retries.sum());
        report::print_json(&document)?;
    } else {
        let to = Bearing { prices: &Prices::default(), reach: &reach };
        let text = report::lifecycle::text(name.as_str(), &file.policy, &images, &outcome, &[], &to);
        report::print(&format!("{text}\n\n{}", report::lifecycle::disagreements(&found)))?;
    }
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("ECR's preview of `{name}` and the simulation differ for {} images", found.len());
    Err(Diagnostic::new(Blame::Work, message).hint("an image may have been pushed meanwhile: run again").into())
}
