//! Layers on their way in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_RANGE, HeaderMap, HeaderName, LOCATION, RANGE};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal};
use crate::local::registry::error::Problem;
use crate::local::registry::query::Query;
use crate::local::registry::{CONTENT_DIGEST, off_the_reactor};
use crate::local::store::{Repository, Upload};
use crate::names::{Digest, RepositoryName};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

type Session = Arc<tokio::sync::Mutex<Upload>>;

/// POST: mounts a blob, takes a whole one, or begins an upload.
pub async fn begin(
    ecr: &Ecr,
    repository: Arc<Repository>,
    query: &Query,
    request: Request,
) -> Result<Response, Problem> {
    if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from"))
        && let (Ok(digest), Ok(from)) = (digest.parse::<Digest>(), from.parse::<RepositoryName>())
        && mount(ecr, &repository, &digest, &from)?
    {
        return Ok(created(&repository, &digest));
    }
    let id = ecr.tokens.uuid()?;
    ecr.store.uploads.begin(id.clone(), repository.named.name.clone()).await?;
    if query.get("digest").is_some() {
        return finish(ecr, repository, &id, query, request).await;
    }
    let headers = [(LOCATION, location(&repository, &id)), (UPLOAD_ID, id), (RANGE, "0-0".to_owned())];
    Ok((StatusCode::ACCEPTED, headers).into_response())
}

/// Only with the account setting `BLOB_MOUNTING`, and only what an image of the other repository needs. Source: ECR
/// user guide, "Blob mounting".
fn mount(ecr: &Ecr, repository: &Repository, digest: &Digest, from: &RepositoryName) -> Result<bool, Problem> {
    if !ecr.blob_mounting {
        return Ok(false);
    }
    let Ok(source) = ecr.store.repository(from) else { return Ok(false) };
    if !source.lock().index.is_layer_used(digest) {
        return Ok(false);
    }
    repository.mount_layer(digest)?;
    Ok(true)
}

/// PATCH: takes the next bytes. ECR answers 201 where the specification says 202, and its `Range` never gets beyond
/// the first chunk, so a client has to count for itself.
pub async fn append(ecr: &Ecr, repository: Arc<Repository>, id: &str, request: Request) -> Result<Response, Problem> {
    let upload = find(ecr, &repository, id)?;
    let mut upload = upload.lock().await;
    check_offset(&upload, request.headers(), &repository, id)?;
    receive(&mut upload, request.into_body()).await?;
    upload.end_part();
    let shown = upload.parts().first.unwrap_or_default();
    let headers = [(LOCATION, location(&repository, id)), (UPLOAD_ID, id.to_owned()), (RANGE, range_of(shown))];
    Ok((StatusCode::CREATED, headers).into_response())
}

/// PUT: takes what is left, if anything, and makes the whole a blob.
pub async fn finish(
    ecr: &Ecr,
    repository: Arc<Repository>,
    id: &str,
    query: &Query,
    request: Request,
) -> Result<Response, Problem> {
    let upload = find(ecr, &repository, id)?;
    let digest = query.get("digest").unwrap_or_default();
    let digest: Digest = digest.parse().map_err(|_| {
        Problem::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", format!("'{digest}' is not a sha256 digest"))
    })?;
    let mut session = Arc::clone(&upload).lock_owned().await;
    check_offset(&session, request.headers(), &repository, id)?;
    receive(&mut session, request.into_body()).await?;
    let (path, calculated) = session.finish().await?;
    if calculated != digest {
        ecr.store.uploads.forget(id);
        return Err(wrong_digest().into());
    }
    let target = Arc::clone(&repository);
    let length = session.length();
    let adopted = digest.clone();
    off_the_reactor(move || {
        target.add_layer(&path, &adopted, length)?;
        drop(session);
        Ok(())
    })
    .await?;
    ecr.store.uploads.forget(id);
    Ok(created(&repository, &digest))
}

/// GET: how far the upload is.
pub async fn status(ecr: &Ecr, repository: Arc<Repository>, id: &str) -> Result<Response, Problem> {
    let upload = find(ecr, &repository, id)?;
    let length = upload.lock().await.length();
    let headers = [(LOCATION, location(&repository, id)), (UPLOAD_ID, id.to_owned()), (RANGE, range_of(length))];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// DELETE: gives the upload up.
pub fn cancel(ecr: &Ecr, repository: &Repository, id: &str) -> Result<Response, Problem> {
    find(ecr, repository, id)?;
    ecr.store.uploads.forget(id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The bytes that came are not those that were announced.
pub fn wrong_digest() -> Refusal {
    Refusal::new(Kind::InvalidLayer, "None of the provided layer digests match the calculated layer digest")
}

fn find(ecr: &Ecr, repository: &Repository, id: &str) -> Result<Session, Problem> {
    let upload = ecr.store.uploads.find(id, &repository.named.name);
    Ok(upload.ok_or_else(|| repository.named.upload_missing(id))?)
}

/// A chunk that says where it belongs must belong at the end of what is there.
fn check_offset(upload: &Upload, headers: &HeaderMap, repository: &Repository, id: &str) -> Result<(), Problem> {
    let Some(range) = headers.get(CONTENT_RANGE) else { return Ok(()) };
    let range = range.to_str().unwrap_or_default();
    let range = range.strip_prefix("bytes ").unwrap_or(range);
    let first = range.split_once('-').and_then(|(first, _)| first.parse::<u64>().ok());
    if first == Some(upload.length()) {
        return Ok(());
    }
    let message = format!("the chunk `{range}` does not begin at byte {}", upload.length());
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", message);
    Err(problem.with(LOCATION, location(repository, id)))
}

async fn receive(upload: &mut Upload, body: Body) -> Result<(), Problem> {
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            let message = format!("the request broke off: {error}");
            Problem::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", message)
        })?;
        upload.write(&chunk).await?;
    }
    Ok(())
}

fn created(repository: &Repository, digest: &Digest) -> Response {
    let location = format!("/v2/{}/blobs/{digest}", repository.named.name);
    (StatusCode::CREATED, [(LOCATION, location), (CONTENT_DIGEST, digest.to_string())]).into_response()
}

fn location(repository: &Repository, id: &str) -> String {
    format!("/v2/{}/blobs/uploads/{id}", repository.named.name)
}

/// The bytes from 0 to the last; `0-0` also stands for none at all, for which the protocol has no word.
fn range_of(length: u64) -> String {
    format!("0-{}", length.saturating_sub(1))
}
