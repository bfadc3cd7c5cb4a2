//! What kind of daemon it is.

use std::time::Duration;

use bollard::models::{SystemInfo, SystemVersion};
use serde::Serialize;

use super::{Docker, failure};
use crate::effects::fleet::Mortal;
use crate::execute::ports::ServiceError;
use crate::names::Platform;

/// How long the daemon may take to say that it is there.
const PING_LIMIT: Duration = Duration::from_secs(10);

/// The first API with which BuildKit was seen to work here: that of Docker 20.10.
const FIRST_WITH_BUILDKIT: (u64, u64) = (1, 41);

/// Docker 23.0, before which BuildKit behind `POST /build` was not told of `shmsize`; seen on 20.10.
const FIRST_WITH_SHM_SIZE: (u64, u64) = (1, 42);

/// What the daemon says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EngineFacts {
    /// Its version, as in `28.5.2`.
    pub version: String,
    /// The newest version of its API, as in `1.51`.
    pub api_version: String,
    /// The operating system that its containers run on, as in `linux`.
    pub os: String,
    /// As in `amd64`.
    pub arch: String,
    /// It builds with BuildKit when asked to.
    pub buildkit: bool,
    /// It keeps images in containerd's store, the default since Docker 29, where an image's id is its manifest's
    /// digest and layers stay compressed.
    pub containerd_store: bool,
    /// It is Podman, which speaks the same API.
    pub podman: bool,
}

impl EngineFacts {
    fn new(version: &SystemVersion, info: &SystemInfo) -> Self {
        let api_version = version.api_version.clone().unwrap_or_default();
        let os = version.os.clone().unwrap_or_default();
        let components = version.components.as_deref().unwrap_or_default();
        let podman = components.iter().any(|component| component.name.starts_with("Podman"));
        let drivers = info.driver_status.as_deref().unwrap_or_default();
        EngineFacts {
            version: version.version.clone().unwrap_or_default(),
            buildkit: !podman && os != "windows" && number(&api_version) >= Some(FIRST_WITH_BUILDKIT),
            containerd_store: drivers.iter().flatten().any(|word| word.starts_with("io.containerd.snapshotter.")),
            arch: version.arch.clone().unwrap_or_default(),
            api_version,
            os,
            podman,
        }
    }

    /// The platform that it builds for unless it is told otherwise, as far as it says.
    pub fn platform(&self) -> Option<Platform> {
        format!("{}/{}", self.os, self.arch).parse::<Platform>().ok().map(|platform| platform.normalized())
    }

    /// As people call it, as in `Docker 28.5.2`.
    pub fn name(&self) -> String {
        format!("{} {}", if self.podman { "Podman" } else { "Docker" }, self.version)
    }

    /// Whether the built-in frontend takes named contexts: BuildKit does since 0.10, which Docker has since 23.0.
    pub fn knows_named_contexts(&self) -> bool {
        number(&self.api_version) >= Some(FIRST_WITH_SHM_SIZE)
    }

    /// Whether BuildKit keeps caches apart from images, in a registry or elsewhere. With graph drivers it reads caches
    /// from registries and keeps them in the image alone.
    pub fn exports_caches(&self) -> bool {
        self.containerd_store
    }

    /// Whether folders of the context keep their times on the way to BuildKit; before Docker 23.0 they have that of the
    /// transfer. Seen on 20.10.
    pub fn keeps_folder_times(&self) -> bool {
        number(&self.api_version) >= Some(FIRST_WITH_SHM_SIZE)
    }

    /// Whether the times of files in layers can be set: BuildKit's image exporter does since 0.13, which Docker has since
    /// 26.0, with API 1.45; the exporter for graph drivers does not.
    pub fn rewrites_timestamps(&self) -> bool {
        self.containerd_store && number(&self.api_version) >= Some((1, 45))
    }

    /// Whether a push can say which platform it is about.
    pub(super) fn names_pushed_platform(&self) -> bool {
        self.containerd_store && number(&self.api_version) >= Some((1, 46))
    }

    /// Whether BuildKit gives RUN steps a `/dev/shm` of the size that is asked for.
    pub fn buildkit_obeys_shm_size(&self) -> bool {
        number(&self.api_version) >= Some(FIRST_WITH_SHM_SIZE)
    }
}

fn number(api_version: &str) -> Option<(u64, u64)> {
    let (major, minor) = api_version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

impl Mortal for Docker {
    async fn answers(&self) -> bool {
        matches!(tokio::time::timeout(PING_LIMIT, self.client.ping()).await, Ok(Ok(_)))
    }
}

impl Docker {
    /// Asks the daemon what it is; asked once, then remembered.
    ///
    /// # Errors
    /// If it does not answer a ping within 10 seconds, or what it answers is no answer.
    pub async fn look(&self) -> Result<EngineFacts, ServiceError> {
        let doing = "ask the Docker daemon for its version";
        let unreachable = |error: &_| failure::unreachable(&self.address, doing, error);
        let ask = async || {
            let ping = tokio::time::timeout(PING_LIMIT, self.client.ping()).await;
            ping.unwrap_or(Err(bollard::errors::Error::RequestTimeoutError)).map_err(|error| unreachable(&error))?;
            let (version, info) =
                tokio::try_join!(self.client.version(), self.client.info()).map_err(|error| unreachable(&error))?;
            Ok(EngineFacts::new(&version, &info))
        };
        self.facts.get_or_try_init(ask).await.cloned()
    }
}

impl Docker {
    /// The folder in which the daemon keeps everything, where it is on this machine.
    pub async fn data_folder(&self) -> Option<std::path::PathBuf> {
        if !matches!(self.address, super::DockerAddress::Socket(_)) {
            return None;
        }
        self.client.info().await.ok()?.docker_root_dir.map(std::path::PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(version: &str, info: &str) -> EngineFacts {
        EngineFacts::new(&serde_json::from_str(version).unwrap(), &serde_json::from_str(info).unwrap())
    }

    #[test]
    fn kinds_of_daemons() {
        let old = facts(r#"{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#, "{}");
        assert!(old.buildkit && !old.containerd_store && !old.podman);
        assert!(!facts(r#"{"ApiVersion":"1.40","Os":"linux"}"#, "{}").buildkit);
        assert!(!facts(r#"{"ApiVersion":"1.51","Os":"windows"}"#, "{}").buildkit);
        let podman = r#"{"ApiVersion":"1.41","Os":"linux","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;
        assert!(facts(podman, "{}").podman && !facts(podman, "{}").buildkit);
        let new = r#"{"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#;
        assert!(facts(r#"{"ApiVersion":"1.55"}"#, new).containerd_store);
    }
}
