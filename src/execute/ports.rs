//! The few doors through which the plan reaches the world, in our own words.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use time::OffsetDateTime;

mod direct;
mod layers;
mod replication;
mod signing;

pub use direct::{Archive, Freight};
pub use layers::{Anatomy, Brought, Carriage, Door, Elsewhere, Layer, LayerBlob, Opening, Source, Stock};
pub use replication::{Hitch, Progress, Replication};
pub use signing::{Signature, SigningState, Unsigned};

use super::events::{BuildEvent, CopyEvent, PushEvent};
use crate::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName, Tag};
use crate::plan::{BuildPlan, Change, Record, RepositorySpec};
use crate::retry::Verdict;
use crate::scan::{Answer, Objection, Scanning, Severity, Started};

/// The Docker daemon, or whatever builds and pushes in its place.
pub trait Engine {
    /// Builds an image and leaves it with the daemon.
    ///
    /// `tell` hears of every step, in order. Dropping the future stops the build.
    fn build(
        &self,
        build: &BuildPlan,
        inputs: &BuildInputs,
        tell: &dyn Fn(BuildEvent),
    ) -> impl Future<Output = Result<BuiltImage, ServiceError>>;

    /// Pushes a built image under one tag, and returns the digest that the registry answered with.
    ///
    /// The credential goes along with this one request; the daemon keeps nothing of it.
    fn push(
        &self,
        image: &BuiltImage,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
    ) -> impl Future<Output = Result<Digest, ServiceError>>;

    /// How the engine that will make this build pushes it.
    fn carriage(&self, _build: &BuildPlan) -> impl Future<Output = Result<Carriage, ServiceError>> {
        async { Ok(Carriage::default()) }
    }

    /// What a built image is made of; `None` from engines that do not tell.
    fn anatomy(&self, _image: &BuiltImage) -> impl Future<Output = Result<Option<Anatomy>, ServiceError>> {
        async { Ok(None) }
    }

    /// Whether the engine has this image, pulled or pushed by itself, and so remembers what its layers are called.
    fn holds(&self, _image: &ImageRef) -> impl Future<Output = bool> {
        async { false }
    }

    /// Hands a built image out; only asked of engines that say that they do.
    fn hand_out(&self, image: &BuiltImage) -> impl Future<Output = Result<Archive, ServiceError>> {
        let (failure, doing) = (Failure::Unexpected, format!("read image `{}`", image.id));
        async { Err(ServiceError { failure, doing, cause: "this engine hands no images out".into() }) }
    }
}

/// The control plane of ECR, in one region.
pub trait Ecr: Stock {
    /// A credential for the registry that is good for at least some minutes; asked for once and then kept.
    fn credential(&self) -> impl Future<Output = Result<Credential, ServiceError>>;

    /// Forgets the credential that [`credential`](Ecr::credential) keeps, because the registry refused it.
    fn forget_credential(&self) -> impl Future<Output = ()>;

    /// Whether a repository is there, which also tells whether it may be asked for.
    fn has_repository(&self, name: &RepositoryName) -> impl Future<Output = Result<bool, ServiceError>>;

    /// Creates a repository.
    fn create_repository(&self, spec: &RepositorySpec) -> impl Future<Output = Result<Creation, ServiceError>>;

    /// Changes one setting of a repository, which has this ARN.
    fn configure_repository(
        &self,
        name: &RepositoryName,
        arn: &str,
        change: &Change,
    ) -> impl Future<Output = Result<(), ServiceError>>;

    /// Who scans the images of a repository, and when, as far as the credentials allow to know.
    fn scanning(&self, repository: &RepositoryName) -> impl Future<Output = Result<Scanning, ServiceError>>;

