//! How a registry wants to be asked: by name and password, or with a token that it has for them.
//!
//! Source: distribution project, "Token Authentication Specification" and "OAuth2 Token Authentication"; RFC 9110,
//! section 11.6.1, for the form of the challenge.

use std::collections::BTreeMap;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::answer;
use super::retry::Persistence;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::names::RegistryHost;
use crate::secrecy;

/// The user name that stands for "the password is an identity token". Source: docker-credential-helpers.
const IDENTITY_TOKEN: &str = "<token>";

/// The tokens that a registry gave, by what they allow and for whom.
#[derive(Default)]
pub(super) struct Tokens(Mutex<BTreeMap<(String, String), HeaderValue>>);

/// Where a token is to be had, and for what.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

/// Source: Token Authentication Specification, "Token Response Fields". Both names mean the same.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// Who asks for a token, and what for.
pub(super) struct Asking<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) persistence: &'a Persistence,
    /// What the user would call it, for the error.
    pub(super) doing: &'a str,
}

impl Tokens {
    /// The token that is kept for this.
    pub(super) async fn kept(&self, scope: &str, credential: Option<&Credential>) -> Option<HeaderValue> {
        self.0.lock().await.get(&key(scope, credential)).cloned()
    }

    /// Asks for a token as the challenge wants it, and keeps it.
    ///
    /// # Errors
    /// If there is none to be had, or it would have to be asked for in the clear.
    pub(super) async fn ask(
        &self,
        asking: &Asking<'_>,
        challenge: &Challenge,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<HeaderValue, ServiceError> {
        let Asking { http, persistence, doing } = *asking;
        let failed = |failure, cause: String| ServiceError { failure, doing: doing.to_owned(), cause };
        let host = safe_host(&challenge.realm).ok_or_else(|| {
            failed(Failure::Unexpected, format!("the registry asks for credentials at {}", challenge.realm))
        })?;
        let wanted = challenge.scope.as_deref().unwrap_or(scope);
        let sent = persistence.until_answered(doing, || request(http, challenge, wanted, credential).send());
        let response = sent.await.map_err(|error| answer::no_answer(&host, doing, &error))?;
        let failure = match response.status() {
            status if status.is_success() => None,
            StatusCode::UNAUTHORIZED => Some(Failure::CredentialsRefused),
            StatusCode::FORBIDDEN => Some(Failure::Denied { action: None }),
            StatusCode::TOO_MANY_REQUESTS => Some(Failure::Throttled),
            status if status.is_server_error() => Some(Failure::ServiceBroken),
            _ => Some(Failure::Refused),
        };
        if let Some(failure) = failure {
            return Err(failed(failure, format!("{} from {host}", response.status())));
        }
        let token = response.bytes().await.ok().and_then(|bytes| serde_json::from_slice::<Answer>(&bytes).ok());
        let token = token.and_then(|answer| answer.token.or(answer.access_token));
        token.iter().for_each(|token| secrecy::keep(token));
        let header = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        let mut header = header.ok_or_else(|| failed(Failure::Unexpected, format!("{host} gave no token")))?;
        header.set_sensitive(true);
        self.0.lock().await.insert(key(scope, credential), header.clone());
        Ok(header)
    }
}

fn key(scope: &str, credential: Option<&Credential>) -> (String, String) {
    (scope.to_owned(), credential.map(|credential| credential.username.clone()).unwrap_or_default())
}

fn request(
    http: &reqwest::Client,
    challenge: &Challenge,
    scope: &str,
    credential: Option<&Credential>,
) -> reqwest::RequestBuilder {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    if let Some(service) = &challenge.service {
        fields.append_pair("service", service);
    }
    fields.append_pair("scope", scope);
    match credential {
        Some(credential) if credential.username == IDENTITY_TOKEN => {
            fields.append_pair("grant_type", "refresh_token").append_pair("client_id", "longshore");
            fields.append_pair("refresh_token", credential.reveal());
            let body = fields.finish();
            http.post(&challenge.realm).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
        }
        credential => {
            let sign = if challenge.realm.contains('?') { '&' } else { '?' };
            let call = http.get(format!("{}{sign}{}", challenge.realm, fields.finish()));
            match credential {
                Some(credential) => call.header(AUTHORIZATION, basic(credential)),
                None => call,
            }
        }
    }
}

/// The host of a URL that a password may be sent to: over TLS, or within this machine.
fn safe_host(url: &str) -> Option<RegistryHost> {
    let url = Url::parse(url).ok()?;
    let name = url.host_str()?;
    let host: RegistryHost = url.port().map_or(name.to_owned(), |port| format!("{name}:{port}")).parse().ok()?;
    (url.scheme() == "https" || (url.scheme() == "http" && host.is_loopback())).then_some(host)
}

/// The challenge for a token in a refusal, if it holds one.
pub(super) fn challenge(response: &Response) -> Option<Challenge> {
    if response.status() != StatusCode::UNAUTHORIZED {
        return None;
    }
    let challenges = response.headers().get_all(WWW_AUTHENTICATE);
    challenges.iter().filter_map(|value| value.to_str().ok()).find_map(Challenge::parse)
}

impl Challenge {
    /// Out of a header `WWW-Authenticate`; `None` if it asks for something else than a bearer token. Source: RFC 6750,
    /// section 3, and the Token Authentication Specification.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut found = BTreeMap::new();
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                // The values are URLs and names, in which no quote is escaped.
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').unwrap_or((after, "")),
            };
            found.insert(name.trim().trim_start_matches(',').trim().to_ascii_lowercase(), value.to_owned());
            rest = after.trim_start_matches([',', ' ']);
        }
        Some(Challenge {
            realm: found.remove("realm")?,
            service: found.remove("service"),
            scope: found.remove("scope"),
        })
    }
}

/// RFC 7617. The value is marked so that no log shows it.
pub(super) fn basic(credential: &Credential) -> HeaderValue {
    // Base64 is always legal in a header.
    let value = HeaderValue::from_str(&format!("Basic {}", credential.basic()));
    let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let expected = Challenge {
            realm: "https://auth.docker.io/token".into(),
            service: Some("registry.docker.io".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(Challenge::parse(hub), Some(expected));
        let bare = Challenge::parse("bearer realm=https://x/t, service=s").unwrap();
        assert_eq!((bare.realm.as_str(), bare.service.as_deref()), ("https://x/t", Some("s")));
        assert_eq!(Challenge::parse(r#"Basic realm="x""#), None);
        assert_eq!(Challenge::parse("Bearer"), None);
        assert_eq!(Challenge::parse(r#"Bearer realm="x"#), None);
    }

    #[test]
    fn passwords_go_over_tls_or_stay_here() {
        assert!(safe_host("https://auth.example.com/token").is_some());
        assert!(safe_host("http://127.0.0.1:5001/token").is_some());
        assert!(safe_host("http://auth.example.com/token").is_none());
        assert!(safe_host("ftp://x").is_none());
    }
}
