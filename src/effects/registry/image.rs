use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::answer;
use super::client::{RegistryClient, Request};
use super::retry::Unanswered;
use crate::execute::events::{CopyEvent, PushEvent};
use crate::execute::ports::{
    Brought, Credential, Destination, Failure, Freight, Layer, LayerBlob, Manifest, Registry, ServiceError, Source,
};
use crate::names::{Digest, ImageRef, Platform, Reference, RepositoryName};
use crate::plan::Record;

/// Every kind of manifest there is. ECR converts a manifest, and so changes its digest, if its own kind is not asked
/// for.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry for RegistryClient {
    async fn digest(&self, image: &ImageRef, credential: &Credential) -> Result<Option<Digest>, ServiceError> {
        self.look_up(image, Some(credential)).await
    }

    async fn manifest(&self, image: &ImageRef, credential: &Credential) -> Result<Manifest, ServiceError> {
        self.fetch(image, Some(credential)).await
    }

    async fn attach(
        &self,
        subject: &ImageRef,
        manifest: &Manifest,
        record: &Record,
        credential: &Credential,
    ) -> Result<(), ServiceError> {
        self.put_attachment(subject, manifest, &record.media_type, &record.bytes, credential).await
    }

    async fn layers(
        &self,
        image: &ImageRef,
        platform: Option<&Platform>,
        credential: Option<&Credential>,
    ) -> Result<Vec<Layer>, ServiceError> {
        self.read_layers(image, platform, credential).await
    }

    async fn bring(
        &self,
        blob: &LayerBlob,
        target: &ImageRef,
        mount: Option<&RepositoryName>,
        sources: &[Source<'_, Self>],
        credential: &Credential,
    ) -> Result<Brought, ServiceError> {
        self.bring_blob(blob, target, mount, sources, credential).await
    }

    async fn write(
        &self,
        freight: Freight<'_>,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
        arrived: &dyn Fn(&Layer),
    ) -> Result<Digest, ServiceError> {
        self.write_image(freight, target, credential, tell, arrived).await
    }

    async fn copy(
        &self,
        image: &ImageRef,
        credential: &Credential,
        to: &[Destination<'_, Self>],
        tell: &dyn Fn(CopyEvent),
    ) -> Vec<Result<(), ServiceError>> {
        self.copy_to(image, Some(credential), to, tell).await
    }

    async fn tag(&self, target: &ImageRef, manifest: &Manifest, credential: &Credential) -> Result<(), ServiceError> {
        let request = Request {
            method: Method::PUT,
            accept: None,
            body: Some((&manifest.media_type, &manifest.bytes)),
            ..self.manifest_request(target, format!("put the tag {target}"))
        };
        let response = self.send(&request, Some(credential)).await?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(answer::refused(response, target, &request.doing).await),
        }
    }
}

impl RegistryClient {
    /// The digest of the manifest that this reference names, or `None` if there is none; as a stranger without a
    /// credential.
    ///
    /// # Errors
    /// If the registry does not answer, or will not say.
    pub async fn look_up(
        &self,
        image: &ImageRef,
        credential: Option<&Credential>,
    ) -> Result<Option<Digest>, ServiceError> {
        let request = Request { method: Method::HEAD, ..self.manifest_request(image, format!("look up {image}")) };
        let response = self.send(&request, credential).await?;
        if response.status() == 404 {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(answer::refused(response, image, &request.doing).await);
        }
        let stated =
            response.headers().get("docker-content-digest").and_then(|value| value.to_str().ok()?.parse().ok());
        match stated {
            Some(digest) => Ok(Some(digest)),
            // Optional in the specification; the bytes themselves tell as well.
            None => self.fetch(image, credential).await.map(|manifest| Some(manifest.digest)),
        }
    }

