use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, redirect};
use tokio::sync::OnceCell;

use super::auth::{self, Tokens};
use super::retry::{Persistence, Unanswered};
use super::{answer, retry};
use crate::effects::tls;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::facts::Variables;
use crate::names::{RegistryHost, RepositoryName};
use crate::retry::Tally;

/// A client of one registry.
pub struct RegistryClient {
    host: RegistryHost,
    http: reqwest::Client,
    scheme: OnceCell<&'static str>,
    tokens: Tokens,
    persistence: Persistence,
}

/// One request, so that it can be sent again.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) repository: &'a RepositoryName,
    /// What follows the repository's name, as in `manifests/latest`.
    pub(super) path: String,
    pub(super) accept: Option<&'static str>,
    /// The content type and the body.
    pub(super) body: Option<(&'a str, &'a [u8])>,
    /// What the user would call it, for the error.
    pub(super) doing: String,
}

impl RegistryClient {
    /// Prepares the client, whose retries are counted in `tally`; nothing is sent yet.
    ///
    /// Trusted are the system's certificates, those of `AWS_CA_BUNDLE`, and those that the Docker daemon trusts
    /// for this host.
    ///
    /// # Errors
    /// If a certificate among them is none.
    pub fn new(host: &RegistryHost, variables: &Variables, tally: &Arc<Tally>) -> Result<Self, ServiceError> {
        let broken = |error: &reqwest::Error| ServiceError {
            failure: Failure::CertificatesUnreadable { path: format!("/etc/docker/certs.d/{host}") },
            doing: format!("set up TLS for {host}"),
            cause: retry::chain(error),
        };
        let mut roots = Vec::new();
        for pem in tls::registry_roots(host).into_iter().chain(tls::extra_roots(variables)?) {
            roots.extend(reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| broken(&error))?);
        }
        let mut http = reqwest::Client::builder();
        // As the Docker daemon has it too: nothing stands between a machine and itself.
        if host.is_loopback() {
            http = http.no_proxy();
        }
        let http = http
            .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(retry::CONNECT_TIMEOUT)
            .read_timeout(retry::READ_TIMEOUT)
            .redirect(redirects())
            .tls_certs_merge(roots)
            .build()
            .map_err(|error| broken(&error))?;
        Ok(RegistryClient {
            host: host.clone(),
            http,
            scheme: OnceCell::new(),
            tokens: Tokens::default(),
            persistence: Persistence::new(Arc::clone(tally)),
        })
    }

    /// How requests are sent.
    pub(super) fn persistence(&self) -> &Persistence {
        &self.persistence
    }

    /// Asks the registry whether it is there and takes the credential.
    ///
    /// # Errors
    /// If it does not answer, or does not take it.
    pub async fn ping(&self, credential: &Credential) -> Result<(), ServiceError> {
        let doing = format!("log in to {}", self.host);
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let url = format!("{scheme}://{}/v2/", self.address());
        let call = || self.http.get(&url).header(AUTHORIZATION, auth::basic(credential)).send();
        let response = self.persistence.until_answered(&doing, call).await;
        let response = response.map_err(|error| answer::no_answer(&self.host, &doing, &error))?;
        // Registries that want a token, and those that know nothing at this path, answer all the same.
        match response.status().as_u16() {
            401 | 403 if auth::challenge(&response).is_none() => Err(answer::refused_login(response, &doing).await),
            429 | 500.. => Err(answer::refused_login(response, &doing).await),
            _ => Ok(()),
        }
    }

    /// The time that the registry has, as far as it says.
    pub async fn time(&self) -> Option<time::OffsetDateTime> {
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let answer = self.http.get(format!("{scheme}://{}/v2/", self.address())).send().await.ok()?;
        crate::effects::network::http_date(answer.headers().get(reqwest::header::DATE)?.to_str().ok()?)
    }

    /// Where the registry answers.
    pub(super) fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// Sends a request until it is answered for good, and returns the answer whatever its status. The answer is read
    /// whole, and so must be small.
    ///
    /// A credential goes along at once, which is all that ECR asks for; where the registry then wants a token, or
    /// wants one of strangers as well, that is asked for and kept.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        credential: Option<&Credential>,
    ) -> Result<Response, ServiceError> {
        self.send_as(request, credential, true).await
    }

    /// The same for an answer of any length, of which only the beginning is there.
    pub(super) async fn open(
        &self,
        request: &Request<'_>,
        credential: Option<&Credential>,
    ) -> Result<Response, ServiceError> {
        self.send_as(request, credential, false).await
    }

    async fn send_as(
        &self,
        request: &Request<'_>,
        credential: Option<&Credential>,
        is_small: bool,
    ) -> Result<Response, ServiceError> {
        let scope = scope(request);
        let authorization = match self.tokens.kept(&scope, credential).await {
            Some(token) => Some(token),
            None => credential.map(auth::basic),
        };
        let response = self.send_once(request, authorization, is_small).await?;
        let Some(challenge) = auth::challenge(&response) else { return Ok(response) };
        let asking = auth::Asking { http: &self.http, persistence: &self.persistence, doing: &request.doing };
        let token = self.tokens.ask(&asking, &challenge, &scope, credential).await?;
        self.send_once(request, Some(token), is_small).await
    }

    async fn send_once(
        &self,
        request: &Request<'_>,
        authorization: Option<HeaderValue>,
        is_small: bool,
    ) -> Result<Response, ServiceError> {
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let url = format!("{scheme}://{}/v2/{}/{}", self.address(), request.repository, request.path);
        let send = || {
            let mut call = self.http.request(request.method.clone(), &url);
            if let Some(authorization) = &authorization {
                call = call.header(AUTHORIZATION, authorization.clone());
            }
            if let Some(accept) = request.accept {
                call = call.header(reqwest::header::ACCEPT, accept);
            }
            if let Some((content_type, body)) = request.body {
                call = call.header(reqwest::header::CONTENT_TYPE, content_type).body(body.to_vec());
            }
            call.send()
        };
        let sent = match is_small {
            true => self.persistence.until_answered(&request.doing, send).await,
            false => self.persistence.until_begun(&request.doing, send).await,
        };
        sent.map_err(|error| answer::no_answer(&self.host, &request.doing, &error))
    }

    /// Sends a request whose body cannot be sent again, after another to the same repository has settled how it wants
    /// to be asked. `length` is that of the body, in bytes, where it is known.
    pub(super) async fn send_stream(
        &self,
        request: &Request<'_>,
        length: Option<u64>,
        body: reqwest::Body,
        credential: &Credential,
    ) -> Result<Response, ServiceError> {
        let kept = self.tokens.kept(&scope(request), Some(credential)).await;
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let url = format!("{scheme}://{}/v2/{}/{}", self.address(), request.repository, request.path);
        let call = self.http.request(request.method.clone(), &url).body(body);
        let mut call = call
            .header(AUTHORIZATION, kept.unwrap_or_else(|| auth::basic(credential)))
            .header(CONTENT_TYPE, "application/octet-stream");
        if let Some(length) = length {
            call = call.header(CONTENT_LENGTH, length);
        }
        let sent = call.send().await.map_err(Unanswered::Line);
        sent.map_err(|error| answer::no_answer(&self.host, &request.doing, &error))
    }

    /// Docker Hub is named `docker.io`, but answers elsewhere.
    fn address(&self) -> &str {
        match self.host.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        }
    }

    /// Loopback registries mostly speak plain HTTP, as the Docker daemon knows; but one that speaks TLS is asked so.
    async fn probe(&self) -> &'static str {
        if !self.host.is_loopback() {
            return "https";
        }
        match self.http.get(format!("https://{}/v2/", self.host)).send().await {
            Ok(_) => "https",
            Err(_) => "http",
        }
    }
}

/// What a token must allow for this request.
fn scope(request: &Request<'_>) -> String {
    let actions = if matches!(request.method, Method::GET | Method::HEAD) { "pull" } else { "pull,push" };
    format!("repository:{}:{actions}", request.repository)
}

/// Where a registry may send its readers on: anywhere over TLS, but never from there into the clear, and not in circles.
fn redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let from_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        match attempt.previous().len() {
            10.. => attempt.error("the registry sends its readers in circles"),
            _ if from_tls && attempt.url().scheme() != "https" => {
                attempt.error("the registry sends its readers from TLS into the clear")
            }
            _ => attempt.follow(),
        }
    })
}
