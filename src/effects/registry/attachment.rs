//! Small documents beside an image, as OCI 1.1 artifacts that name it as their subject.
//!
//! Source: OCI distribution specification v1.1, "Pushing Manifests with Subject" and "Listing Referrers"; OCI image
//! specification v1.1, "Guidelines for Artifact Usage". ECR removes them with their subject, and does not count them
//! among the images of a lifecycle rule.

use reqwest::Method;
use serde_json::{Value, json};

use super::answer;
use super::client::{RegistryClient, Request};
use crate::execute::ports::{Credential, Manifest, ServiceError};
use crate::names::{Digest, ImageRef};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The one content of the media type for "no configuration".
const EMPTY_JSON: &[u8] = b"{}";

impl RegistryClient {
    /// Puts a document beside an image.
    pub(super) async fn put_attachment(
        &self,
        subject: &ImageRef,
        image: &Manifest,
        media_type: &str,
        document: &[u8],
        credential: &Credential,
    ) -> Result<(), ServiceError> {
        self.put_blob(subject, EMPTY_JSON, credential).await?;
        self.put_blob(subject, document, credential).await?;
        let part = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": media_type,
            "config": part(EMPTY, EMPTY_JSON),
            "layers": [part(media_type, document)],
            "subject": part(&image.media_type, &image.bytes),
        });
        let bytes = manifest.to_string().into_bytes();
        let target = ImageRef::digested(&subject.host, &subject.repository, &Digest::of(&bytes));
        let request = Request {
            method: Method::PUT,
            repository: &subject.repository,
            path: format!("manifests/{}", target.reference.as_str()),
            accept: None,
            body: Some((OCI_MANIFEST, &bytes)),
            doing: format!("put a record beside {subject}"),
        };
        self.succeed(&request, subject, credential).await.map(|_| ())
    }

    /// The document of this type beside an image; `None` if there is none, or the registry keeps no such lists.
    ///
    /// # Errors
    /// If the registry does not answer, or says that it has what it then does not hand out.
    pub async fn attachment(
        &self,
        subject: &ImageRef,
        media_type: &str,
        credential: &Credential,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        let doing = format!("look for a record beside {subject}");
        let list = self.get(subject, format!("referrers/{}", subject.reference.as_str()), &doing, credential).await?;
        let Some(list) = list else { return Ok(None) };
        let list: Value = serde_json::from_slice(&list).unwrap_or_default();
        let mut listed = list.get("manifests").and_then(Value::as_array).into_iter().flatten();
        let newest = listed.rfind(|entry| entry.get("artifactType").and_then(Value::as_str) == Some(media_type));
        let Some(artifact) = newest.and_then(|entry| entry.get("digest")?.as_str()?.parse::<Digest>().ok()) else {
            return Ok(None);
        };
        let Some(manifest) = self.get(subject, format!("manifests/{artifact}"), &doing, credential).await? else {
            return Ok(None);
        };
        let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
        match manifest.pointer("/layers/0/digest").and_then(Value::as_str) {
            Some(layer) => self.get(subject, format!("blobs/{layer}"), &doing, credential).await,
            None => Ok(None),
        }
    }

    async fn get(
        &self,
        about: &ImageRef,
        path: String,
        doing: &str,
        credential: &Credential,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        let request = Request {
            method: Method::GET,
            repository: &about.repository,
            path,
            accept: Some(OCI_MANIFEST),
            body: None,
            doing: doing.to_owned(),
        };
        let response = self.send(&request, Some(credential)).await?;
        match response.status().as_u16() {
            200..300 => self.read_small(response, doing).await.map(Some),
            404 => Ok(None),
            _ => Err(answer::refused(response, about, doing).await),
        }
    }

    async fn succeed(
        &self,
        request: &Request<'_>,
        about: &ImageRef,
        credential: &Credential,
    ) -> Result<reqwest::Response, ServiceError> {
        let response = self.send(request, Some(credential)).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(answer::refused(response, about, &request.doing).await),
        }
    }
}
