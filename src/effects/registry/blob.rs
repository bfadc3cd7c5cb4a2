//! Blobs: whether a repository has one, and bringing it there.
//!
//! An upload is one request that opens it and one that carries all bytes: ECR answers chunked uploads differently from
//! every other registry, and takes this form as they do. Source: OCI distribution specification v1.1, "Pushing blobs".

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::header::LOCATION;
use reqwest::{Method, Response};

use super::answer;
use super::client::{RegistryClient, Request};
use super::parts::Blob;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::names::{Digest, ImageRef, RepositoryName};
use crate::retry::{Retry, SERVICE, Verdict, persist};

/// How an upload began.
pub(super) enum Begun {
    /// It is over already: the registry took the blob from another of its repositories.
    Mounted,
    /// The bytes go to this address within the repository.
    At(String),
}

impl RegistryClient {
    /// Whether the image's repository has this blob.
    pub(super) async fn has_blob(
        &self,
        about: &ImageRef,
        digest: &Digest,
        credential: &Credential,
    ) -> Result<bool, ServiceError> {
        let doing = format!("look for {} in {}", digest.short(), about.name());
        let request = Request { method: Method::HEAD, ..blob_request(about, digest, doing) };
        let response = self.send(&request, Some(credential)).await?;
        match response.status().as_u16() {
            200..300 => Ok(true),
            404 => Ok(false),
            _ => Err(answer::refused(response, about, &request.doing).await),
        }
    }

    /// Opens a blob for reading. Registries that keep blobs elsewhere send the reader on; the credential stays behind.
    pub(super) async fn open_blob(
        &self,
        about: &ImageRef,
        digest: &Digest,
        credential: Option<&Credential>,
    ) -> Result<Response, ServiceError> {
        let request = blob_request(about, digest, format!("read {} of {about}", digest.short()));
        let response = self.open(&request, credential).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(answer::refused(response, about, &request.doing).await),
        }
    }

    /// Opens an upload into the image's repository, unless the blob can be taken from the other repository.
    pub(super) async fn begin_upload(
        &self,
        about: &ImageRef,
        digest: &Digest,
        from: Option<&RepositoryName>,
        credential: &Credential,
    ) -> Result<Begun, ServiceError> {
        let doing = format!("upload {} to {}", digest.short(), about.name());
        let query = from.map_or(String::new(), |from| format!("?mount={digest}&from={from}"));
        self.post_upload(about, &query, &doing, credential).await
    }

    /// Opens an upload of a blob whose digest nobody knows yet.
    pub(super) async fn open_upload(
        &self,
        about: &ImageRef,
        doing: &str,
        credential: &Credential,
    ) -> Result<Begun, ServiceError> {
        self.post_upload(about, "", doing, credential).await
    }

    async fn post_upload(
        &self,
        about: &ImageRef,
        query: &str,
        doing: &str,
        credential: &Credential,
    ) -> Result<Begun, ServiceError> {
        let request = Request {
            method: Method::POST,
            repository: &about.repository,
            path: format!("blobs/uploads/{query}"),
            accept: None,
            body: None,
            doing: doing.to_owned(),
        };
        let response = self.send(&request, Some(credential)).await?;
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        match response.status().as_u16() {
            201 if !query.is_empty() => return Ok(Begun::Mounted),
            200..300 => {}
            _ => return Err(answer::refused(response, about, &request.doing).await),
        }
        let path = location.as_deref().and_then(|location| path_in(location, about));
        path.map(|path| Begun::At(path.to_owned())).ok_or_else(|| ServiceError {
            failure: Failure::Unexpected,
            doing: request.doing,
            cause: format!("the registry sends the upload to {}", location.as_deref().unwrap_or("nowhere")),
        })
    }

    /// Sends all bytes of a blob to an upload that was begun; the registry compares them with the digest.
    pub(super) async fn finish_upload(
        &self,
        about: &ImageRef,
        path: &str,
        blob: &Blob,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        credential: &Credential,
    ) -> Result<(), ServiceError> {
        let doing = format!("upload {} to {}", blob.digest.short(), about.name());
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}digest={}", blob.digest);
        let request = Request { method: Method::PUT, path, ..blob_request(about, &blob.digest, doing) };
        let response = self.send_stream(&request, Some(blob.size), body, credential).await?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(answer::refused(response, about, &request.doing).await),
        }
    }

    /// Brings a small blob into the image's repository, unless it is there. An upload that breaks is begun anew.
    pub(super) async fn put_blob(
        &self,
        about: &ImageRef,
        bytes: &[u8],
        credential: &Credential,
    ) -> Result<(), ServiceError> {
        let blob = Blob { digest: Digest::of(bytes), size: bytes.len() as u64 };
        let attempt = async |_| {
            if self.has_blob(about, &blob.digest, credential).await? {
                return Ok(());
            }
            match self.begin_upload(about, &blob.digest, None, credential).await? {
                Begun::Mounted => Ok(()),
                Begun::At(path) => {
                    let body = stream::iter([Ok(Bytes::copy_from_slice(bytes))]);
                    self.finish_upload(about, &path, &blob, body, credential).await
                }
            }
        };
        persist(&SERVICE, upload_verdict, self.note_retries(), attempt).await
    }

    /// Counts uploads that are begun anew.
    pub(super) fn note_retries(&self) -> impl Fn(&ServiceError, u32, Duration) {
        |error, attempt, wait| {
            let (doing, cause) = (error.doing.clone(), error.cause.clone());
            self.persistence().tally().note(Retry { doing, cause, attempt, wait });
        }
    }
}

/// Whether an upload that failed may go well when it is begun anew. Credentials are renewed by whoever gave them.
pub(super) fn upload_verdict(error: &ServiceError) -> Verdict {
    match error.failure.verdict() {
        Verdict::Renew => Verdict::Final,
        verdict => verdict,
    }
}

fn blob_request<'a>(about: &'a ImageRef, digest: &Digest, doing: String) -> Request<'a> {
    Request {
        method: Method::GET,
        repository: &about.repository,
        path: format!("blobs/{digest}"),
        accept: None,
        body: None,
        doing,
    }
}

/// The upload's address within the repository. Registries give a whole URL or a path; it stays on the same host.
pub(super) fn path_in<'a>(location: &'a str, about: &ImageRef) -> Option<&'a str> {
    let path = match location.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => location,
    };
    path.strip_prefix(&format!("/v2/{}/", about.repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_go_on_in_the_same_repository() {
        let image = ImageRef::tagged(&"r:5000".parse().unwrap(), &"shop/web".parse().unwrap(), &"1".parse().unwrap());
        for location in ["/v2/shop/web/blobs/uploads/7?s=1", "http://r:5000/v2/shop/web/blobs/uploads/7?s=1"] {
            assert_eq!(path_in(location, &image), Some("blobs/uploads/7?s=1"));
        }
        assert_eq!(path_in("/v2/other/blobs/uploads/7", &image), None);
    }
}
