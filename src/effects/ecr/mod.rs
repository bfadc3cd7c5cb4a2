//! The control plane of ECR in one region, through the AWS SDK.

mod classify;
mod credential;
mod endpoint;
mod heard;
mod http;
mod identity;
mod images;
mod layers;
mod lifecycle;
mod probe;
mod replication;
mod repositories;
mod retry;
mod scanning;
mod scans;
mod settings;
mod signing;
mod templates;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecr::config::retry::RetryConfig;
use aws_smithy_http_client::proxy::ProxyConfig;

use crate::execute::ports::{Creation, Credential, Ecr, Failure, Replication, ServiceError, Signature};
use crate::facts::Variables;
use crate::names::{AccountId, Digest, Region, RepositoryName, RoleArn, api_host};
use crate::plan::{Change, RepositorySpec};
use crate::retry::{Gate, Policy, Tally};
use crate::scan::{Answer, Scanning, Started};

pub use settings::Ask;

/// The most calls that are under way at once.
const AT_ONCE: u32 = 32;

/// Which control plane to speak to. What is not given comes from the AWS configuration chain.
#[derive(Debug, Clone, Default)]
pub struct EcrSettings {
    /// The region.
    pub region: Option<Region>,
    /// The account whose registry is meant, where it is not the caller's.
    pub account: Option<AccountId>,
    /// Through the FIPS 140 endpoint.
    pub fips: bool,
    /// Through the endpoint that also answers over IPv6.
    pub dual_stack: bool,
    /// The role that is assumed first.
    pub role: Option<RoleArn>,
    /// The profile of the AWS configuration, where it is not the one of the environment.
    pub profile: Option<String>,
    /// A `longshore local` in place of AWS.
    pub local: Option<LocalEndpoint>,
    /// Hears of each credential before it is used, so that logs can be told to hide it.
    pub on_credential: Option<fn(&Credential)>,
}

/// A control plane on this machine, and the key pair it takes.
#[derive(Debug, Clone)]
pub struct LocalEndpoint {
    /// Its URL.
    pub url: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key; not worth hiding, since the server is of our own making.
    pub secret_access_key: String,
}

/// A connection to the control plane.
pub struct EcrClient {
    sdk: aws_sdk_ecr::Client,
    config: SdkConfig,
    /// There is an STS that knows the same callers, which a stand-in for ECR alone does not have.
    has_sts: bool,
    api_host: Option<String>,
    region: Region,
    account: Option<AccountId>,
    address: String,
    policy: Policy,
    gate: Gate,
    tally: Arc<Tally>,
    token: tokio::sync::Mutex<Option<credential::Token>>,
    on_credential: Option<fn(&Credential)>,
    /// It does not say which layers are there.
    is_mute: AtomicBool,
}

impl EcrClient {
    /// Prepares the client, whose retries are counted in `tally`; nothing is sent yet.
    ///
    /// # Errors
    /// If no region is configured, a variable names an endpoint that is no URL, or the file at `AWS_CA_BUNDLE` holds
    /// no certificates.
    pub async fn connect(
        settings: &EcrSettings,
        variables: &Variables,
        tally: &Arc<Tally>,
    ) -> Result<Self, ServiceError> {
        let stated = endpoint::stated(variables)?;
        let config = load(settings, variables, tally).await?;
        let Some(region) = config.region().and_then(|region| region.as_ref().parse::<Region>().ok()) else {
            return Err(ServiceError {
                failure: Failure::RegionMissing,
                doing: "find out the AWS region".to_owned(),
                cause: "no region in the pipeline file, AWS_REGION, AWS_DEFAULT_REGION or the AWS profile".to_owned(),
            });
        };
        let mut builder = aws_sdk_ecr::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(retry::timeouts());
        if stated.emptied && settings.local.is_none() {
            builder.set_endpoint_url(stated.url.clone());
        }
        let url = settings.local.as_ref().map(|local| local.url.clone()).or(stated.url);
        if url.as_deref().is_some_and(endpoint::is_loopback) {
            builder = builder.http_client(http::client(super::tls::extra_roots(variables)?, ProxyConfig::disabled())?);
        }
        let is_set = |name: &str| variables.get(name).is_some_and(|url| !url.is_empty());
        let has_sts = !url.as_deref().is_some_and(endpoint::is_loopback)
            || ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"].into_iter().any(is_set);
        let (fips, dual_stack) = (config.use_fips().unwrap_or(false), config.use_dual_stack().unwrap_or(false));
        let api_host = match &url {
            Some(url) => endpoint::host(url),
            None => Some(api_host(&region, fips, dual_stack)),
        };
        Ok(EcrClient {
            has_sts,
            api_host,
            sdk: aws_sdk_ecr::Client::from_conf(builder.build()),
            address: url.unwrap_or_else(|| format!("the ECR API in {region}")),
            region,
            account: settings.account.clone(),
            policy: retry::policy(variables),
            gate: Gate::new(AT_ONCE),
            tally: Arc::clone(tally),
            config,
            token: tokio::sync::Mutex::new(None),
            on_credential: settings.on_credential,
            is_mute: AtomicBool::new(false),
        })
    }

