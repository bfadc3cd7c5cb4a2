//! One blob into one repository, as cheaply as it can be done.

use super::blob::Begun;
use super::client::RegistryClient;
use super::copy::is_passing;
use super::parts::Blob;
use super::relay::{Broken, Upload, relay};
use super::retry;
use crate::execute::ports::{Brought, Credential, Failure, LayerBlob, ServiceError, Source};
use crate::names::{ImageRef, RepositoryName};

/// How often one source is read anew where that may help.
const ATTEMPTS: u32 = 3;

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
            for attempt in 1..=ATTEMPTS {
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
                let again = is_passing(&error) && attempt < ATTEMPTS;
                last = Some(error);
                if !again {
                    break;
                }
                tokio::time::sleep(retry::pause(attempt)).await;
            }
        }
        Err(last.unwrap_or_else(|| ServiceError {
            failure: Failure::Unexpected,
            doing,
            cause: "there is no source for it".into(),
        }))
    }
}
