//! The registry protocol under `/v2/`, as ECR speaks it. Source: OCI distribution specification 1.1; ECR user guide.

mod blobs;
mod error;
mod links;
mod listing;
mod manifests;
mod query;
mod range;
mod route;
mod uploads;

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::local::ecr::Ecr;
use crate::local::operation::Operation;
use crate::names::RepositoryName;
use error::Problem;
use query::Query;
use route::Route;

pub use links::{LINK_PREFIX, answer as answer_link, link_to};
pub use uploads::wrong_digest;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static(CONTENT_DIGEST_NAME);

/// The header that states a manifest's or a blob's digest.
pub const CONTENT_DIGEST_NAME: &str = "docker-content-digest";

/// Answers one request.
pub async fn answer(ecr: &Ecr, request: Request) -> Response {
    let mut response = match outcome(ecr, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

async fn outcome(ecr: &Ecr, request: Request) -> Result<Response, Problem> {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    ecr.tokens.check(authorization, ecr.clock.now())?;
    let route = Route::parse(request.uri().path())?;
    let query = Query::of(request.uri());
    let method = request.method().clone();
    let repository = |name: &RepositoryName| ecr.store.repository(name);
    match (route, method) {
        (Route::Base, Method::GET | Method::HEAD) => Ok(StatusCode::OK.into_response()),
        (Route::Blob(name, digest), Method::GET | Method::HEAD) => {
            blobs::read(&*repository(&name)?, &digest, &request.into_parts().0).await
        }
        (Route::Uploads(name), Method::POST) => uploads::begin(ecr, ecr.pushed_to(&name)?, &query, request).await,
        (Route::Upload(name, id), Method::PATCH) => uploads::append(ecr, repository(&name)?, &id, request).await,
        (Route::Upload(name, id), Method::PUT) => uploads::finish(ecr, repository(&name)?, &id, &query, request).await,
        (Route::Upload(name, id), Method::GET) => uploads::status(ecr, repository(&name)?, &id).await,
        (Route::Upload(name, id), Method::DELETE) => uploads::cancel(ecr, &*repository(&name)?, &id),
        (Route::Manifest(name, reference), Method::GET | Method::HEAD) => {
            manifests::read(repository(&name)?, &reference).await
        }
        (Route::Manifest(name, reference), Method::PUT) => {
            manifests::write(ecr, ecr.pushed_to(&name)?, reference, request).await
        }
        (Route::Manifest(name, reference), Method::DELETE) => manifests::delete(repository(&name)?, reference).await,
        (Route::Tags(name), Method::GET) => listing::tags(&*repository(&name)?, &query),
        (Route::Referrers(name, digest), Method::GET) => listing::referrers(repository(&name)?, digest, query).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")),
    }
}

/// The operation of the registry protocol that a request is.
pub fn operation(method: &Method, uri: &Uri) -> Operation {
    let route = Route::parse(uri.path());
    let name = match (&route, method.as_str()) {
        (Ok(Route::Base), "GET" | "HEAD") => "Ping",
        (Ok(Route::Blob(..)), "GET") => "GetBlob",
        (Ok(Route::Blob(..)), "HEAD") => "HeadBlob",
        (Ok(Route::Uploads(_)), "POST") if Query::of(uri).get("mount").is_some() => "MountBlob",
        (Ok(Route::Uploads(_)), "POST") => "StartUpload",
        (Ok(Route::Upload(..)), "PATCH") => "PatchUpload",
        (Ok(Route::Upload(..)), "PUT") => "FinishUpload",
        (Ok(Route::Upload(..)), "GET") => "GetUpload",
        (Ok(Route::Upload(..)), "DELETE") => "CancelUpload",
        (Ok(Route::Manifest(..)), "GET") => "GetManifest",
        (Ok(Route::Manifest(..)), "HEAD") => "HeadManifest",
        (Ok(Route::Manifest(..)), "PUT") => "PutManifest",
        (Ok(Route::Manifest(..)), "DELETE") => "DeleteManifest",
        (Ok(Route::Tags(_)), "GET") => "ListTags",
        (Ok(Route::Referrers(..)), "GET") => "ListReferrers",
        _ => "unknown",
    };
    let (repository, reference) = match route {
        Ok(Route::Blob(name, digest) | Route::Referrers(name, digest)) => (Some(name), Some(digest.to_string())),
        Ok(Route::Manifest(name, reference)) => (Some(name), Some(reference.as_str().to_owned())),
        Ok(Route::Uploads(name) | Route::Upload(name, _) | Route::Tags(name)) => (Some(name), None),
        Ok(Route::Base) | Err(_) => (None, None),
    };
    let repository = repository.map(|name| name.to_string());
    Operation { name: format!("registry:{name}"), repository, reference }
}

/// Does what waits for the disk where waiting harms nobody.
async fn off_the_reactor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(std::io::Error::other(panic).into()))
}