    /// The host that the client speaks to.
    pub fn api_host(&self) -> Option<&str> {
        self.api_host.as_deref()
    }

    /// The region that the client speaks to.
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl Ecr for EcrClient {
    async fn credential(&self) -> Result<Credential, ServiceError> {
        Ok(self.token().await?.credential)
    }

    async fn forget_credential(&self) {
        *self.token.lock().await = None;
    }

    async fn has_repository(&self, name: &RepositoryName) -> Result<bool, ServiceError> {
        Ok(!self.look_at_repositories(&BTreeSet::from([name.clone()])).await?.is_empty())
    }

    async fn create_repository(&self, spec: &RepositorySpec) -> Result<Creation, ServiceError> {
        self.create(spec).await
    }

    async fn configure_repository(
        &self,
        name: &RepositoryName,
        arn: &str,
        change: &Change,
    ) -> Result<(), ServiceError> {
        self.configure(name, arn, change).await
    }

    async fn scanning(&self, repository: &RepositoryName) -> Result<Scanning, ServiceError> {
        self.scanning_for_gate(repository).await
    }

    async fn start_scan(&self, repository: &RepositoryName, digest: &Digest) -> Result<Started, ServiceError> {
        self.begin_scan(repository, digest).await
    }

    async fn scan_findings(&self, repository: &RepositoryName, digest: &Digest) -> Result<Answer, ServiceError> {
        self.read_findings(repository, digest).await
    }

    async fn replications(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Vec<Replication>, ServiceError> {
        self.look_at_replications(repository, digest).await
    }

    async fn signatures(&self, repository: &RepositoryName, digest: &Digest) -> Result<Vec<Signature>, ServiceError> {
        self.look_at_signatures(repository, digest).await
    }
}

async fn load(settings: &EcrSettings, variables: &Variables, tally: &Arc<Tally>) -> Result<SdkConfig, ServiceError> {
    let http = http::client(super::tls::extra_roots(variables)?, ProxyConfig::from_env())?;
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(heard::heard(http, tally))
        .use_fips(settings.fips)
        .use_dual_stack(settings.dual_stack);
    if !settings.fips {
        loader = loader.use_fips(is_true(variables, "AWS_USE_FIPS_ENDPOINT"));
    }
    if !settings.dual_stack {
        loader = loader.use_dual_stack(is_true(variables, "AWS_USE_DUALSTACK_ENDPOINT"));
    }
    if let Some(region) = &settings.region {
        loader = loader.region(aws_config::Region::new(region.to_string()));
    }
    if let Some(local) = &settings.local {
        let keys = Credentials::new(&local.access_key_id, &local.secret_access_key, None, None, "longshore local");
        loader = loader.endpoint_url(&local.url).credentials_provider(keys);
    }
    // For what gives the credentials. What the user says in the environment stands; otherwise five quick attempts,
    // since a pipeline would rather wait some seconds than fail.
    if !["AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"].iter().any(|name| variables.contains_key(*name)) {
        let retries = RetryConfig::standard().with_max_attempts(5);
        loader = loader.retry_config(retries.with_initial_backoff(std::time::Duration::from_millis(200)));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let Some(role) = &settings.role else { return Ok(config) };
    // Its credentials are fetched when they are first needed, and again before they end.
    let provider =
        AssumeRoleProvider::builder(role.as_str()).session_name("longshore").configure(&config).build().await;
    Ok(config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
}

fn is_true(variables: &Variables, name: &str) -> bool {
    variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
