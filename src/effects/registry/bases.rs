//! The digests that base images have right now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::{Mutex, OnceCell};

use super::RegistryClient;
use crate::effects::docker_credential;
use crate::effects::ecr::{EcrClient, EcrSettings};
use crate::execute::ports::{Credential, Ecr, Failure, ServiceError};
use crate::facts::Variables;
use crate::names::{Digest, EcrEndpoint, ImageRef, Reference, Region, RegistryHost};

/// How many references are looked up at once.
const AT_ONCE: usize = 16;

/// How long one look-up may take. A build that goes ahead without the answer is better than a long wait for it.
const LIMIT: Duration = Duration::from_secs(20);

/// The registry that the images go to, which may hold base images as well.
#[derive(Clone, Copy)]
pub struct OwnRegistry<'a> {
    /// Where it is.
    pub host: &'a RegistryHost,
    /// What gives its credential.
    pub ecr: &'a EcrClient,
}

/// Looks base images up, each reference once.
pub struct BaseImages<'a> {
    variables: &'a Variables,
    own: Option<OwnRegistry<'a>>,
    clients: Mutex<BTreeMap<RegistryHost, Arc<RegistryClient>>>,
    regions: Mutex<BTreeMap<Region, Arc<EcrClient>>>,
    /// One look-up for each host, so that helpers and ECR are asked once.
    logins: Mutex<BTreeMap<RegistryHost, Arc<OnceCell<Login>>>>,
}

/// What a host is asked with.
#[derive(Clone, Default)]
struct Login {
    credential: Option<Credential>,
    /// Why there is none, where there should be one.
    missing: Option<String>,
}

impl<'a> BaseImages<'a> {
    /// Prepares; nothing is sent yet.
    pub fn new(variables: &'a Variables, own: Option<OwnRegistry<'a>>) -> Self {
        BaseImages { variables, own, clients: Mutex::default(), regions: Mutex::default(), logins: Mutex::default() }
    }

    /// The digests of these references, or why one is not known, in words that follow the reference and a colon.
    ///
    /// References that name the same image are looked up once; one that has a digest is not looked up at all.
    pub async fn resolve(&self, references: &BTreeSet<String>) -> BTreeMap<String, Result<Digest, String>> {
        let images: BTreeMap<&String, Result<ImageRef, String>> = references
            .iter()
            .map(|reference| {
                (reference, reference.parse().map_err(|error: crate::names::InvalidName| error.to_string()))
            })
            .collect();
        let distinct: BTreeSet<&ImageRef> = images.values().filter_map(|image| image.as_ref().ok()).collect();
        let found: BTreeMap<&ImageRef, Result<Digest, String>> = stream::iter(distinct)
            .map(async |image| (image, self.digest(image).await))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let answer = |image: &Result<ImageRef, String>| match image {
            Ok(image) => found.get(image).cloned().unwrap_or_else(|| Err("it was not looked up".into())),
            Err(problem) => Err(problem.clone()),
        };
        images.iter().map(|(reference, image)| ((*reference).clone(), answer(image))).collect()
    }

    async fn digest(&self, image: &ImageRef) -> Result<Digest, String> {
        if let Reference::Digest(digest) = &image.reference {
            return Ok(digest.clone());
        }
        let looked = tokio::time::timeout(LIMIT, async {
            let client = self.client(&image.host).await.map_err(|error| told(&error))?;
            let login = self.login(&image.host).await;
            match client.look_up(image, login.credential.as_ref()).await {
                Ok(Some(digest)) => Ok(digest),
                Ok(None) => Err(format!("{} has no such image", image.host)),
                Err(error) => Err(match login.missing {
                    Some(missing) => format!("{}; {missing}", told(&error)),
                    None => told(&error),
                }),
            }
        });
        looked.await.unwrap_or_else(|_| Err(format!("{} did not answer within {} s", image.host, LIMIT.as_secs())))
    }

    async fn client(&self, host: &RegistryHost) -> Result<Arc<RegistryClient>, ServiceError> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(host) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(RegistryClient::new(host, self.variables)?);
        clients.insert(host.clone(), Arc::clone(&client));
        Ok(client)
    }

    async fn login(&self, host: &RegistryHost) -> Login {
        // A slow helper for one host must not keep the others waiting.
        let cell = Arc::clone(self.logins.lock().await.entry(host.clone()).or_default());
        cell.get_or_init(|| self.find_login(host)).await.clone()
    }

    /// What this host is asked with: ECR's token for its own hosts, else what the docker client was logged in with.
    async fn find_login(&self, host: &RegistryHost) -> Login {
        let own = self.own.filter(|own| own.host == host);
        let token = match (own, host.as_ecr()) {
            (Some(own), _) => own.ecr.credential().await,
            (None, Some(endpoint)) => self.token(&endpoint).await,
            (None, None) => return from_docker(host, self.variables, None).await,
        };
        match token {
            Ok(credential) => Login { credential: Some(credential), missing: None },
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
        let ecr = Arc::new(EcrClient::connect(&settings, self.variables).await?);
        regions.insert(endpoint.region.clone(), Arc::clone(&ecr));
        ecr.credential().await
    }
}

async fn from_docker(host: &RegistryHost, variables: &Variables, missing: Option<String>) -> Login {
    match docker_credential::look_up(host, variables).await {
        Ok(Some(credential)) => Login { credential: Some(credential), missing: None },
        Ok(None) => Login { credential: None, missing },
        Err(problem) => Login { credential: None, missing: Some(problem) },
    }
}

/// A failure on one line, as a reason.
fn told(error: &ServiceError) -> String {
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
