//! Which registry the images go to, and the way to its control plane.

use crate::cli::RegistryArgs;
use crate::commands::World;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::ecr::{EcrClient, EcrSettings, LocalEndpoint};
use crate::execute::ports::ServiceError;
use crate::explain::{self, Circumstances};
use crate::local::Server;
use crate::names::{EcrEndpoint, Region, RegistryHost};
use crate::pipeline::{Registry, Replica};
use crate::plan::Wait;

/// The registry, and the control plane that belongs to it.
pub(crate) struct Target {
    pub(crate) ecr: EcrClient,
    pub(crate) host: RegistryHost,
}

/// Finds the registry by flags, pipeline file and AWS configuration, in this order.
///
/// A host that is ECR's own names its account and region, unless others are stated.
pub(crate) async fn connect(
    registry: &Registry,
    args: &RegistryArgs,
    local: Option<&Server>,
    world: &World,
) -> Result<Target, Diagnostics> {
    let opening = open(registry, args, local, world).await?;
    let host = opening.host(registry).await?;
    Ok(Target { ecr: opening.ecr, host })
}

/// The way to the control plane, before it is known which registry belongs to it.
pub(crate) struct Opening {
    pub(crate) ecr: EcrClient,
    stated: Option<RegistryHost>,
}

/// The first part of [`connect`], which asks nobody.
pub(crate) async fn open(
    registry: &Registry,
    args: &RegistryArgs,
    local: Option<&Server>,
    world: &World,
) -> Result<Opening, Diagnostics> {
    if let Some(server) = local {
        let ecr = client(local_settings(server, world), world).await?;
        return Ok(Opening { ecr, stated: Some(server.host().clone()) });
    }
    let stated = stated_host(args, world)?.or_else(|| registry.host.clone());
    let ecr = client(settings(registry, args, stated.as_ref(), world), world).await?;
    Ok(Opening { ecr, stated })
}

impl Opening {
    /// The second part of [`connect`]: the registry's host; ECR is asked only where nobody states the account.
    pub(crate) async fn host(&self, registry: &Registry) -> Result<RegistryHost, Diagnostics> {
        match &self.stated {
            Some(host) => Ok(host.clone()),
            None => own_registry(registry, &self.ecr).await,
        }
    }
}

/// The registries that the images are copied to. What one leaves open is as in the run's own.
///
/// A host on this machine is a `longshore local`, which answers as registry and as control plane.
pub(crate) async fn replicas(
    registry: &Registry,
    own: (&RegistryHost, &EcrClient),
    world: &World,
) -> Result<Vec<Target>, Diagnostics> {
    let mut targets: Vec<Target> = Vec::new();
    for replica in &registry.replicas {
        let target = replica_of(replica, own, registry, world)
            .await
            .map_err(|problem| problem.at_maybe(replica.place.clone()))?;
        if target.host == *own.0 || targets.iter().any(|known| known.host == target.host) {
            let message = format!("{} is named twice: the images go there already", target.host);
            return Err(Diagnostic::input(message).at_maybe(replica.place.clone()).into());
        }
        targets.push(target);
    }
    Ok(targets)
}

/// What ECR's own replication calls a replica, where it is waited for.
pub(crate) fn wait(
    replica: &Replica,
    (host, ecr): (&RegistryHost, &EcrClient),
    registry: &Registry,
    own: &RegistryHost,
) -> Option<Wait> {
    let account = |host: &RegistryHost| host.as_ecr().map(|ecr| ecr.account);
    let account_here = || account(own).or_else(|| registry.account.clone());
    Some(Wait {
        account: replica.account.clone().or_else(|| account(host)).or_else(account_here),
        region: ecr.region().clone(),
        timeout: replica.wait?,
    })
}

async fn replica_of(
    replica: &Replica,
    (own, own_ecr): (&RegistryHost, &EcrClient),
    registry: &Registry,
    world: &World,
) -> Result<Target, Diagnostic> {
    let named = replica.host.as_ref().and_then(RegistryHost::as_ecr);
    let here = own.as_ecr();
    let region = replica.region.clone().or_else(|| named.as_ref().map(|ecr| ecr.region.clone()));
    let account = replica.account.clone().or_else(|| named.as_ref().map(|ecr| ecr.account.clone()));
    let account = account.or_else(|| replica.role.as_ref()?.account());
    let settings = EcrSettings {
        region: Some(region.unwrap_or_else(|| own_ecr.region().clone())),
        account: account.clone(),
        fips: registry.fips,
        dual_stack: registry.dual_stack,
        role: replica.role.clone(),
        profile: replica.profile.clone(),
        local: replica.host.as_ref().filter(|host| host.is_loopback()).map(local_endpoint),
        on_credential: world.on_credential(),
    };
    let ecr = client(settings, world).await?;
    if let Some(host) = &replica.host {
        return Ok(Target { ecr, host: host.clone() });
    }
    let account = match account.or_else(|| Some(here?.account)) {
        Some(account) => account,
        None => ecr.account().await.map_err(|error| told(&error))?.ok_or_else(|| {
            Diagnostic::input("the AWS account is not known: ECR's answer does not name it")
                .hint("give the replica an `account`")
        })?,
    };
    let endpoint =
        EcrEndpoint { account, region: ecr.region().clone(), fips: registry.fips, dual_stack: registry.dual_stack };
    let host = endpoint.host().map_err(|error| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))?;
    Ok(Target { ecr, host })
}

