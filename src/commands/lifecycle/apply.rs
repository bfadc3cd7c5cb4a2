//! `longshore lifecycle apply`

use super::World;
use crate::cli::lifecycle::ApplyArgs;
use crate::commands::read;
use crate::diagnostic::Diagnostics;
use crate::lifecycle::Action;
use crate::plan::lifecycle::objections;
use crate::report;

pub(super) async fn run(args: &ApplyArgs, world: &World) -> Result<(), Diagnostics> {
    let file = super::policy(&args.policy.policy, world)?;
    world.warn(&file.doubts(None));
    let pipeline = read::pipeline_if_any(&args.place.pipeline, world)?;
    let ecr = super::ecr(pipeline.as_ref(), &args.place.registry, world).await?;
    let name = &args.repository;
    let (images, reach) = tokio::join!(ecr.images(name), ecr.destinations(name));
    let images = images.map_err(|error| super::told(&error))?;
    let environments = pipeline.map(|pipeline| pipeline.environments).unwrap_or_default();
    let at = super::at(None)?;
    let against = objections(name, &file.policy, images, at, &environments, args.guard.max_expire);
    // Before it is refused as well: who may say --yes has to know.
    let expires = file.policy.rules().iter().any(|rule| rule.action == Action::Expire);
    if expires && reach.as_ref().is_ok_and(|destinations| !destinations.is_empty()) {
        report::lifecycle::expiring(&Some(reach)).iter().for_each(|line| report::note(line));
    }
    if args.yes {
        world.warn(&against);
    } else {
        Diagnostics::check(against)?;
    }
    ecr.put_lifecycle_policy(name, &file.policy).await.map_err(|error| super::told(&error))?;
    let rules = report::images::count(file.policy.rules().len(), "rule");
    report::note(&format!("put a lifecycle policy of {rules} on {name}"));
    Ok(())
}
