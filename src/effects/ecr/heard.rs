//! What the SDK itself asks for again. It does so for whatever gives credentials, such as STS, and tells nobody; but each of
//! its requests says which attempt it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::classify::chain;
use crate::effects::clock;
use crate::retry::{Retry, Tally};

/// The header that counts attempts, as in `attempt=2; max=5`. Source: AWS SDKs and Tools Reference Guide, "Retry behavior";
/// `aws-runtime`, `request_info.rs`.
const ATTEMPT: &str = "amz-sdk-request";

/// The same client, whose second attempts are counted here.
pub(super) fn heard(client: SharedHttpClient, tally: &Arc<Tally>) -> SharedHttpClient {
    SharedHttpClient::new(Heard { client, log: Log { tally: Arc::clone(tally), failed: Arc::default() } })
}

#[derive(Debug)]
struct Heard {
    client: SharedHttpClient,
    log: Log,
}

#[derive(Debug)]
struct Connector {
    connector: SharedHttpConnector,
    log: Log,
}

#[derive(Debug, Clone)]
struct Log {
    tally: Arc<Tally>,
    /// How and when the last request to each host failed.
    failed: Arc<Mutex<BTreeMap<String, (String, Instant)>>>,
}

impl HttpClient for Heard {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Connector { connector, log: self.log.clone() })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host(request.uri()).to_owned();
        let attempt = request.headers().get(ATTEMPT).map_or(1, attempt);
        if attempt > 1 {
            self.log.again(&host, attempt - 1);
        }
        let (log, answer) = (self.log.clone(), self.connector.call(request));
        HttpConnectorFuture::new(async move {
            let result = answer.await;
            match &result {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => log.failed(host, response.status().as_u16().to_string()),
                Err(error) => log.failed(host, chain(error)),
            }
            result
        })
    }
}

impl Log {
    fn failed(&self, host: String, cause: String) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(host, (cause, clock::instant()));
    }

    /// Counts an attempt that is made now, after the wait for it.
    fn again(&self, host: &str, attempt: u32) {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
        let (cause, wait) = failed.map(|(cause, at)| (cause, at.elapsed())).unwrap_or_default();
        self.tally.note(Retry { doing: format!("get an answer from {host}"), cause, attempt, wait });
    }
}

fn attempt(header: &str) -> u32 {
    let stated = header.split(';').find_map(|pair| pair.trim().strip_prefix("attempt="));
    stated.and_then(|number| number.parse().ok()).unwrap_or(1)
}

fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_of_itself() {
        assert_eq!((attempt("attempt=1; max=5"), attempt("ttl=20260101T000000Z; attempt=3; max=5")), (1, 3));
        assert_eq!((attempt(""), attempt("attempt=x")), (1, 1));
        assert_eq!(
            (host("https://sts.amazonaws.com/?a"), host("http://127.0.0.1:1")),
            ("sts.amazonaws.com", "127.0.0.1:1")
        );
    }
}