/// The registry, as far as it is known without asking anybody.
pub(crate) struct Known {
    pub(crate) ecr: Option<EcrClient>,
    pub(crate) host: Option<RegistryHost>,
}

/// Finds out what flags, pipeline file and AWS configuration say of the registry.
pub(crate) async fn known(registry: &Registry, args: &RegistryArgs, world: &World) -> Result<Known, Diagnostics> {
    let stated = stated_host(args, world)?.or_else(|| registry.host.clone());
    let ecr = client(settings(registry, args, stated.as_ref(), world), world).await.ok();
    let endpoint = || {
        let (account, region) = (registry.account.clone()?, ecr.as_ref()?.region().clone());
        EcrEndpoint { account, region, fips: registry.fips, dual_stack: registry.dual_stack }.host().ok()
    };
    let host = stated.or_else(endpoint);
    Ok(Known { ecr, host })
}

/// How to reach the control plane, by flags and pipeline file alone. A host that is ECR's own names its account and
/// region.
fn settings(registry: &Registry, args: &RegistryArgs, stated: Option<&RegistryHost>, world: &World) -> EcrSettings {
    let named = stated.and_then(RegistryHost::as_ecr);
    EcrSettings {
        region: args
            .region
            .clone()
            .or_else(|| registry.region.clone())
            .or(named.as_ref().map(|ecr| ecr.region.clone())),
        account: registry.account.clone().or(named.map(|ecr| ecr.account)),
        fips: registry.fips,
        dual_stack: registry.dual_stack,
        on_credential: world.on_credential(),
        ..EcrSettings::default()
    }
}

/// How to reach the control plane of a host that says itself where it is; by the AWS configuration alone if it does not.
///
/// Nobody hears of the credential: whoever asks so may be docker, which passes on what it is told.
pub(super) fn settings_of(named: Option<&EcrEndpoint>) -> EcrSettings {
    let Some(named) = named else { return EcrSettings::default() };
    EcrSettings {
        region: Some(named.region.clone()),
        account: Some(named.account.clone()),
        fips: named.fips,
        dual_stack: named.dual_stack,
        ..EcrSettings::default()
    }
}

/// The control plane of another region, with the same credentials.
pub(super) async fn in_region(registry: &Registry, region: Region, world: &World) -> Result<EcrClient, Diagnostic> {
    let settings = EcrSettings {
        region: Some(region),
        account: registry.account.clone(),
        fips: registry.fips,
        dual_stack: registry.dual_stack,
        on_credential: world.on_credential(),
        ..EcrSettings::default()
    };
    client(settings, world).await
}

/// A client whose retries are told.
async fn client(settings: EcrSettings, world: &World) -> Result<EcrClient, Diagnostic> {
    EcrClient::connect(&settings, &world.variables, &world.retries).await.map_err(|error| told(&error))
}

/// The host of `--registry` or LONGSHORE_REGISTRY.
fn stated_host(args: &RegistryArgs, world: &World) -> Result<Option<RegistryHost>, Diagnostic> {
    let Some(text) = world.variable("LONGSHORE_REGISTRY").filter(|_| args.registry.is_none()) else {
        return Ok(args.registry.clone());
    };
    text.parse().map(Some).map_err(|error| Diagnostic::input(format!("LONGSHORE_REGISTRY: {error}")))
}

async fn own_registry(registry: &Registry, ecr: &EcrClient) -> Result<RegistryHost, Diagnostics> {
    let account = match &registry.account {
        Some(account) => account.clone(),
        None => ecr.account().await.map_err(|error| told(&error))?.ok_or_else(|| {
            Diagnostic::input("the AWS account is not known: ECR's answer does not name it")
                .hint("set `registry.account` in the pipeline file, or `registry.host`")
        })?,
    };
    let endpoint =
        EcrEndpoint { account, region: ecr.region().clone(), fips: registry.fips, dual_stack: registry.dual_stack };
    Ok(endpoint.host().map_err(|error| Diagnostic::input(error.to_string()).hint_maybe(error.hint()))?)
}

fn local_settings(server: &Server, world: &World) -> EcrSettings {
    EcrSettings {
        on_credential: world.on_credential(),
        region: Some(server.region().clone()),
        local: Some(LocalEndpoint { url: server.endpoint(), ..local_endpoint(server.host()) }),
        ..EcrSettings::default()
    }
}

fn local_endpoint(host: &RegistryHost) -> LocalEndpoint {
    LocalEndpoint {
        url: format!("http://{host}"),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
    }
}

fn told(error: &ServiceError) -> Diagnostic {
    explain::explain(error, Circumstances::default())
}