    /// The manifest that this reference names; as a stranger without a credential. Its bytes are what its digest says.
    pub(super) async fn fetch(
        &self,
        image: &ImageRef,
        credential: Option<&Credential>,
    ) -> Result<Manifest, ServiceError> {
        let request = self.manifest_request(image, format!("read the manifest of {image}"));
        let response = self.send(&request, credential).await?;
        if !response.status().is_success() {
            return Err(answer::refused(response, image, &request.doing).await);
        }
        let stated = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = stated.unwrap_or_default().to_owned();
        let bytes = self.read_small(response, &request.doing).await?;
        let digest = Digest::of(&bytes);
        // Whatever is released is what was staged, also where a registry or a proxy hands out something else.
        match &image.reference {
            Reference::Digest(wanted) if *wanted != digest => Err(ServiceError {
                failure: Failure::Unexpected,
                doing: request.doing,
                cause: format!("the registry sent {digest}"),
            }),
            _ => Ok(Manifest { digest, media_type, bytes }),
        }
    }

    /// The labels of the image's configuration; of an index, those of its first image.
    ///
    /// # Errors
    /// If the registry does not hand out the manifest or the configuration.
    pub async fn labels(
        &self,
        image: &ImageRef,
        credential: &Credential,
    ) -> Result<BTreeMap<String, String>, ServiceError> {
        let mut manifest = parsed(&self.manifest(image, credential).await?);
        let child = manifest.pointer("/manifests/0/digest").and_then(Value::as_str).and_then(|text| text.parse().ok());
        if let Some(child) = child {
            let child = ImageRef::digested(&image.host, &image.repository, &child);
            manifest = parsed(&self.manifest(&child, credential).await?);
        }
        let Some(config) = manifest.pointer("/config/digest").and_then(Value::as_str) else {
            return Ok(BTreeMap::new());
        };
        let request = Request {
            method: Method::GET,
            repository: &image.repository,
            path: format!("blobs/{config}"),
            accept: None,
            body: None,
            doing: format!("read the configuration of {image}"),
        };
        let response = self.send(&request, Some(credential)).await?;
        if !response.status().is_success() {
            return Err(answer::refused(response, image, &request.doing).await);
        }
        let config: Value =
            serde_json::from_slice(&self.read_small(response, &request.doing).await?).unwrap_or_default();
        let labels = config.pointer("/config/Labels").cloned().unwrap_or_default();
        Ok(serde_json::from_value(labels).unwrap_or_default())
    }

    /// A small blob, such as a configuration, as text.
    ///
    /// # Errors
    /// If the registry does not hand it out, or it is no text.
    pub async fn small_blob(&self, image: &ImageRef, credential: &Credential) -> Result<String, ServiceError> {
        let request = Request {
            method: Method::GET,
            repository: &image.repository,
            path: format!("blobs/{}", image.reference.as_str()),
            accept: None,
            body: None,
            doing: format!("read {} of {}", image.reference.as_str(), image.name()),
        };
        let response = self.send(&request, Some(credential)).await?;
        if !response.status().is_success() {
            return Err(answer::refused(response, image, &request.doing).await);
        }
        let bytes = self.read_small(response, &request.doing).await?;
        String::from_utf8(bytes).map_err(|error| ServiceError {
            failure: Failure::Unexpected,
            doing: request.doing,
            cause: error.to_string(),
        })
    }

    fn manifest_request<'a>(&self, image: &'a ImageRef, doing: String) -> Request<'a> {
        Request {
            method: Method::GET,
            repository: &image.repository,
            path: format!("manifests/{}", image.reference.as_str()),
            accept: Some(MANIFESTS),
            body: None,
            doing,
        }
    }

    /// The body of an answer that was read whole.
    pub(super) async fn read_small(&self, response: reqwest::Response, doing: &str) -> Result<Vec<u8>, ServiceError> {
        let bytes = response.bytes().await.map_err(Unanswered::Line);
        bytes.map(|bytes| bytes.to_vec()).map_err(|error| answer::no_answer(self.host(), doing, &error))
    }
}

pub(super) fn parsed(manifest: &Manifest) -> Value {
    serde_json::from_slice(&manifest.bytes).unwrap_or_default()
}
