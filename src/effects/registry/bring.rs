//! One blob into one repository, as cheaply as it can be done.

use std::time::Duration;

use super::blob::{Begun, upload_verdict};
use super::client::RegistryClient;
use super::parts::Blob;
use super::relay::{Broken, Upload, relay};
use crate::execute::ports::{Brought, Credential, Failure, LayerBlob, ServiceError, Source};
use crate::names::{ImageRef, RepositoryName};
use crate::retry::{Next, SERVICE, State};

impl RegistryClient {
    /// See [`Registry::bring`](crate::execute::ports::Registry::bring).
    pub(super) async fn bring_blob(
        &self,
        blob: &LayerBlob,
        target: &ImageRef,
        mount: Option<&RepositoryName>,
        sources: &[Source<'_, Self>],
        credential: &Credential,
    ) -> Result<Brought, ServiceError> {
        let blob = Blob { digest: blob.digest.clone(), size: blob.size };
        if self.has_blob(target, &blob.digest, credential).await? {
            return Ok(Brought::ThereAlready);
        }
        let mut begun = Some(match self.begin_upload(target, &blob.digest, mount, credential).await? {
            Begun::Mounted => return Ok(Brought::Mounted),
            Begun::At(path) => path,
        });
        let doing = format!("bring {} to {}", blob.digest.short(), target.name());
        let mut last = None;
        for source in sources {
            let mut attempts = State::default();
            loop {
                let opened = match source.registry.open_blob(&source.image, &blob.digest, source.credential).await {
                    Ok(opened) => opened,
                    // ECR hands out no blob that no manifest names yet; another source may.
                    Err(error) => {
                        last = Some(error);
                        break;
                    }
                };
                // An upload that broke off is not gone on with.
                let path = match begun.take() {
                    Some(path) => path,
                    None => match self.begin_upload(target, &blob.digest, None, credential).await? {
                        Begun::Mounted => return Ok(Brought::Mounted),
                        Begun::At(path) => path,
                    },
                };
                let upload = Upload { registry: self, about: target, path, credential };
                let error = match relay(opened, &blob, &doing, &[upload]).await {
                    Ok(()) => return Ok(Brought::Sent),
                    Err(Broken::Source(error)) => error,
                    Err(Broken::Destinations(results)) => match results.into_iter().find_map(Result::err) {
                        Some(error) => error,
                        None => return Ok(Brought::Sent),
                    },
                };
                let next = attempts.next(&SERVICE, upload_verdict(&error), Duration::ZERO, fastrand::f64());
                last = Some(error);
                match next {
                    Next::Wait(pause) => tokio::time::sleep(pause).await,
                    Next::Renew | Next::GiveUp => break,
                }
            }
        }
        Err(last.unwrap_or_else(|| ServiceError {
            failure: Failure::Unexpected,
            doing,
            cause: "there is no source for it".into(),
        }))
    }
}
