//! `longshore images`

mod ls;
mod rm;
mod show;

use super::World;
use super::way::Way;
use super::{read, target};
use crate::cli::{ImagesArgs, ImagesCommand, PlaceArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::ports::ServiceError;
use crate::explain::{Circumstances, explain};
use crate::pipeline::{Pipeline, Registry};

pub(super) async fn run(args: &ImagesArgs, world: &World) -> Result<(), Diagnostics> {
    match &args.command {
        ImagesCommand::Ls(args) => ls::run(args, world).await,
        ImagesCommand::Rm(args) => rm::run(args, world).await,
        ImagesCommand::Show(args) => show::run(args, world).await,
    }
}

/// The way to the registry, and the pipeline where there is one.
pub(super) async fn way(place: &PlaceArgs, world: &World) -> Result<(Way, Option<Pipeline>), Diagnostics> {
    let pipeline = read::pipeline_if_any(&place.pipeline, world)?;
    let declared = pipeline.as_ref().map_or_else(Registry::default, |pipeline| pipeline.registry.clone());
    let target = target::connect(&declared, &place.registry, None, world).await?;
    Ok((Way::to(target, world).map_err(|error| told(&error))?, pipeline))
}

pub(super) fn told(error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default())
}
