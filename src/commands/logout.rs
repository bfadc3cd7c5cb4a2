//! `longshore logout`

use super::target::{self, Known};
use super::{World, read};
use crate::cli::LogoutArgs;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics};
use crate::effects::docker_config;
use crate::names::RegistryHost;
use crate::pipeline::Registry;
use crate::report;

/// Forgets logins. AWS is asked only where the registry's host cannot be told without it.
pub(super) async fn run(args: &LogoutArgs, world: &World) -> Result<(), Diagnostics> {
    let hosts = if args.all { Vec::new() } else { hosts(args, world).await? };
    let is_chosen = |address: &str| args.all && is_ecr(address);
    let forgotten = docker_config::forget(&hosts, is_chosen, &world.variables)
        .map_err(|cause| Diagnostic::new(Blame::Work, "cannot forget the logins").caused_by(cause))?;
    for address in &forgotten {
        report::note(&format!("logged out of {address}"));
    }
    if forgotten.is_empty() {
        let what = match hosts.as_slice() {
            [] => "any registry of ECR".to_owned(),
            hosts => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        report::note(&format!("docker was not logged in to {what}"));
    }
    Ok(())
}

/// The registries that `longshore login` logs in to.
async fn hosts(args: &LogoutArgs, world: &World) -> Result<Vec<RegistryHost>, Diagnostics> {
    let registry = match read::find(&args.pipeline, world) {
        None => Registry::default(),
        Some(_) => read::pipeline(&args.pipeline, world)?.pipeline.registry,
    };
    if registry.replicas.is_empty() || args.registry.registry.is_some() {
        if let Known { host: Some(host), .. } = target::known(&registry, &args.registry, world).await? {
            return Ok(vec![host]);
        }
        return Ok(vec![target::connect(&registry, &args.registry, None, world).await?.host]);
    }
    let own = target::connect(&registry, &args.registry, None, world).await?;
    let replicas = target::replicas(&registry, (&own.host, &own.ecr), world).await?;
    Ok(std::iter::once(own).chain(replicas).map(|target| target.host).collect())
}

/// Whether an address in the docker configuration is one of ECR's, private or public.
fn is_ecr(address: &str) -> bool {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = bare.split('/').next().unwrap_or_default();
    let private = host.parse::<RegistryHost>().is_ok_and(|host| host.as_ecr().is_some());
    private || matches!(host, "public.ecr.aws" | "ecr-public.aws.com")
}

#[cfg(test)]
mod tests {
    use super::is_ecr;

    #[test]
    fn addresses_of_ecr() {
        for address in ["123456789012.dkr.ecr.us-east-1.amazonaws.com", "https://public.ecr.aws/", "public.ecr.aws"] {
            assert!(is_ecr(address), "{address}");
        }
        for address in ["https://index.docker.io/v1/", "127.0.0.1:5010", "ghcr.io", ""] {
            assert!(!is_ecr(address), "{address}");
        }
    }
}
