//! What came of a plan, told also after a failure.

use std::time::Duration;

use super::ports::ServiceError;
pub use super::ports::{Signature, SigningState};
pub use super::road::Choice;
use crate::names::{Digest, ImageRef, Platform, RegistryHost, RepositoryName, Tag};
use crate::scan::{ImageScan, Judgement};

/// What came of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One entry for each image of the plan, in its order.
    pub images: Vec<ImageReport>,
    /// The repositories that this run created in its own registry.
    pub created: Vec<RepositoryName>,
    /// What failed outside of any image: creating a repository, getting the credential.
    pub failures: Vec<ServiceError>,
    /// How long it took.
    pub took: Duration,
}

/// What came of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageReport {
    /// Its key in the pipeline file.
    pub name: String,
    /// How far it got.
    pub outcome: Outcome,
    /// The release tags that this run wrote, also where it failed half-way.
    pub moves: Vec<Move>,
    /// What came of each platform, where there are several.
    pub parts: Vec<PartReport>,
    /// What came of its gate, if it has one and got there.
    pub gate: Option<GateReport>,
    /// How far ECR's managed signing is with it, where that was asked and told.
    pub signatures: Option<Vec<Signature>>,
    /// How long the build took, if there was one; of several, the longest.
    pub build_took: Option<Duration>,
    /// How long the upload took, if there was one.
    pub push_took: Option<Duration>,
    /// Who pushed it, and why.
    pub road: Option<Choice>,
}

/// What came of one platform of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReport {
    /// The platform.
    pub platform: Platform,
    /// The image for it.
    pub digest: Digest,
}

/// What came of an image's gate.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReport {
    /// The image that was scanned.
    pub digest: Digest,
    /// What the wait for each of its manifests came to.
    pub scans: Vec<ImageScan>,
    /// What the gate makes of it.
    pub judgement: Judgement,
}

/// How far an image got.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All of its tags name it.
    Published(Published),
    /// Something failed.
    Failed(ServiceError),
    /// In its repository, but not released, because another image failed.
    Staged(Digest),
    /// Not begun or not finished, because something else failed.
    Stopped,
}

/// A release tag that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The tag.
    pub tag: Tag,
    /// What it named before.
    pub before: Option<Digest>,
    /// What it names now.
    pub after: Digest,
    /// The registry, if it is not the run's own.
    pub replica: Option<RegistryHost>,
}

/// An image that is in the registry under all of its tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The registry that deploys take it from.
    pub registry: RegistryHost,
    /// What the registry calls it.
    pub digest: Digest,
    /// Its names, in the order of the plan's tags.
    pub references: Vec<ImageRef>,
    /// The size of its layers, compressed, and of its configuration, in bytes, as far as it is known.
    pub size: Option<u64>,
}

impl Report {
    /// Everything that failed, in the order of the plan.
    pub fn failures(&self) -> impl Iterator<Item = &ServiceError> {
        self.failures.iter().chain(self.images.iter().filter_map(|image| match &image.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::Published(_) | Outcome::Staged(_) | Outcome::Stopped => None,
        }))
    }

    /// Every image is published.
    pub fn is_success(&self) -> bool {
        self.failures.is_empty() && self.images.iter().all(|image| matches!(image.outcome, Outcome::Published(_)))
    }
}
