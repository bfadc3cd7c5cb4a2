//! Layers and configurations on their way out, straight from the disk.

use std::io::SeekFrom;
use std::path::Path;

use axum::body::Body;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::local::registry::CONTENT_DIGEST;
use crate::local::registry::error::Problem;
use crate::local::registry::range::{self, Wanted};
use crate::local::store::Repository;
use crate::names::Digest;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// GET and HEAD of a blob that belongs to this repository.
pub async fn read(repository: &Repository, digest: &Digest, request: &Parts) -> Result<Response, Problem> {
    let unknown = || {
        let message = format!("The layer with digest '{digest}' does not exist within {}", repository.named);
        Problem::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", message)
    };
    let file = repository.layer_file(digest).ok_or_else(unknown)?;
    send(&file, digest, request).await
}

/// Sends a file, or the part of it that the request wants.
pub async fn send(file: &Path, digest: &Digest, request: &Parts) -> Result<Response, Problem> {
    let mut file = File::open(file).await?;
    let length = file.metadata().await?.len();
    let header = request.headers.get(RANGE).and_then(|value| value.to_str().ok());
    let (status, first, count) = match range::parse(header, length) {
        Wanted::All => (StatusCode::OK, 0, length),
        Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Wanted::OutOfReach => {
            let message = format!("the blob has {length} bytes");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", message);
            return Err(problem.with(CONTENT_RANGE, format!("bytes */{length}")));
        }
    };
    let mut response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, count)
        .header(ACCEPT_RANGES, "bytes")
        .header(CONTENT_DIGEST, digest.as_str());
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(CONTENT_RANGE, format!("bytes {first}-{}/{length}", first + count - 1));
    }
    let body = if request.method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(first)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(count), CHUNK))
    };
    response.body(body).map_err(|error| std::io::Error::other(error).into())
}
