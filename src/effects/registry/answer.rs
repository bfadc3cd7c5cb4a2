//! What a registry's refusal means for the user, by its status and error code.

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;

use super::retry::{self, Unanswered};
use crate::execute::ports::{Failure, ServiceError};
use crate::names::{ImageRef, Reference, RegistryHost, RepositoryName, Tag};

/// Source: OCI distribution specification, "Error Codes".
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What an answer that is no success means.
pub(super) async fn refused(response: Response, image: &ImageRef, doing: &str) -> ServiceError {
    let status = response.status();
    let (code, message) = reason(response).await;
    let tag = match &image.reference {
        Reference::Tag(tag) => Some(tag),
        Reference::Digest(_) => None,
    };
    let failure = sort(status, &code, &message, Some(&image.repository), tag);
    ServiceError { failure, doing: doing.to_owned(), cause: words(status, &code, &message) }
}

/// What a refusal means that is about no image.
pub(super) async fn refused_login(response: Response, doing: &str) -> ServiceError {
    let status = response.status();
    let (code, message) = reason(response).await;
    let failure = sort(status, &code, &message, None, None);
    ServiceError { failure, doing: doing.to_owned(), cause: words(status, &code, &message) }
}

/// The registry's error code and message. Proxies answer with pages; their status is all that can be told of them.
async fn reason(response: Response) -> (String, String) {
    // What an upload is refused with comes over a line that has no limit of its own.
    let whole = timeout(retry::READ_TIMEOUT, retry::whole(response)).await;
    let bytes = match whole {
        Ok(Ok(response)) => response.bytes().await.unwrap_or_default(),
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    let reason = serde_json::from_slice(&bytes).ok().and_then(|refusal: Refusal| refusal.errors.into_iter().next());
    reason.map(|reason| (reason.code, reason.message)).unwrap_or_default()
}

fn words(status: StatusCode, code: &str, message: &str) -> String {
    let status = status.to_string();
    [status.as_str(), code, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sort(
    status: StatusCode,
    code: &str,
    message: &str,
    repository: Option<&RepositoryName>,
    tag: Option<&Tag>,
) -> Failure {
    let about = repository.map(|repository| (repository, tag));
    match (status.as_u16(), code, about) {
        (_, "NAME_UNKNOWN", Some((repository, _))) => Failure::RepositoryMissing { repository: repository.clone() },
        // ECR has one code for all that can be wrong with a tag; immutability is told by the message alone.
        (_, "TAG_INVALID", Some((repository, Some(tag)))) if message.contains("immutable") => {
            Failure::TagTaken { tag: tag.clone(), repository: repository.clone() }
        }
        (401 | 403, _, _) if message.contains("expired") => Failure::CredentialsExpired,
        (401, _, _) => Failure::CredentialsRefused,
        (403, _, _) => Failure::Denied { action: None },
        (429, _, _) => Failure::Throttled,
        (500.., _, _) => Failure::ServiceBroken,
        _ => Failure::Refused,
    }
}

/// What a request that got no answer at all means.
pub(super) fn no_answer(host: &RegistryHost, doing: &str, error: &Unanswered) -> ServiceError {
    let (failure, cause) = match error {
        Unanswered::Line(error) => (Failure::Unreachable { address: host.to_string() }, retry::chain(error)),
        Unanswered::TooLarge => {
            (Failure::Unexpected, format!("the registry's answer is larger than {} bytes", retry::LARGEST))
        }
    };
    ServiceError { failure, doing: doing.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use futures_util::stream::{self, Stream};

    fn by(status: u16, code: &str, message: &str) -> Failure {
        let tag = "1.2.3".parse().unwrap();
        sort(StatusCode::from_u16(status).unwrap(), code, message, Some(&"web".parse().unwrap()), Some(&tag))
    }

    #[test]
    fn codes_and_statuses() {
        assert_eq!(by(404, "NAME_UNKNOWN", ""), Failure::RepositoryMissing { repository: "web".parse().unwrap() });
        let taken = Failure::TagTaken { tag: "1.2.3".parse().unwrap(), repository: "web".parse().unwrap() };
        assert_eq!(by(400, "TAG_INVALID", "… because the tag is immutable."), taken);
        assert_eq!(by(400, "TAG_INVALID", "…"), Failure::Refused);
        assert_eq!(by(403, "DENIED", "Your authorization token has expired."), Failure::CredentialsExpired);
        assert_eq!(by(401, "", ""), Failure::CredentialsRefused);
        assert_eq!(by(429, "TOOMANYREQUESTS", "Rate exceeded"), Failure::Throttled);
        assert_eq!(by(503, "", ""), Failure::ServiceBroken);
    }

    fn forbidden(body: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static) -> Response {
        let mut response = http::Response::new(reqwest::Body::wrap_stream(body));
        *response.status_mut() = StatusCode::FORBIDDEN;
        Response::from(response)
    }

    /// Refusals of what is streamed come unread.
    #[tokio::test]
    async fn a_refusal_is_not_read_further_than_it_may_be_long() {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let body = stream::iter((0..64).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(vec![b' '; retry::LARGEST / 4])
        }));
        let error = refused_login(forbidden(body), "log in").await;
        assert_eq!(error.cause, "403 Forbidden");
        assert_eq!(sent.load(Ordering::Relaxed), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_never_ends_is_not_waited_for() {
        let error = refused_login(forbidden(stream::pending()), "log in").await;
        assert_eq!(error.cause, "403 Forbidden");
    }
}
