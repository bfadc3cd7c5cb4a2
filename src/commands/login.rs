//! `longshore login`

use super::target::{self, Target};
use super::{World, read};
use crate::cli::LoginArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::docker_config::{self, Stored};
use crate::execute::ports::Ecr;
use crate::explain::{Circumstances, explain};
use crate::pipeline::Registry;
use crate::report;

/// Works without a pipeline file: account and region then come from the AWS configuration alone.
pub(super) async fn run(args: &LoginArgs, world: &World) -> Result<(), Diagnostics> {
    let registry = match read::find(&args.pipeline, world) {
        None => Registry::default(),
        Some(_) => read::pipeline(&args.pipeline, world)?.pipeline.registry,
    };
    let Target { ecr, host, .. } = target::connect(&registry, &args.registry, None, world).await?;
    let credential = ecr.credential().await.map_err(|error| explain(&error, Circumstances::default()))?;
    if args.print {
        return Ok(report::print(credential.reveal())?);
    }
    let stored = docker_config::store(&host, &credential, &world.variables).map_err(|cause| {
        Diagnostic::new(Blame::Work, format!("cannot store the credential for `{host}`")).caused_by(cause)
    })?;
    match stored {
        Stored::File(path) => {
            report::note(&format!("logged in to {host}; the password is in {}, not encrypted", path.display()));
        }
        Stored::Helper(program) => report::note(&format!("logged in to {host}; the password is with {program}")),
    }
    Ok(())
}
