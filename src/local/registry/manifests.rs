//! Manifests by tag and by digest.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use axum::response::{IntoResponse as _, Response};

use crate::local::ecr::Ecr;
use crate::local::registry::error::Problem;
use crate::local::registry::{CONTENT_DIGEST, off_the_reactor};
use crate::local::store::{MAX_MANIFEST_LENGTH, Put, Repository, image_not_found};
use crate::names::{Digest, Reference};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// GET and HEAD. A manifest is given as it was stored, whatever the request accepts; ECR itself would convert one
/// between the Docker and the OCI form when it is asked for by tag.
pub async fn read(repository: Arc<Repository>, reference: &Reference) -> Result<Response, Problem> {
    let (digest, media_type) = find(&repository, reference)?;
    let wanted = digest.clone();
    let bytes = off_the_reactor(move || Ok(repository.manifest(&wanted)?)).await?;
    let headers = [(CONTENT_TYPE, media_type), (CONTENT_DIGEST, digest.to_string()), (ETAG, format!("\"{digest}\""))];
    // For HEAD the server itself keeps the length and drops the bytes.
    Ok((StatusCode::OK, headers, bytes).into_response())
}

/// PUT.
pub async fn write(
    ecr: &Ecr,
    repository: Arc<Repository>,
    reference: Reference,
    request: Request,
) -> Result<Response, Problem> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // Parameters say nothing here.
    let media_type = media_type.and_then(|value| value.split(';').next()).map(|value| value.trim().to_owned());
    let bytes = to_bytes(request.into_body(), MAX_MANIFEST_LENGTH).await.map_err(|_| {
        let message = format!("the manifest broke off or has more than {MAX_MANIFEST_LENGTH} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", message)
    })?;
    let now = ecr.clock.now();
    let (name, pushed_as) = (repository.named.name.clone(), reference.clone());
    let (response, digest) = off_the_reactor(move || {
        let (tag, digest) = match &reference {
            Reference::Tag(tag) => (Some(tag), None),
            Reference::Digest(digest) => (None, Some(digest.as_str())),
        };
        let put = Put { bytes: &bytes, media_type: media_type.as_deref(), tag, digest };
        let stored = repository.put_image(&put, now)?;
        // ECR's registry refuses an immutable tag even to the image that has it.
        if let Some(tag) = tag.filter(|_| stored.unchanged)
            && !repository.lock().settings.mutability.may_move(tag)
        {
            return Err(repository.named.tag_taken(tag).into());
        }
        let location = format!("/v2/{}/manifests/{}", repository.named.name, stored.digest);
        let headers = [(LOCATION, location), (CONTENT_DIGEST, stored.digest.to_string())];
        let subject = stored.manifest.subject.map(|subject| [(OCI_SUBJECT, subject.to_string())]);
        let response = match subject {
            Some(subject) => (StatusCode::CREATED, headers, subject, Bytes::new()).into_response(),
            None => (StatusCode::CREATED, headers).into_response(),
        };
        Ok((response, (!stored.unchanged).then_some(stored.digest)))
    })
    .await?;
    if let Some(digest) = digest {
        let tag = match &pushed_as {
            Reference::Tag(tag) => Some(tag),
            Reference::Digest(_) => None,
        };
        ecr.pushed(&name, &digest, tag);
    }
    Ok(response)
}

/// DELETE: by tag the tag, by digest the image.
pub async fn delete(repository: Arc<Repository>, reference: Reference) -> Result<Response, Problem> {
    off_the_reactor(move || {
        match &reference {
            Reference::Tag(tag) => drop(repository.remove_tag(tag)?),
            Reference::Digest(digest) => drop(repository.remove_image(digest)?),
        }
        Ok(StatusCode::ACCEPTED.into_response())
    })
    .await
}

fn find(repository: &Repository, reference: &Reference) -> Result<(Digest, String), Problem> {
    let contents = repository.lock();
    let digest = match reference {
        Reference::Tag(tag) => contents.index.tagged(tag),
        Reference::Digest(digest) => Some(digest),
    };
    let image = digest.and_then(|digest| contents.index.image(digest)).ok_or_else(image_not_found)?;
    Ok((image.digest.clone(), image.media_type.clone()))
}
