//! Why a request is refused, in ECR's words, whichever of the two doors it came through.

use std::fmt;

use serde_json::{Map, Value};

use crate::names::{AccountId, Digest, RepositoryName, Tag};

/// A refusal: its kind, which each door has its own code for, and its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The kind.
    pub kind: Kind,
    /// What the user reads.
    pub message: String,
    /// Further members of the control plane's answer.
    pub members: Map<String, Value>,
}

/// The kinds of refusal that both doors or the store know, named as in the ECR API model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    AccessDenied,
    EmptyUpload,
    ImageAlreadyExists,
    ImageArchived,
    ImageDigestDoesNotMatch,
    ImageNotFound,
    ImageReferencedByManifestList,
    ImageTagAlreadyExists,
    InvalidLayer,
    InvalidLayerPart,
    InvalidManifest,
    InvalidParameter,
    InvalidTagParameter,
    LayerAlreadyExists,
    LayerInaccessible,
    LayerPartTooSmall,
    LayersNotFound,
    LifecyclePolicyNotFound,
    LifecyclePolicyPreviewInProgress,
    LifecyclePolicyPreviewNotFound,
    LimitExceeded,
    MissingAuthenticationToken,
    ReferencedImagesNotFound,
    RepositoryAlreadyExists,
    RepositoryNotEmpty,
    RepositoryNotFound,
    RepositoryPolicyNotFound,
    ScanNotFound,
    Serialization,
    Server,
    SigningConfigurationNotFound,
    TemplateAlreadyExists,
    TemplateNotFound,
    TooManyTags,
    UnknownOperation,
    UnsupportedImageType,
    UploadNotFound,
    Validation,
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Refusal { kind, message: message.into(), members: Map::new() }
    }

    /// A parameter that breaks a rule of the API model.
    pub fn parameter(name: &str, constraint: impl fmt::Display) -> Self {
        let message = format!("Invalid parameter at '{name}' failed to satisfy constraint: '{constraint}'");
        Self::new(Kind::InvalidParameter, message)
    }

    /// Adds a member to the control plane's answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Refusal::new(Kind::Server, format!("the data folder cannot be used: {error}"))
    }
}

/// One repository of one registry, as the messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The account, which is the registry's id.
    pub registry_id: AccountId,
    /// The repository.
    pub name: RepositoryName,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the repository with name '{}' in the registry with id '{}'", self.name, self.registry_id)
    }
}

impl Named {
    /// There is no such repository.
    pub fn missing(&self) -> Refusal {
        missing_repository(self.name.as_str(), self.registry_id.as_str())
    }

    /// There is one already.
    pub fn taken(&self) -> Refusal {
        let message = format!(
            "The repository with name '{}' already exists in the registry with id '{}'",
            self.name, self.registry_id
        );
        Refusal::new(Kind::RepositoryAlreadyExists, message)
    }

    /// It holds images and nobody said `force`.
    pub fn not_empty(&self) -> Refusal {
        let message = format!(
            "The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains images",
            self.name, self.registry_id
        );
        Refusal::new(Kind::RepositoryNotEmpty, message)
    }

    /// The tag may not come to mean another image.
    pub fn tag_taken(&self, tag: &Tag) -> Refusal {
        let message = format!(
            "The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because the tag is immutable.",
            self.name
        );
        Refusal::new(Kind::ImageTagAlreadyExists, message)
    }

    /// The image is here under this very tag.
    pub fn image_exists(&self, digest: &Digest, tag: Option<&Tag>) -> Refusal {
        let tag = tag.map_or("null", Tag::as_str);
        let message = format!("Image with digest '{digest}' and tag '{tag}' already exists in {self}");
        Refusal::new(Kind::ImageAlreadyExists, message)
    }

    /// The manifest's bytes have another digest than was said.
    pub fn digest_mismatch(&self, digest: &str) -> Refusal {
        let message = format!(
            "The image with digest '{digest}' in repository '{}' and registry ID '{}' does not match the image digest that Amazon ECR has calculated.",
            self.name, self.registry_id
        );
        Refusal::new(Kind::ImageDigestDoesNotMatch, message)
    }

    /// A manifest needs layers that are not here.
    pub fn layers_missing(&self, digests: &[Digest]) -> Refusal {
        let message =
            format!("Layers with digests '[{}]' required for pushing image into {self} do not exist", join(digests));
        Refusal::new(Kind::LayersNotFound, message)
    }

    /// This one layer is not here.
    pub fn layer_missing(&self, digest: &Digest) -> Refusal {
        let message = format!("The layer with digest '{digest}' does not exist within {self}");
        Refusal::new(Kind::LayersNotFound, message)
    }

    /// An index needs images that are not here.
    pub fn images_missing(&self, digests: &[Digest]) -> Refusal {
        let message =
            format!("Images with digests '[{}]' required for pushing image into {self} do not exist", join(digests));
        Refusal::new(Kind::ReferencedImagesNotFound, message)
    }

    /// There is no such upload.
    pub fn upload_missing(&self, id: &str) -> Refusal {
        let message = format!("The upload with id '{id}' does not exist within {self}");
        Refusal::new(Kind::UploadNotFound, message)
    }
}

/// There is no such repository, by names that may belong to nothing.
pub fn missing_repository(name: &str, registry_id: &str) -> Refusal {
    let message = format!("The repository with name '{name}' does not exist in the registry with id '{registry_id}'");
    Refusal::new(Kind::RepositoryNotFound, message)
}

fn join(digests: &[Digest]) -> String {
    digests.iter().map(Digest::as_str).collect::<Vec<_>>().join(", ")
}
