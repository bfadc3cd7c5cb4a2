//! The Docker daemon as an [`Engine`], over bollard.

mod address;
mod anatomy;
mod build;
mod classic;
mod dial;
mod failure;
pub mod lacks;
mod lines;
mod look;
mod options;
mod phrases;
mod push;
mod save;
mod ssh;
pub(super) mod steps;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

pub use address::{BadAddress, DockerAddress, DockerSettings, Environment};
pub use classic::Progress as ClassicProgress;
pub(super) use dial::{dial, exchange};
pub use look::EngineFacts;
pub use ssh::SshHost;

use crate::execute::events::{BuildEvent, PushEvent};
use crate::execute::ports::{
    Anatomy, Archive, BuildInputs, BuiltImage, Carriage, Credential, Engine, Failure, ServiceError,
};
use crate::facts::Variables;
use crate::names::{Digest, ImageRef};
use crate::plan::BuildPlan;

/// bollard's limit for one request covers the upload of a whole context, so it must never be the one that strikes.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A daemon that was found. Nothing was said to it yet, unless [`look`](Docker::look) was called.
pub struct Docker {
    client: bollard::Docker,
    address: DockerAddress,
    classic_builder: bool,
    facts: OnceCell<EngineFacts>,
    variables: Arc<Variables>,
}

impl std::fmt::Debug for Docker {
    /// Without the environment, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Docker").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Docker {
    /// Finds the daemon.
    ///
    /// # Errors
    /// If the settings lead nowhere, the socket is not there, or the certificates cannot be read.
    pub fn connect(settings: &DockerSettings) -> Result<Self, ServiceError> {
        let address = DockerAddress::find(settings).map_err(|bad| ServiceError {
            failure: Failure::EngineMisconfigured { address: bad.address },
            doing: "find the Docker daemon".into(),
            cause: bad.problem,
        })?;
        let client =
            open(&address).map_err(|error| failure::unreachable(&address, "find the Docker daemon", &error))?;
        Ok(Docker {
            client,
            address,
            classic_builder: settings.classic_builder,
            facts: OnceCell::new(),
            variables: Arc::new(settings.environment.0.clone()),
        })
    }

    /// Where the daemon answers.
    pub fn address(&self) -> &DockerAddress {
        &self.address
    }
}

fn open(address: &DockerAddress) -> Result<bollard::Docker, bollard::errors::Error> {
    let (limit, version) = (NO_LIMIT.as_secs(), bollard::API_DEFAULT_VERSION);
    match address {
        // What is there but cannot be reached is told apart by the first request only.
        DockerAddress::Socket(path) if path.try_exists().is_err() => {
            Err(bollard::errors::Error::IOError { err: std::io::Error::from(std::io::ErrorKind::PermissionDenied) })
        }
        #[cfg(unix)]
        DockerAddress::Socket(path) => bollard::Docker::connect_with_unix(&path.to_string_lossy(), limit, version),
        #[cfg(windows)]
        DockerAddress::Pipe(url) => bollard::Docker::connect_with_named_pipe(url, limit, version),
        DockerAddress::Http(host) => bollard::Docker::connect_with_http(host, limit, version),
        DockerAddress::Https(..) | DockerAddress::Ssh(_) => {
            let address = Arc::new(address.clone());
            let send = move |request| dial::send(Arc::clone(&address), request);
            bollard::Docker::connect_with_custom_transport(send, Some("http://docker"), limit, version)
        }
        #[allow(unreachable_patterns, reason = "which of the patterns is left depends on the system")]
        DockerAddress::Socket(_) | DockerAddress::Pipe(_) => {
            Err(bollard::errors::Error::UnsupportedURISchemeError { uri: address.to_string() })
        }
    }
}

impl Engine for Docker {
    async fn build(
        &self,
        build: &BuildPlan,
        inputs: &BuildInputs,
        tell: &dyn Fn(BuildEvent),
    ) -> Result<BuiltImage, ServiceError> {
        let built = self.build_image(build, inputs, tell).await?;
        let attested = build.options.provenance.is_some() || build.options.sbom.is_some();
        Ok(BuiltImage { platform: build.platform.clone(), attested, ..built })
    }

    async fn push(
        &self,
        image: &BuiltImage,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
    ) -> Result<Digest, ServiceError> {
        self.push_image(image, target, credential, tell).await
    }

    async fn carriage(&self, _build: &BuildPlan) -> Result<Carriage, ServiceError> {
        self.find_carriage().await
    }

    async fn anatomy(&self, image: &BuiltImage) -> Result<Option<Anatomy>, ServiceError> {
        self.look_at_image(image).await
    }

    async fn holds(&self, image: &ImageRef) -> bool {
        self.has_image(&image.to_string()).await
    }

    async fn hand_out(&self, image: &BuiltImage) -> Result<Archive, ServiceError> {
        Ok(self.save_image(image))
    }
}
