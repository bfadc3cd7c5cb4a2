//! The one place that every request passes, whichever door it is for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::local::ecr::Ecr;
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

/// Answers one request.
pub async fn answer(State(ecr): State<Arc<Ecr>>, request: Request) -> Response {
    match Wanted::of(&request) {
        Wanted::Operation(operation) => api::answer(ecr, &operation, request).await,
        Wanted::Registry => registry::answer(&ecr, request).await,
        Wanted::Layer => registry::answer_link(&ecr, request).await,
        Wanted::Nothing => (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain")], "not found\n").into_response(),
    }
}