    /// Asks for a scan of an image. That it is refused is no failure where ECR's rules say so.
    fn start_scan(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> impl Future<Output = Result<Started, ServiceError>>;

    /// What the scan of an image found so far, with all pages.
    fn scan_findings(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> impl Future<Output = Result<Answer, ServiceError>>;

    /// How far ECR's own replication is with an image, for each destination that it knows of.
    fn replications(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> impl Future<Output = Result<Vec<Replication>, ServiceError>>;

    /// How far ECR's managed signing is with an image, for each profile that is to sign it.
    fn signatures(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> impl Future<Output = Result<Vec<Signature>, ServiceError>>;
}

/// The registry protocol: OCI distribution specification, as ECR speaks it.
pub trait Registry {
    /// The digest of the manifest that this reference names, or `None` if there is none.
    fn digest(
        &self,
        image: &ImageRef,
        credential: &Credential,
    ) -> impl Future<Output = Result<Option<Digest>, ServiceError>>;

    /// The manifest that this reference names.
    fn manifest(
        &self,
        image: &ImageRef,
        credential: &Credential,
    ) -> impl Future<Output = Result<Manifest, ServiceError>>;

    /// Puts a record beside an image, where a later run finds it.
    fn attach(
        &self,
        subject: &ImageRef,
        manifest: &Manifest,
        record: &Record,
        credential: &Credential,
    ) -> impl Future<Output = Result<(), ServiceError>>;

    /// Copies an image, or an index with all its images, into other registries, without changing a digest. What a
    /// destination has already is not sent again, and what several lack is read once.
    ///
    /// What came of each destination is in their order; `tell` hears of each blob that is where it should be.
    fn copy(
        &self,
        image: &ImageRef,
        credential: &Credential,
        to: &[Destination<'_, Self>],
        tell: &dyn Fn(CopyEvent),
    ) -> impl Future<Output = Vec<Result<(), ServiceError>>>
    where
        Self: Sized;

    /// The layers of an image, the lowest first; of an index those of its image for this platform.
    fn layers(
        &self,
        image: &ImageRef,
        platform: Option<&Platform>,
        credential: Option<&Credential>,
    ) -> impl Future<Output = Result<Vec<Layer>, ServiceError>>;

    /// Brings a blob into a repository, as cheaply as it can be done: not at all if it is there, by a mount from `mount`,
    /// which is another repository of this registry, or by reading it from the first of the sources that has it.
    fn bring(
        &self,
        blob: &LayerBlob,
        target: &ImageRef,
        mount: Option<&RepositoryName>,
        sources: &[Source<'_, Self>],
        credential: &Credential,
    ) -> impl Future<Output = Result<Brought, ServiceError>>
    where
        Self: Sized;

    /// Writes an image that the engine handed out under a tag, and returns its digest. `arrived` hears of each layer that
    /// was sent, as soon as it is there.
    fn write(
        &self,
        freight: Freight<'_>,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
        arrived: &dyn Fn(&Layer),
    ) -> impl Future<Output = Result<Digest, ServiceError>>;

    /// Puts a tag on a manifest that is in the repository already; no layer moves.
    fn tag(
        &self,
        target: &ImageRef,
        manifest: &Manifest,
        credential: &Credential,
    ) -> impl Future<Output = Result<(), ServiceError>>;
}

/// Where an image is copied to.
#[derive(Clone)]
pub struct Destination<'a, R> {
    /// The registry.
    pub registry: &'a R,
    /// What it takes.
    pub credential: &'a Credential,
    /// The name that the image gets there: a tag, or its digest only.
    pub image: ImageRef,
    /// Who knows of many blobs at once whether they are there; without, each is asked for by itself.
    pub stock: Option<&'a dyn Stock>,
}

/// A manifest exactly as the registry keeps it; its digest is that of these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The digest.
    pub digest: Digest,
    /// As in `application/vnd.oci.image.manifest.v1+json`.
    pub media_type: String,
    /// The bytes, 4 MiB at most.
    pub bytes: Vec<u8>,
}

impl Manifest {
    /// Whether it is a list of other manifests.
    pub fn is_index(&self) -> bool {
        serde_json::from_slice::<serde_json::Value>(&self.bytes)
            .is_ok_and(|document| document.get("manifests").is_some())
    }

    /// The layers that it names, the lowest first; of an index there are none.
    pub fn layers(&self) -> Vec<LayerBlob> {
        let manifest: serde_json::Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let layers = manifest.get("layers").and_then(serde_json::Value::as_array).into_iter().flatten();
        let blob = |layer: &serde_json::Value| {
            let digest = layer.get("digest")?.as_str()?.parse().ok()?;
            let media_type = layer.get("mediaType").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            Some(LayerBlob { digest, size: layer.get("size")?.as_u64()?, media_type })
        };
        // One that is not understood leaves all without a place.
        layers.map(blob).collect::<Option<_>>().unwrap_or_default()
    }

    /// The sum of the sizes of the layers, compressed, and of the configuration, in bytes; of an index there is
    /// none, nor of a manifest whose sizes are no sizes of anything.
    pub fn size(&self) -> Option<u64> {
        let manifest: serde_json::Value = serde_json::from_slice(&self.bytes).ok()?;
        let size = |part: &serde_json::Value| part.get("size")?.as_u64();
        let mut layers = manifest.get("layers")?.as_array()?.iter();
        layers.try_fold(size(manifest.get("config")?)?, |sum, layer| sum.checked_add(size(layer)?))
    }
}

/// What a build needs that is known only when its turn has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInputs {
    /// For base images of the registry that are not public.
    pub login: Option<Login>,
    /// The images of the run that are staged already and that this build's named contexts are, by their keys in the
    /// pipeline file; each by its digest.
    pub images: BTreeMap<String, ImageRef>,
}

/// An image that the daemon holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuiltImage {
    /// The daemon's id, `sha256:…`; not the registry's digest, save with the containerd image store.
    pub id: String,
    /// It holds a cache of its own layers, because this engine, or the user, wants it there.
    pub holds_cache: bool,
    /// The builder that holds it, by its name in the pipeline file, where there are several.
    pub builder: Option<String>,
    /// What it was built for, if that was said.
    pub platform: Option<Platform>,
    /// It has attestations beside it.
    pub attested: bool,
}

/// Whether this call created the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It did.
    Created,
    /// Another job did, between our look and our call.
    ThereAlready,
}

/// A user name and password for one registry. Its password is in no output of any kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `AWS` for ECR.
    pub username: String,
    password: String,
    /// When it stops working, as far as the service says.
    pub expires_at: Option<OffsetDateTime>,
}

