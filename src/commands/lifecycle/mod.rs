//! `longshore lifecycle`

mod apply;
mod lint;
mod preview;
mod simulate;

use std::path::Path;
use std::process::ExitCode;

use super::target::{self, Target};
use super::{World, look, read};
use crate::cli::RegistryArgs;
use crate::cli::lifecycle::{LifecycleArgs, LifecycleCommand, ShowArgs};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::ecr::EcrClient;
use crate::effects::{clock, workspace};
use crate::execute::ports::ServiceError;
use crate::explain::{self, Circumstances};
use crate::lifecycle::Moment;
use crate::pipeline::{self, Pipeline, PolicyFile, Registry};
use crate::report;

pub(super) async fn run(args: &LifecycleArgs, world: &World) -> Result<ExitCode, Diagnostics> {
    match &args.command {
        LifecycleCommand::Lint(args) => return lint::run(args, world),
        LifecycleCommand::Show(args) => show(args, world)?,
        LifecycleCommand::Simulate(args) => super::unless_interrupted(simulate::run(args, world)).await?,
        LifecycleCommand::Preview(args) => super::unless_interrupted(preview::run(args, world)).await?,
        LifecycleCommand::Apply(args) => super::unless_interrupted(apply::run(args, world)).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs, world: &World) -> Result<(), Diagnostics> {
    let file = policy(&args.policy.policy, world)?;
    world.warn(&file.doubts(None));
    Ok(report::print(&report::lifecycle::policy(&file.policy))?)
}

/// Reads a policy file.
fn policy(path: &Path, world: &World) -> Result<PolicyFile, Diagnostics> {
    let path = world.folder.join(path);
    let name = read::shown(&path, &world.folder);
    let bytes = workspace::read(&path)
        .map_err(|error| Diagnostic::input(format!("cannot read the policy `{name}`")).caused_by(error.to_string()))?;
    pipeline::parse_policy(&name, bytes)
}

/// Works without a pipeline file: account and region then come from the AWS configuration alone.
async fn ecr(pipeline: Option<&Pipeline>, args: &RegistryArgs, world: &World) -> Result<EcrClient, Diagnostics> {
    let registry = pipeline.map_or_else(Registry::default, |pipeline| pipeline.registry.clone());
    let Target { ecr, .. } = target::connect(&registry, args, None, world).await?;
    Ok(ecr)
}

/// The time that was stated, or now.
fn at(stated: Option<&str>) -> Result<Moment, Diagnostic> {
    Ok(match stated {
        Some(text) => look::time(text)?.into(),
        None => clock::now().into(),
    })
}

fn told(error: &ServiceError) -> Diagnostic {
    explain::explain(error, Circumstances::default())
}
