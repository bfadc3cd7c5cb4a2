//! What the daemon may ask for besides files: whether somebody is there, credentials, and secrets.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server,
};
use bollard_buildkit_proto::moby::buildkit::secrets::v1 as secrets;
use bollard_buildkit_proto::moby::filesync::v1 as auth;
use futures_util::Stream;
use tonic::{Request, Response, Status};

use crate::effects::docker_credential;
use crate::execute::ports::Login;
use crate::facts::Variables;
use crate::names::RegistryHost;

/// Says that somebody is there, for as long as somebody is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health;

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(serving()))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Ok(Response::new(HealthListResponse { statuses: [(String::new(), serving())].into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(futures_util::stream::iter([Ok(serving())]))))
    }
}

/// Credentials of registries: that of the run, and those of the docker configuration, which is read when it is asked.
#[derive(Clone)]
pub(super) struct Auth {
    pub(super) login: Option<Login>,
    pub(super) variables: Arc<Variables>,
}

impl Auth {
    async fn credential(&self, host: &str) -> Result<auth::CredentialsResponse, Status> {
        // BuildKit's name for Docker Hub.
        let host = if host == "registry-1.docker.io" { "docker.io" } else { host };
        let Ok(host) = host.parse::<RegistryHost>() else { return Ok(auth::CredentialsResponse::default()) };
        let found = match self.login.as_ref().filter(|login| login.host == host) {
            Some(login) => Some(login.credential.clone()),
            None => docker_credential::look_up(&host, &self.variables).await.map_err(|problem| {
                Status::failed_precondition(format!("cannot find the credential for {host}: {problem}"))
            })?,
        };
        Ok(found.map_or_else(auth::CredentialsResponse::default, |credential| {
            let secret = credential.reveal().to_owned();
            // An identity token goes without a name.
            let username = if credential.username == "<token>" { String::new() } else { credential.username };
            auth::CredentialsResponse { username, secret }
        }))
    }
}

/// That we do not fetch tokens makes the daemon fetch them itself, from the credential.
fn no_tokens<T>() -> Result<T, Status> {
    Err(Status::unimplemented("tokens are left to the daemon"))
}

#[tonic::async_trait]
impl auth::auth_server::Auth for Auth {
    async fn credentials(
        &self,
        request: Request<auth::CredentialsRequest>,
    ) -> Result<Response<auth::CredentialsResponse>, Status> {
        Ok(Response::new(self.credential(&request.get_ref().host).await?))
    }

    async fn fetch_token(
        &self,
        _: Request<auth::FetchTokenRequest>,
    ) -> Result<Response<auth::FetchTokenResponse>, Status> {
        no_tokens()
    }

    async fn get_token_authority(
        &self,
        _: Request<auth::GetTokenAuthorityRequest>,
    ) -> Result<Response<auth::GetTokenAuthorityResponse>, Status> {
        no_tokens()
    }

    async fn verify_token_authority(
        &self,
        _: Request<auth::VerifyTokenAuthorityRequest>,
    ) -> Result<Response<auth::VerifyTokenAuthorityResponse>, Status> {
        no_tokens()
    }
}

/// The values of secrets by their ids. In no output of any kind.
#[derive(Clone, Default)]
pub(super) struct Secrets(pub(super) Arc<BTreeMap<String, Vec<u8>>>);

#[tonic::async_trait]
impl secrets::secrets_server::Secrets for Secrets {
    async fn get_secret(
        &self,
        request: Request<secrets::GetSecretRequest>,
    ) -> Result<Response<secrets::GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        let missing = || Status::not_found(format!("secret `{id}` is not among the build's `secrets`"));
        let data = self.0.get(id).ok_or_else(missing)?.clone();
        Ok(Response::new(secrets::GetSecretResponse { data }))
    }
}
