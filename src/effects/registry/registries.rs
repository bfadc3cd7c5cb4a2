//! The way to any registry: a client, and the credential that there is for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use super::RegistryClient;
use crate::effects::docker_credential;
use crate::effects::ecr::{EcrClient, EcrSettings};
use crate::execute::ports::{Credential, Door, Ecr, Elsewhere, Failure, Opening, ServiceError};
use crate::facts::Variables;
use crate::names::{EcrEndpoint, Region, RegistryHost};
use crate::retry::Tally;

/// The registry that the images go to, which may hold base images as well.
#[derive(Clone, Copy)]
pub struct OwnRegistry<'a> {
    /// Where it is.
    pub host: &'a RegistryHost,
    /// What gives its credential.
    pub ecr: &'a EcrClient,
}

/// All registries that are asked for something, each connected to once.
pub struct Registries<'a> {
    variables: &'a Variables,
    own: Option<OwnRegistry<'a>>,
    tally: &'a Arc<Tally>,
    clients: Mutex<BTreeMap<RegistryHost, Arc<RegistryClient>>>,
    regions: Mutex<BTreeMap<Region, Arc<EcrClient>>>,
    /// One look-up for each host, so that helpers and ECR are asked once.
    logins: Mutex<BTreeMap<RegistryHost, Arc<OnceCell<FoundLogin>>>>,
}

/// What a host is asked with.
#[derive(Clone, Default)]
pub struct FoundLogin {
    /// The credential; strangers are asked with none.
    pub credential: Option<Credential>,
    /// Why there is none, where there should be one.
    pub missing: Option<String>,
}

impl<'a> Registries<'a> {
    /// Prepares; nothing is sent yet. Retries are counted in `tally`.
    pub fn new(variables: &'a Variables, own: Option<OwnRegistry<'a>>, tally: &'a Arc<Tally>) -> Self {
        Registries {
            variables,
            own,
            tally,
            clients: Mutex::default(),
            regions: Mutex::default(),
            logins: Mutex::default(),
        }
    }

    /// A client of this registry.
    ///
    /// # Errors
    /// If the certificates that are trusted for it cannot be used.
    pub async fn client(&self, host: &RegistryHost) -> Result<Arc<RegistryClient>, ServiceError> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(host) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(RegistryClient::new(host, self.variables, self.tally)?);
        clients.insert(host.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// What this host is asked with: ECR's token for its own hosts, else what the docker client was logged in with.
    pub async fn login(&self, host: &RegistryHost) -> FoundLogin {
        // A slow helper for one host must not keep the others waiting.
        let cell = Arc::clone(self.logins.lock().await.entry(host.clone()).or_default());
        cell.get_or_init(|| self.find_login(host)).await.clone()
    }

    async fn find_login(&self, host: &RegistryHost) -> FoundLogin {
        let own = self.own.filter(|own| own.host == host);
        let token = match (own, host.as_ecr()) {
            (Some(own), _) => own.ecr.credential().await,
            (None, Some(endpoint)) => self.token(&endpoint).await,
            (None, None) => return from_docker(host, self.variables, None).await,
        };
        match token {
            Ok(credential) => FoundLogin { credential: Some(credential), missing: None },
            Err(error) => from_docker(host, self.variables, Some(told(&error))).await,
        }
    }

    async fn token(&self, endpoint: &EcrEndpoint) -> Result<Credential, ServiceError> {
        let own = self.own.filter(|own| own.host.as_ecr().is_some() && *own.ecr.region() == endpoint.region);
        if let Some(own) = own {
            return own.ecr.credential().await;
        }
        let mut regions = self.regions.lock().await;
        if let Some(ecr) = regions.get(&endpoint.region) {
            return ecr.credential().await;
        }
        let settings = EcrSettings { region: Some(endpoint.region.clone()), ..EcrSettings::default() };
        let ecr = Arc::new(EcrClient::connect(&settings, self.variables, self.tally).await?);
        regions.insert(endpoint.region.clone(), Arc::clone(&ecr));
        ecr.credential().await
    }
}

impl Elsewhere<RegistryClient> for Registries<'_> {
    fn open<'f>(&'f self, host: &'f RegistryHost) -> Opening<'f, RegistryClient> {
        Box::pin(async move {
            let registry = self.client(host).await?;
            Ok(Door { registry, credential: self.login(host).await.credential })
        })
    }
}

async fn from_docker(host: &RegistryHost, variables: &Variables, missing: Option<String>) -> FoundLogin {
    match docker_credential::look_up(host, variables).await {
        Ok(Some(credential)) => FoundLogin { credential: Some(credential), missing: None },
        Ok(None) => FoundLogin { credential: None, missing },
        Err(problem) => FoundLogin { credential: None, missing: Some(problem) },
    }
}

/// A failure on one line, as a reason.
pub(super) fn told(error: &ServiceError) -> String {
    let what = match &error.failure {
        Failure::CredentialsRefused | Failure::Denied { .. } => "access was refused",
        Failure::CredentialsMissing => "there are no AWS credentials",
        Failure::CredentialsExpired => "the credentials have expired",
        Failure::Throttled => "there were too many requests",
        Failure::Unreachable { address } => return format!("{address} does not answer: {}", one_line(&error.cause)),
        Failure::ServiceBroken => "the registry failed",
        _ => return one_line(&format!("cannot {}: {}", error.doing, error.cause)),
    };
    if error.cause.is_empty() { what.to_owned() } else { format!("{what}: {}", one_line(&error.cause)) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