impl Credential {
    /// A credential.
    pub fn new(username: impl Into<String>, password: impl Into<String>, expires_at: Option<OffsetDateTime>) -> Self {
        Credential { username: username.into(), password: password.into(), expires_at }
    }

    /// The password, for the one place that needs it: a request's header.
    pub fn reveal(&self) -> &str {
        &self.password
    }

    /// Out of what [`basic`](Self::basic) gives, which is also the form of ECR's tokens and of docker's configuration.
    /// `None` if it is nothing of the kind.
    pub fn from_basic(encoded: &str, expires_at: Option<OffsetDateTime>) -> Option<Self> {
        use base64::Engine as _;
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (username, password) = text.split_once(':')?;
        Some(Credential::new(username, password, expires_at))
    }

    /// User name and password as a request's header bears them, just as secret as [`reveal`](Self::reveal).
    pub fn basic(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.username, self.password))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A credential, and the registry that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The registry.
    pub host: RegistryHost,
    /// What it takes.
    pub credential: Credential,
}

/// A failure of something outside, sorted by what follows from it for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// What kind of failure it is.
    pub failure: Failure,
    /// What was being done, as in `push 127.0.0.1:5000/web:1.2.3`.
    pub doing: String,
    /// The service's own words.
    pub cause: String,
}

