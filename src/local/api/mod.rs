//! The control plane: AWS JSON 1.1, one function for each operation. Source: the ECR API model, 2015-09-21.

#![expect(clippy::needless_pass_by_value, reason = "every operation has the same form and owns its input")]

mod authorization;
mod deletion;
mod error;
mod images;
mod input;
mod layers;
mod lifecycle;
mod listing;
mod paging;
mod policies;
mod replication;
mod repositories;
mod scanning;
mod scans;
mod signing;
mod tags;
mod templates;

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal};

/// What precedes the operation in the header `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// The media type of requests and answers.
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// The largest body in bytes: a layer part of 20 MiB in base64 and what stands around it.
pub const MAX_BODY: usize = 28 * 1024 * 1024;

/// Answers one request.
pub async fn answer(ecr: Arc<Ecr>, operation: &str, request: Request) -> Response {
    let request_id = ecr.tokens.uuid().unwrap_or_default();
    let media_type = [(CONTENT_TYPE.as_str(), MEDIA_TYPE), ("x-amzn-requestid", &request_id)];
    match outcome(ecr, operation, request).await {
        Ok(value) => (media_type, value.to_string()).into_response(),
        Err(refusal) => (error::status(refusal.kind), media_type, error::body(refusal).to_string()).into_response(),
    }
}

async fn outcome(ecr: Arc<Ecr>, operation: &str, request: Request) -> Result<Value, Refusal> {
    if !request.headers().contains_key(AUTHORIZATION) {
        return Err(Refusal::new(Kind::MissingAuthenticationToken, "Missing Authentication Token"));
    }
    let handler = handler(operation).ok_or_else(|| Refusal::new(Kind::UnknownOperation, ""))?;
    let body = to_bytes(request.into_body(), MAX_BODY)
        .await
        .map_err(|error| Refusal::new(Kind::Serialization, format!("the body cannot be read: {error}")))?;
    // Operations read and write files, and some wait for the disk.
    let done = tokio::task::spawn_blocking(move || handler(&ecr, &body)).await;
    done.unwrap_or_else(|panic| Err(Refusal::new(Kind::Server, panic.to_string())))
}

type Handler = Box<dyn FnOnce(&Ecr, &[u8]) -> Result<Value, Refusal> + Send>;

/// Gives an operation its input, parsed.
fn with_input<I: DeserializeOwned + 'static>(operation: fn(&Ecr, I) -> Result<Value, Refusal>) -> Handler {
    Box::new(move |ecr, body| operation(ecr, input::parse(body)?))
}

fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "GetAuthorizationToken" => with_input(authorization::get_token),
        "DescribeRegistry" => with_input(replication::describe_registry),
        "PutReplicationConfiguration" => with_input(replication::put),
        "DescribeImageReplicationStatus" => with_input(replication::describe_image),
        "GetSigningConfiguration" => with_input(signing::get),
        "PutSigningConfiguration" => with_input(signing::put),
        "DeleteSigningConfiguration" => with_input(signing::delete),
        "DescribeImageSigningStatus" => with_input(signing::describe_image),
        "CreateRepository" => with_input(repositories::create),
        "DescribeRepositories" => with_input(repositories::describe),
        "DeleteRepository" => with_input(repositories::delete),
        "PutImageTagMutability" => with_input(repositories::put_mutability),
        "PutImageScanningConfiguration" => with_input(repositories::put_scanning),
        "GetRegistryScanningConfiguration" => with_input(scanning::get),
        "PutRegistryScanningConfiguration" => with_input(scanning::put),
        "BatchGetRepositoryScanningConfiguration" => with_input(scanning::batch_get),
        "StartImageScan" => with_input(scans::start),
        "DescribeImageScanFindings" => with_input(scans::describe),
        "ListImages" => with_input(listing::list),
        "DescribeImages" => with_input(listing::describe),
        "BatchGetImage" => with_input(images::batch_get),
        "PutImage" => with_input(images::put),
        "BatchDeleteImage" => with_input(deletion::batch_delete),
        "BatchCheckLayerAvailability" => with_input(layers::check),
        "GetDownloadUrlForLayer" => with_input(layers::link),
        "InitiateLayerUpload" => with_input(layers::begin),
        "UploadLayerPart" => with_input(layers::upload_part),
        "CompleteLayerUpload" => with_input(layers::complete),
        "TagResource" => with_input(tags::tag),
        "UntagResource" => with_input(tags::untag),
        "ListTagsForResource" => with_input(tags::list),
        "GetRepositoryPolicy" => with_input(policies::get_repository_policy),
        "SetRepositoryPolicy" => with_input(policies::set_repository_policy),
        "DeleteRepositoryPolicy" => with_input(policies::delete_repository_policy),
        "CreateRepositoryCreationTemplate" => with_input(templates::create),
        "DescribeRepositoryCreationTemplates" => with_input(templates::describe),
        "UpdateRepositoryCreationTemplate" => with_input(templates::update),
        "DeleteRepositoryCreationTemplate" => with_input(templates::delete),
        "GetLifecyclePolicy" => with_input(lifecycle::get),
        "PutLifecyclePolicy" => with_input(lifecycle::put),
        "DeleteLifecyclePolicy" => with_input(lifecycle::delete),
        "StartLifecyclePolicyPreview" => with_input(lifecycle::start_preview),
        "GetLifecyclePolicyPreview" => with_input(lifecycle::get_preview),
        _ => return None,
    })
}
