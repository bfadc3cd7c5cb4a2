use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::Stream;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, Response};
use tokio::sync::OnceCell;

use super::auth::{self, Tokens};
use super::retry::{Persistence, Unanswered};
use super::wire::Wire;
use super::{answer, patience, retry};
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::facts::Variables;
use crate::names::{RegistryHost, RepositoryName};
use crate::retry::Tally;

/// The longest body, in bytes, that goes out like any other request.
const SMALL: u64 = 1024 * 1024;

/// How an answer comes.
#[derive(Clone, Copy, PartialEq)]
enum Coming {
    /// Soon, and small.
    Whole,
    /// Soon, and of any length; only its beginning is waited for.
    Begun,
    /// Small, but the registry may have much to do before.
    Late,
}

/// A client of one registry.
pub struct RegistryClient {
    host: RegistryHost,
    http: reqwest::Client,
    /// The same for what takes longer than an answer may stay silent; made when it is first needed.
    patient: OnceCell<reqwest::Client>,
    wire: Wire,
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
        Self::within(retry::READ_TIMEOUT, host, variables, tally)
    }

    /// A client that gives up an answer which stays silent for so long.
    fn within(
        silence: Duration,
        host: &RegistryHost,
        variables: &Variables,
        tally: &Arc<Tally>,
    ) -> Result<Self, ServiceError> {
        let wire = Wire::new(host, variables)?;
        let http = wire.client(Some(silence))?;
        Ok(RegistryClient {
            host: host.clone(),
            http,
            patient: OnceCell::new(),
            wire,
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
        self.send_as(request, credential, Coming::Whole).await
    }

    /// The same for a request that gives the registry much to do, such as the end of an upload.
    pub(super) async fn settle(
        &self,
        request: &Request<'_>,
        credential: &Credential,
    ) -> Result<Response, ServiceError> {
        self.send_as(request, Some(credential), Coming::Late).await
    }

    /// The same for an answer of any length, of which only the beginning is there.
    pub(super) async fn open(
        &self,
        request: &Request<'_>,
        credential: Option<&Credential>,
    ) -> Result<Response, ServiceError> {
        self.send_as(request, credential, Coming::Begun).await
    }

    async fn send_as(
        &self,
        request: &Request<'_>,
        credential: Option<&Credential>,
        coming: Coming,
    ) -> Result<Response, ServiceError> {
        let scope = scope(request);
        let authorization = match self.tokens.kept(&scope, credential).await {
            Some(token) => Some(token),
            None => credential.map(auth::basic),
        };
        let response = self.send_once(request, authorization, coming).await?;
        let Some(challenge) = auth::challenge(&response) else { return Ok(response) };
        let asking = auth::Asking { http: &self.http, persistence: &self.persistence, doing: &request.doing };
        let token = self.tokens.ask(&asking, &challenge, &scope, credential).await?;
        self.send_once(request, Some(token), coming).await
    }

    async fn send_once(
        &self,
        request: &Request<'_>,
        authorization: Option<HeaderValue>,
        coming: Coming,
    ) -> Result<Response, ServiceError> {
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let url = format!("{scheme}://{}/v2/{}/{}", self.address(), request.repository, request.path);
        let http = if coming == Coming::Late { self.patient().await? } else { &self.http };
        let send = || {
            let mut call = http.request(request.method.clone(), &url);
            if coming == Coming::Late {
                call = call.timeout(patience::SETTLING);
            }
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
        let sent = match coming {
            Coming::Whole | Coming::Late => self.persistence.until_answered(&request.doing, send).await,
            Coming::Begun => self.persistence.until_begun(&request.doing, send).await,
        };
        sent.map_err(|error| answer::no_answer(&self.host, &request.doing, &error))
    }

    /// Sends a request whose body cannot be sent again, after another to the same repository has settled how it wants
    /// to be asked. `length` is that of the body, in bytes, where it is known.
    pub(super) async fn send_stream(
        &self,
        request: &Request<'_>,
        length: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        credential: &Credential,
    ) -> Result<Response, ServiceError> {
        let http = if length.is_some_and(|length| length <= SMALL) { &self.http } else { self.patient().await? };
        let (body, silence) = patience::watched(body);
        let kept = self.tokens.kept(&scope(request), Some(credential)).await;
        let scheme = self.scheme.get_or_init(|| self.probe()).await;
        let url = format!("{scheme}://{}/v2/{}/{}", self.address(), request.repository, request.path);
        let mut call = http
            .request(request.method.clone(), &url)
            .body(Body::wrap_stream(body))
            .header(AUTHORIZATION, kept.unwrap_or_else(|| auth::basic(credential)))
            .header(CONTENT_TYPE, "application/octet-stream");
        if let Some(length) = length {
            call = call.header(CONTENT_LENGTH, length);
        }
        tokio::select! {
            sent = call.send() => {
                sent.map_err(|error| answer::no_answer(&self.host, &request.doing, &Unanswered::Line(error)))
            }
            cause = silence => Err(ServiceError {
                failure: Failure::Unreachable { address: self.host.to_string() },
                doing: request.doing.clone(),
                cause,
            }),
        }
    }

    async fn patient(&self) -> Result<&reqwest::Client, ServiceError> {
        self.patient.get_or_try_init(async || self.wire.client(None)).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    /// How long an answer may stay silent.
    const SILENCE: Duration = Duration::from_millis(300);

    /// Takes its time before each answer, and before it reads what comes with the request.
    async fn answer_late(mut stream: TcpStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
            // It speaks no TLS, so that it is asked in the clear.
            if head[0] == 0x16 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()?.parse::<u64>().ok());
        tokio::time::sleep(SILENCE * 2).await;
        tokio::io::copy(&mut (&mut stream).take(length.unwrap_or(0)), &mut tokio::io::sink()).await?;
        tokio::time::sleep(SILENCE * 2).await;
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await
    }

    #[tokio::test]
    async fn an_upload_may_take_longer_than_an_answer_may_stay_silent() {
        crate::effects::tls::install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host: RegistryHost = listener.local_addr().unwrap().to_string().parse().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_late(stream));
            }
        });
        let client = RegistryClient::within(SILENCE, &host, &Variables::new(), &Arc::default()).unwrap();
        let repository: RepositoryName = "web".parse().unwrap();
        let request = |method, path: &str| Request {
            method,
            repository: &repository,
            path: path.to_owned(),
            accept: None,
            body: None,
            doing: "try".to_owned(),
        };
        let credential = Credential::new("AWS", "x", None);
        let size = 4 * SMALL;
        let pieces = (0..size / 65_536).map(|_| Ok(Bytes::from_static(&[7; 65_536])));
        let put = request(Method::PUT, "blobs/uploads/1?digest=d");
        let sent = client.send_stream(&put, Some(size), stream::iter(pieces), &credential).await.unwrap();
        assert_eq!(sent.status(), 201);
        let ended = client.settle(&put, &credential).await.unwrap();
        assert_eq!(ended.status(), 201);

        let head = client.send_stream(&request(Method::PUT, "small"), Some(0), stream::empty(), &credential).await;
        assert!(head.unwrap_err().cause.contains("timed out"), "the limit is there for everything else");
    }
}
