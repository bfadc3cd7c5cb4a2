//! What a request is about, by names that are the same in logs and elsewhere.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use serde::{Deserialize, Serialize};

use crate::local::front::Wanted;
use crate::local::{api, registry};

/// One request by its name, as in `PutImage` or `registry:PutManifest`, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The control plane's action as the API model names it, or one of the registry protocol's under `registry:`.
    #[serde(rename = "operation")]
    pub name: String,
    /// The repository, as far as the request names one.
    pub repository: Option<String>,
    /// The tag or digest, as far as the request names just one.
    pub reference: Option<String>,
}

/// The members that name what a call of the control plane is about.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct About {
    repository_name: Option<String>,
    image_tag: Option<String>,
    image_digest: Option<String>,
}

impl Operation {
    /// Whether it is one of the registry protocol, and not of the control plane.
    pub fn is_of_registry(&self) -> bool {
        self.name.starts_with("registry:")
    }

    /// Reads it off a request, which is given back whole; with the number of bytes that came with it, if that is known.
    pub async fn of(wanted: &Wanted, request: Request) -> (Self, Option<u64>, Request) {
        let named = |name: &str| Operation { name: name.to_owned(), repository: None, reference: None };
        let stated = request.headers().get(axum::http::header::CONTENT_LENGTH);
        let stated = stated.and_then(|length| length.to_str().ok()?.parse().ok());
        match wanted {
            Wanted::Registry => (registry::operation(request.method(), request.uri()), stated, request),
            Wanted::Layer => (named("registry:GetLayer"), stated, request),
            Wanted::Nothing => (named("unknown"), stated, request),
            Wanted::Operation(name) => {
                let (head, body) = request.into_parts();
                // What is too long or broken off is refused as it is: as no JSON.
                let bytes = to_bytes(body, api::MAX_BODY).await.unwrap_or_default();
                let about: About = serde_json::from_slice(&bytes).unwrap_or_default();
                let operation = Operation {
                    repository: about.repository_name,
                    reference: about.image_tag.or(about.image_digest),
                    ..named(name)
                };
                let length = u64::try_from(bytes.len()).ok();
                (operation, length, Request::from_parts(head, Body::from(bytes)))
            }
        }
    }
}
