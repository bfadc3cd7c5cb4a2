//! Answers that are no good.

use std::time::Duration;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use crate::local::faults::rules::{Answer, Lie};
use crate::local::operation::Operation;
use crate::local::registry;

/// The digest of nothing that anybody would push.
const OTHER: &str = "sha256:bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0";

/// The member of the control plane's answers that states a digest.
const STATED: &str = "imageDigest";

/// How long the beginning of an answer gets to be on its way, before the connection is closed.
const UNDER_WAY: Duration = Duration::from_millis(20);

/// Instead of an answer, the connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is reset on request")
    }
}

impl std::error::Error for Reset {}

impl Answer {
    /// The answer, in the form of the door that the operation is for.
    pub fn response(&self, operation: &Operation) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message = self.message.as_deref().unwrap_or("a fault that was asked for");
        let code = match (&self.code, operation.is_of_registry()) {
            (Some(code), _) => code,
            (None, true) => registry_code(status),
            (None, false) => api_code(status),
        };
        let (kind, body) = match (&self.body, operation.is_of_registry()) {
            (Some(body), _) => ("text/html", body.clone()),
            (None, true) => {
                ("application/json", json!({ "errors": [{ "code": code, "message": message }] }).to_string())
            }
            (None, false) => ("application/x-amz-json-1.1", json!({ "__type": code, "message": message }).to_string()),
        };
        let mut response = (status, [(CONTENT_TYPE, kind)], body).into_response();
        if let Some(Ok(value)) = self.retry_after.as_deref().map(HeaderValue::from_str) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}

/// Source: OCI distribution specification 1.1, "Error Codes".
fn registry_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        429 => "TOOMANYREQUESTS",
        400..500 => "UNSUPPORTED",
        _ => "UNKNOWN",
    }
}

/// Source: ECR API reference, "Common Errors"; the ECR API model.
fn api_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "AccessDeniedException",
        429 => "TooManyRequestsException",
        400..500 => "InvalidParameterException",
        _ => "ServerException",
    }
}

/// The refusal of what comes too fast. Source: concourse docker-image-resource issue 115 for the control plane,
/// containerd issue 10447 for the registry.
pub fn throttled(operation: &Operation) -> Response {
    let (status, code) = match operation.is_of_registry() {
        true => (429, "TOOMANYREQUESTS"),
        false => (400, "ThrottlingException"),
    };
    let message = Some("Rate exceeded".to_owned());
    Answer { status, code: Some(code.to_owned()), message, body: None, retry_after: None }.response(operation)
}

/// The control plane's refusal of credentials that were good once.
pub fn expired_credentials() -> Response {
    let body = json!({
        "__type": "ExpiredTokenException",
        "message": "The security token included in the request is expired",
    });
    (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

/// Reads a request to its end and forgets it.
pub async fn swallow(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// The same answer, which breaks off after so many bytes.
pub fn truncated(response: Response, bytes: usize) -> Response {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    let mut left = bytes;
    let kept = body.into_data_stream().scan((), move |(), piece| {
        let piece = piece.map(|mut piece: Bytes| {
            piece.truncate(left);
            left -= piece.len();
            piece
        });
        let more = piece.as_ref().is_ok_and(|piece| !piece.is_empty());
        std::future::ready(more.then_some(piece))
    });
    let broken = stream::once(async {
        tokio::time::sleep(UNDER_WAY).await;
        Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)))
    });
    Response::from_parts(head, Body::from_stream(kept.chain(broken)))
}

/// The same answer, which says something that is not so.
pub async fn lying(response: Response, lie: Lie) -> Response {
    let (mut head, body) = response.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    let digest = HeaderName::from_static(registry::CONTENT_DIGEST_NAME);
    match lie {
        Lie::Body => {
            if let Some(first) = bytes.first_mut() {
                *first ^= 1;
            }
        }
        Lie::Digest if head.headers.contains_key(&digest) => {
            head.headers.insert(digest, HeaderValue::from_static(OTHER));
        }
        Lie::Digest => {
            if let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) {
                falsify(&mut value);
                bytes = value.to_string().into_bytes();
                head.headers.remove(CONTENT_LENGTH);
            }
        }
    }
    Response::from_parts(head, Body::from(bytes))
}

fn falsify(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == STATED && member.is_string() {
                    *member = OTHER.into();
                } else {
                    falsify(member);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(falsify),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stated_digest_is_falsified() {
        let mut value = json!({ "images": [{ "imageId": { "imageDigest": "sha256:1", "imageTag": "a" } }], "n": 1 });
        falsify(&mut value);
        assert_eq!(value, json!({ "images": [{ "imageId": { "imageDigest": OTHER, "imageTag": "a" } }], "n": 1 }));
    }
}
