//! A layer that is compressed while it is sent, so that neither its size nor its digest is known before its end.
//!
//! It goes as the Docker daemon sends it, which every registry is used to, ECR too: one request opens the upload, one
//! carries all bytes without saying how many, one closes it with the digest. Source: moby, `distribution/push_v2.go`; OCI
//! distribution specification v1.1, "Pushing a blob in chunks".

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use reqwest::Method;
use reqwest::header::LOCATION;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::answer;
use super::blob::{Begun, path_in};
use super::client::{RegistryClient, Request};
use crate::effects::compress::Block;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::names::{Digest, ImageRef};

/// What has gone out so far.
#[derive(Default)]
struct Sent {
    hash: Sha256,
    size: u64,
    /// A block that could not be compressed.
    broken: Option<String>,
}

impl RegistryClient {
    /// Sends blocks as they come, as one blob; its digest and its size in bytes.
    pub(super) async fn send_blocks(
        &self,
        about: &ImageRef,
        what: &str,
        blocks: mpsc::Receiver<Block>,
        heard: &dyn Fn(u64),
        credential: &Credential,
    ) -> Result<(Digest, u64), ServiceError> {
        let doing = format!("upload {what} to {}", about.name());
        let failed = |failure, cause: String| ServiceError { failure, doing: doing.clone(), cause };
        let path = match self.open_upload(about, &doing, credential).await? {
            Begun::At(path) => path,
            Begun::Mounted => {
                return Err(failed(Failure::Unexpected, "the registry took a blob that it never saw".into()));
            }
        };
        let sent = Arc::new(Mutex::new(Sent::default()));
        let body = stream::unfold((blocks, Arc::clone(&sent)), async |(mut blocks, sent)| {
            let piece = match blocks.recv().await?.await {
                Ok(Ok(block)) => Ok(Bytes::from(block)),
                Ok(Err(error)) => Err(error),
                Err(error) => Err(io::Error::other(error)),
            };
            if let Ok(mut sent) = sent.lock() {
                match &piece {
                    Ok(block) => {
                        sent.hash.update(block);
                        sent.size += block.len() as u64;
                    }
                    Err(error) => sent.broken = Some(error.to_string()),
                }
            }
            Some((piece, (blocks, sent)))
        });
        let patch = request(Method::PATCH, about, path.clone(), &doing);
        let response = self.send_stream(&patch, None, body, credential).await;
        let (digest, size) = {
            let sent = sent.lock().map_err(|_| failed(Failure::Unexpected, "a block was lost".into()))?;
            if let Some(broken) = &sent.broken {
                return Err(failed(Failure::Unexpected, broken.clone()));
            }
            (Digest::from_sha256(sent.hash.clone().finalize().into()), sent.size)
        };
        let response = response?;
        if !response.status().is_success() {
            return Err(answer::refused(response, about, &doing).await);
        }
        heard(size);
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let path = location.and_then(|location| path_in(location, about)).map_or(path, str::to_owned);
        let joint = if path.contains('?') { '&' } else { '?' };
        let put = request(Method::PUT, about, format!("{path}{joint}digest={digest}"), &doing);
        let response = self.settle(&put, credential).await?;
        match response.status().is_success() {
            true => Ok((digest, size)),
            false => Err(answer::refused(response, about, &doing).await),
        }
    }
}

fn request<'a>(method: Method, about: &'a ImageRef, path: String, doing: &str) -> Request<'a> {
    Request { method, repository: &about.repository, path, accept: None, body: None, doing: doing.to_owned() }
}
