//! The tags of a repository, and the artifacts that are about an image.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::local::registry::error::Problem;
use crate::local::registry::off_the_reactor;
use crate::local::registry::query::Query;
use crate::local::registry::route::Astray;
use crate::local::store::{Manifest, OCI_INDEX, Repository};
use crate::names::{Digest, Tag};

/// In tags. Source: ECR API model, the largest `MaxResults`.
const MAX_PAGE: usize = 1000;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// GET of a page of tags.
pub fn tags(repository: &Repository, query: &Query) -> Result<Response, Problem> {
    let size = match query.get("n") {
        None => MAX_PAGE,
        Some(text) => text.parse::<usize>().map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", format!("'{text}' is not a number"))
        })?,
    };
    let size = size.min(MAX_PAGE);
    let last = query.get("last").map(|text| text.parse::<Tag>().map_err(|_| Astray::Tag(text.into_owned())));
    let last = last.transpose()?;
    let contents = repository.lock();
    let mut left = contents.index.tags_after(last.as_ref()).peekable();
    let page: Vec<&Tag> = left.by_ref().take(size).collect();
    let name = &repository.named.name;
    let next = page.last().filter(|_| left.peek().is_some());
    let next = next.map(|last| format!("</v2/{name}/tags/list?n={size}&last={last}>; rel=\"next\""));
    let body = json!({ "name": name, "tags": page }).to_string();
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(Ok(next)) = next.map(|next| next.parse()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

/// GET of the referrers of an image, as an index. Source: OCI distribution specification 1.1, "Listing Referrers".
pub async fn referrers(repository: Arc<Repository>, subject: Digest, query: Query) -> Result<Response, Problem> {
    off_the_reactor(move || {
        let wanted = query.get("artifactType");
        let contents = repository.lock();
        let mut manifests = Vec::new();
        for digest in contents.index.referrers(&subject) {
            let Some(image) = contents.index.image(digest) else { continue };
            if wanted.as_ref().is_some_and(|wanted| image.artifact_type.as_deref() != Some(&**wanted)) {
                continue;
            }
            let bytes = repository.manifest(digest)?;
            let mut descriptor = json!({ "mediaType": image.media_type, "digest": digest, "size": bytes.len() });
            if let Some(artifact_type) = &image.artifact_type {
                descriptor["artifactType"] = json!(artifact_type);
            }
            let manifest = Manifest::read(&bytes, Some(&image.media_type));
            if let Ok(Manifest { annotations: Some(annotations), .. }) = manifest {
                descriptor["annotations"] = json!(annotations);
            }
            manifests.push(descriptor);
        }
        let body = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests }).to_string();
        let mut response = ([(CONTENT_TYPE, OCI_INDEX)], body).into_response();
        if wanted.is_some() {
            response.headers_mut().insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
        }
        Ok(response)
    })
    .await
}
