//! `longshore login`

use super::target::{self, Target};
use super::{World, read};
use crate::cli::LoginArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::docker_config::{self, Stored};
use crate::effects::program;
use crate::execute::ports::Ecr;
use crate::explain::{Circumstances, explain};
use crate::names::RegistryHost;
use crate::pipeline::Registry;
use crate::report;

/// Works without a pipeline file: account and region then come from the AWS configuration alone. With one, the
/// replicas are logged in to as well, unless another registry is asked for.
pub(super) async fn run(args: &LoginArgs, world: &World) -> Result<(), Diagnostics> {
    let registry = registry(args, world)?;
    let own = target::connect(&registry, &args.registry, None, world).await?;
    if args.print {
        let credential = own.ecr.credential().await.map_err(|error| explain(&error, Circumstances::default()))?;
        return Ok(report::print(credential.reveal())?);
    }
    let replicas = match args.registry.registry {
        Some(_) => Vec::new(),
        None => target::replicas(&registry, (&own.host, &own.ecr), world).await?,
    };
    let targets: Vec<Target> = std::iter::once(own).chain(replicas).collect();
    if args.credential_helper {
        let hosts: Vec<RegistryHost> = targets.into_iter().map(|target| target.host).collect();
        return Ok(name_our_helper(&hosts, world)?);
    }
    let mut problems = Vec::new();
    for target in &targets {
        problems.extend(log_in(target, world).await.err());
    }
    Diagnostics::check(problems)
}

fn registry(args: &LoginArgs, world: &World) -> Result<Registry, Diagnostics> {
    match read::find(&args.pipeline, world) {
        None => Ok(Registry::default()),
        Some(_) => Ok(read::pipeline(&args.pipeline, world)?.pipeline.registry),
    }
}

async fn log_in(Target { ecr, host }: &Target, world: &World) -> Result<(), Diagnostic> {
    let credential = ecr.credential().await.map_err(|error| explain(&error, Circumstances::default()))?;
    let stored = docker_config::store(host, &credential, &world.variables).map_err(|cause| {
        Diagnostic::new(Blame::Work, format!("cannot store the credential for `{host}`")).caused_by(cause)
    })?;
    report::note(&match stored {
        Stored::File(path) => format!("logged in to {host}; the password is in {}, not encrypted", path.display()),
        Stored::Helper(program) => format!("logged in to {host}; the password is with {program}"),
        Stored::Ours => format!("docker asks longshore for the password of {host} each time; nothing is stored"),
    });
    Ok(())
}

fn name_our_helper(hosts: &[RegistryHost], world: &World) -> Result<(), Diagnostic> {
    let path = docker_config::name_our_helper(hosts, &world.variables)
        .map_err(|cause| Diagnostic::new(Blame::Work, "cannot name the credential helper").caused_by(cause))?;
    for host in hosts {
        report::note(&format!("docker asks longshore for the password of {host}; {} says so", path.display()));
    }
    let name = docker_config::program(docker_config::OUR_HELPER);
    if program::find(&name, &world.variables).is_none() {
        let warning = Diagnostic::input(format!("`{name}` is not on PATH, where docker looks for it"))
            .hint(format!("ln -s \"$(command -v longshore)\" /usr/local/bin/{name}"));
        world.warn(&[warning]);
    }
    Ok(())
}
