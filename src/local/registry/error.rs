//! Refusals as the registry protocol tells them. Source: OCI distribution specification 1.1, "Error Codes"; where
//! ECR is known to answer otherwise, as ECR.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::local::refusal::{Kind, Refusal};
use crate::local::registry::route::Astray;
use crate::local::token::Denied;

/// An answer that says no.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    header: Option<(HeaderName, String)>,
}

impl Problem {
    /// With this status, code and words.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Problem { status, code, message: message.into(), header: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match refusal.kind {
            Kind::RepositoryNotFound => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Kind::ImageNotFound => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Kind::UploadNotFound => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Kind::LayersNotFound | Kind::ReferencedImagesNotFound => (StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN"),
            Kind::ImageTagAlreadyExists => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            Kind::InvalidLayer => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Kind::InvalidManifest | Kind::ImageDigestDoesNotMatch => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Kind::ImageReferencedByManifestList => (StatusCode::BAD_REQUEST, "DENIED"),
            Kind::Server => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
            _ => (StatusCode::BAD_REQUEST, "UNSUPPORTED"),
        };
        Problem::new(status, code, refusal.message)
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Refusal::from(error).into()
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let challenge = |message: &str| {
            Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
                .with(WWW_AUTHENTICATE, r#"Basic realm="longshore local",service="ecr.amazonaws.com""#)
        };
        match denied {
            Denied::Missing => challenge("authentication required"),
            Denied::Unknown => challenge("not authorized: the credentials are not a token of this registry"),
            Denied::Expired => {
                let message = "Your authorization token has expired. Reauthenticate and try again.";
                Problem::new(StatusCode::FORBIDDEN, "DENIED", message)
            }
        }
    }
}

impl From<Astray> for Problem {
    fn from(astray: Astray) -> Self {
        match astray {
            Astray::Endpoint => Problem::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such endpoint"),
            Astray::Name(name) => {
                let message = format!("'{name}' is not a repository name");
                Problem::new(StatusCode::BAD_REQUEST, "NAME_INVALID", message)
            }
            Astray::Digest(digest) => {
                Problem::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", format!("'{digest}' is not a sha256 digest"))
            }
            Astray::Tag(tag) => Problem::new(StatusCode::BAD_REQUEST, "TAG_INVALID", format!("'{tag}' is not a tag")),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let mut response =
            (self.status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response();
        if let Some((name, value)) = self.header
            && let Ok(value) = value.parse()
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