/// What follows from a failure. Adapters choose it by code where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No Docker daemon answers at this address.
    EngineUnreachable {
        /// The address.
        address: String,
        /// Something is there, but this user may not use it.
        forbidden: bool,
    },
    /// The settings do not lead to any Docker daemon.
    EngineMisconfigured {
        /// The address, or the name of the docker context.
        address: String,
    },
    /// The context or the Dockerfile cannot be read.
    ContextUnreadable {
        /// The file or folder.
        path: String,
    },
    /// A build step failed.
    BuildFailed {
        /// The step, in the builder's words.
        step: Option<String>,
        /// The last lines it printed.
        output: Vec<String>,
    },
    /// The engine cannot do what a field of the pipeline file asks for.
    EngineLacks {
        /// As in `Docker 20.10.24`.
        engine: String,
        /// As in `provenance`.
        field: String,
        /// Where it can be had.
        remedy: &'static str,
    },
    /// No builder has the platform, and it shall not be emulated.
    PlatformMissing {
        /// The platform.
        platform: Platform,
    },
    /// An image that shall be one plain manifest is something else.
    NotSingle,
    /// Something that a build is to be given is not there, or cannot be used.
    BuildInputMissing {
        /// As in "secret `token`".
        what: String,
    },
    /// A file of certificates that was named cannot be read or holds none.
    CertificatesUnreadable {
        /// The file.
        path: String,
    },
    /// The AWS configuration names no region.
    RegionMissing,
    /// A variable names an endpoint that is no URL.
    EndpointMalformed {
        /// The variable.
        variable: String,
        /// What it holds.
        url: String,
    },
    /// No credentials were found.
    CredentialsMissing,
    /// The place that the configuration names for the credentials does not give any.
    CredentialsUnreadable,
    /// The credentials are past their time.
    CredentialsExpired,
    /// The service does not accept the credentials at all.
    CredentialsRefused,
    /// The credentials are good, but do not allow this action.
    Denied {
        /// The IAM action, as in `ecr:CreateRepository`, where it is known.
        action: Option<String>,
    },
    /// The repository is not there.
    RepositoryMissing {
        /// Its name.
        repository: RepositoryName,
    },
    /// The tag names another image and may not move.
    TagTaken {
        /// The tag.
        tag: Tag,
        /// Where.
        repository: RepositoryName,
    },
    /// What a scan found is not good enough, or not known.
    GateClosed {
        /// What closes the gate: findings as bad as this.
        fail_on: Severity,
        /// Why it is closed, at least one.
        objections: Vec<Objection>,
        /// The image carries its tags already, as where it is only looked at.
        released: bool,
    },
    /// ECR's own replication does not bring an image.
    NotReplicated {
        /// The image's repository.
        repository: RepositoryName,
        /// Where to.
        to: String,
        /// Why.
        hitch: Hitch,
    },
    /// ECR's managed signing has not signed an image that must be signed.
    NotSigned {
        /// The image's repository.
        repository: RepositoryName,
        /// Why.
        why: Unsigned,
    },
    /// Too many requests.
    Throttled,
    /// Nothing answers, or not in time.
    Unreachable {
        /// Host or URL.
        address: String,
    },
    /// The service takes the request for wrong.
    Refused,
    /// The service itself is in trouble.
    ServiceBroken,
    /// The service did something that it never should.
    Unexpected,
}

impl Failure {
    /// What it means for another attempt.
    pub fn verdict(&self) -> Verdict {
        match self {
            Failure::Throttled => Verdict::Throttled { after: None },
            Failure::ServiceBroken
            | Failure::Unreachable { .. }
            | Failure::EngineUnreachable { forbidden: false, .. } => Verdict::Passing { after: None },
            Failure::CredentialsExpired | Failure::CredentialsRefused => Verdict::Renew,
            _ => Verdict::Final,
        }
    }
}
