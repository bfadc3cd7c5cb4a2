//! Refusals as the control plane tells them.

use axum::http::StatusCode;
use serde_json::Value;

use crate::local::refusal::{Kind, Refusal};

/// 500 for our own trouble, 400 for everything else.
pub fn status(kind: Kind) -> StatusCode {
    if kind == Kind::Server { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST }
}

/// The body of AWS JSON 1.1: the exception's name, its words, and what else the model gives it.
pub fn body(refusal: Refusal) -> Value {
    let mut members = refusal.members;
    members.insert("__type".into(), code(refusal.kind).into());
    members.insert("message".into(), refusal.message.into());
    Value::Object(members)
}

fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::AccessDenied => "AccessDeniedException",
        Kind::EmptyUpload => "EmptyUploadException",
        Kind::ImageAlreadyExists => "ImageAlreadyExistsException",
        Kind::ImageArchived => "ImageArchivedException",
        Kind::ImageDigestDoesNotMatch => "ImageDigestDoesNotMatchException",
        Kind::ImageNotFound => "ImageNotFoundException",
        Kind::ImageTagAlreadyExists => "ImageTagAlreadyExistsException",
        Kind::InvalidLayer => "InvalidLayerException",
        Kind::InvalidLayerPart => "InvalidLayerPartException",
        Kind::ImageReferencedByManifestList | Kind::InvalidManifest | Kind::InvalidParameter => {
            "InvalidParameterException"
        }
        Kind::InvalidTagParameter => "InvalidTagParameterException",
        Kind::LayerAlreadyExists => "LayerAlreadyExistsException",
        Kind::LayerInaccessible => "LayerInaccessibleException",
        Kind::LayerPartTooSmall => "LayerPartTooSmallException",
        Kind::LayersNotFound => "LayersNotFoundException",
        Kind::LifecyclePolicyNotFound => "LifecyclePolicyNotFoundException",
        Kind::LifecyclePolicyPreviewInProgress => "LifecyclePolicyPreviewInProgressException",
        Kind::LifecyclePolicyPreviewNotFound => "LifecyclePolicyPreviewNotFoundException",
        Kind::LimitExceeded => "LimitExceededException",
        Kind::MissingAuthenticationToken => "MissingAuthenticationTokenException",
        Kind::ReferencedImagesNotFound => "ReferencedImagesNotFoundException",
        Kind::RepositoryAlreadyExists => "RepositoryAlreadyExistsException",
        Kind::RepositoryNotEmpty => "RepositoryNotEmptyException",
        Kind::RepositoryNotFound => "RepositoryNotFoundException",
        Kind::RepositoryPolicyNotFound => "RepositoryPolicyNotFoundException",
        Kind::ScanNotFound => "ScanNotFoundException",
        Kind::Serialization => "SerializationException",
        Kind::Server => "ServerException",
        Kind::SigningConfigurationNotFound => "SigningConfigurationNotFoundException",
        Kind::TemplateAlreadyExists => "TemplateAlreadyExistsException",
        Kind::TemplateNotFound => "TemplateNotFoundException",
        Kind::TooManyTags => "TooManyTagsException",
        Kind::UnknownOperation => "UnknownOperationException",
        Kind::UnsupportedImageType => "UnsupportedImageTypeException",
        Kind::UploadNotFound => "UploadNotFoundException",
        Kind::Validation => "ValidationException",
    }
}
