//! Links to layers that need no credentials, in place of the S3 links that ECR gives.

use std::time::Duration;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::local::clock::Timestamp;
use crate::local::ecr::Ecr;
use crate::local::registry::blobs;
use crate::local::registry::error::Problem;
use crate::local::registry::query::Query;
use crate::names::{Digest, RepositoryName};

/// What every link's path begins with. No repository path does.
pub const LINK_PREFIX: &str = "/layers/";

/// How long a link works. Source: ECR's own links say an hour in `X-Amz-Expires`.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A link to a layer of a repository.
pub fn link_to(ecr: &Ecr, repository: &RepositoryName, digest: &Digest) -> String {
    let expires = ecr.clock.now().after(LIFETIME).whole_seconds();
    let signature = ecr.tokens.sign(&signed(repository.as_str(), digest, expires));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("repository", repository.as_str())
        .append_pair("expires", &expires.to_string())
        .append_pair("signature", &signature)
        .finish();
    format!("{}{LINK_PREFIX}{digest}?{query}", ecr.endpoint())
}

/// Answers a request for such a link.
pub async fn answer(ecr: &Ecr, request: Request) -> Response {
    outcome(ecr, &request.into_parts().0).await.unwrap_or_else(Problem::into_response)
}

async fn outcome(ecr: &Ecr, request: &Parts) -> Result<Response, Problem> {
    let denied = || Problem::new(StatusCode::FORBIDDEN, "DENIED", "the link is not valid or has expired");
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported."));
    }
    let digest = request.uri.path().strip_prefix(LINK_PREFIX).unwrap_or_default();
    let digest: Digest = digest.parse().map_err(|_| denied())?;
    let query = Query::of(&request.uri);
    let name = query.get("repository").unwrap_or_default();
    let expires: i64 = query.get("expires").and_then(|text| text.parse().ok()).ok_or_else(denied)?;
    let signature = query.get("signature").unwrap_or_default();
    let good = ecr.tokens.verify(&signed(&name, &digest, expires), &signature)
        && ecr.clock.now() < Timestamp::from_seconds(expires);
    let name: RepositoryName = name.parse().map_err(|_| denied())?;
    if !good {
        return Err(denied());
    }
    blobs::read(&*ecr.store.repository(&name)?, &digest, request).await
}

fn signed(repository: &str, digest: &Digest, expires: i64) -> String {
    format!("layer {repository} {digest} {expires}")
}
