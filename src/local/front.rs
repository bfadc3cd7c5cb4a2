//! The one place that every request passes, whichever door it is for.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::local::ecr::Ecr;
use crate::local::faults::{Reset, Struck, Verdict};
use crate::local::log::Entry;
use crate::local::operation::Operation;
use crate::local::{api, registry};

/// The door that a request is for, and what it wants there.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// An operation of the control plane, by the name that the request gives.
    Operation(String),
    /// The registry protocol, under `/v2/`.
    Registry,
    /// A layer by a signed link.
    Layer,
    /// Nothing that is here.
    Nothing,
}

impl Wanted {
    /// Read off the request's method, path and headers.
    pub fn of(request: &Request) -> Self {
        let path = request.uri().path();
        if path == "/v2" || path.starts_with("/v2/") {
            Wanted::Registry
        } else if path.starts_with(registry::LINK_PREFIX) {
            Wanted::Layer
        } else if request.method() == Method::POST && path == "/" {
            let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
            let operation = target.and_then(|target| target.strip_prefix(api::TARGET_PREFIX)).unwrap_or_default();
            Wanted::Operation(operation.to_owned())
        } else {
            Wanted::Nothing
        }
    }
}

/// Answers one request. Its line in the log is written before the answer goes out, so that whoever has the answer
/// finds the line.
///
/// # Errors
/// If a fault wants the connection reset in place of an answer.
pub async fn answer(ecr: Arc<Ecr>, request: Request) -> Result<Response, Reset> {
    let wanted = Wanted::of(&request);
    if ecr.log.is_none() && ecr.faults.is_empty() {
        return Ok(answer_as(ecr, wanted, request).await);
    }
    let at = ecr.clock.now().seconds();
    let is_head = request.method() == Method::HEAD;
    let (operation, received_bytes, request) = Operation::of(&wanted, request).await;
    let struck = ecr.faults.strike(&operation);
    let answered = answer_under(&struck, &ecr, &operation, wanted, request).await;
    if let Some(log) = &ecr.log {
        let response = answered.as_ref().ok();
        let sent_bytes = if is_head { Some(0) } else { response.map_or(Some(0), length) };
        let status = response.map(|response| response.status().as_u16());
        let (registry, faults) = (ecr.named_in_log(), struck.words());
        log.write(&Entry { at, registry, operation, status, faults, received_bytes, sent_bytes });
    }
    answered
}

async fn answer_under(
    struck: &Struck,
    ecr: &Arc<Ecr>,
    operation: &Operation,
    wanted: Wanted,
    request: Request,
) -> Result<Response, Reset> {
    match struck.before(ecr, operation, request).await? {
        Verdict::Answer(response) => Ok(response),
        Verdict::GoOn(request) => {
            let response = answer_as(Arc::clone(ecr), wanted, request).await;
            struck.after(operation, response).await
        }
    }
}

fn length(response: &Response) -> Option<u64> {
    let stated = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    stated.or_else(|| response.body().size_hint().exact())
}

async fn answer_as(ecr: Arc<Ecr>, wanted: Wanted, request: Request) -> Response {
    match wanted {
        Wanted::Operation(operation) => api::answer(ecr, &operation, request).await,
        Wanted::Registry => registry::answer(&ecr, request).await,
        Wanted::Layer => registry::answer_link(&ecr, request).await,
        Wanted::Nothing => (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain")], "not found\n").into_response(),
    }
}
