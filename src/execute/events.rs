//! What happens while the plan is carried out, as values; only the report room turns them into words.

use std::time::Duration;

use super::ports::Signature;
use super::road::Choice;
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName, Tag};
use crate::plan::Setting;
use crate::retry::Retry;
use crate::scan::{Notice, Severity, Started, Waiting};

/// Something that happened, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A repository that was missing is there now.
    RepositoryCreated {
        /// Its name.
        name: RepositoryName,
        /// The registry, if it is not the run's own.
        replica: Option<RegistryHost>,
    },
    /// Another job created the repository first; that is just as well.
    RepositoryThereAlready {
        /// Its name.
        name: RepositoryName,
        /// The registry, if it is not the run's own.
        replica: Option<RegistryHost>,
    },
    /// A setting of a repository is as it should be now.
    RepositoryChanged {
        /// Its name.
        name: RepositoryName,
        /// The setting.
        setting: Setting,
        /// The registry, if it is not the run's own.
        replica: Option<RegistryHost>,
    },
    /// Something did not work and is tried again.
    Retried(Retry),
    /// Something about one image, by its key in the pipeline file; about one platform of it, by `ImagePlan::told_as`.
    Image(String, ImageEvent),
}

/// What happened to one image.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageEvent {
    /// From the builder.
    Build(BuildEvent),
    /// The image is there, under this id of the daemon's.
    Built {
        /// The daemon's name for it.
        id: String,
        /// How long it took.
        took: Duration,
    },
    /// The layers of its base image are in its repository before it is pushed, so that they are not compressed again.
    Seeded {
        /// The base image.
        base: ImageRef,
        /// How many layers the registry had, in this repository or another.
        there: usize,
        /// How many were read from the base image's own registry.
        sent: usize,
        /// The bytes of these.
        bytes: u64,
        /// How long it took.
        took: Duration,
    },
    /// The layers of its base image could not be brought there beforehand, for this reason; the push sends them.
    NotSeeded(String),
    /// Who pushes it, and why.
    Road(Choice),
    /// From the upload.
    Push(PushEvent),
    /// The image is in the registry under its staging tag.
    Pushed {
        /// The name that was pushed.
        reference: ImageRef,
        /// What the registry calls it.
        digest: Digest,
        /// How long it took.
        took: Duration,
    },
    /// The images of all platforms are in the registry as one index.
    Assembled {
        /// Its name.
        reference: ImageRef,
        /// What the registry calls it.
        digest: Digest,
        /// How many images it holds.
        images: usize,
    },
    /// From its gate.
    Scan(ScanEvent),
    /// ECR's managed signing is waited for.
    AwaitingSignature,
    /// ECR has signed the image.
    Signed {
        /// The ARNs of the signing profiles.
        by: Vec<String>,
        /// How long it was waited for.
        took: Duration,
    },
    /// How far ECR's managed signing is with the released image.
    Signatures(Vec<Signature>),
    /// That could not be seen: in ECR's words.
    SigningUnknown(String),
    /// Another run pushed the same content first; its image is the one that is released.
    Adopted(Digest),
    /// What the image was built from could not be kept beside it: in the registry's words.
    RecordLost(String),
    /// The image holds a layer cache, but the tag by which later builds find it could not be written: in the registry's
    /// words.
    CacheLost(String),
    /// A release tag names the image now.
    Tagged {
        /// The tag.
        tag: Tag,
        /// What it named before, so that the move can be undone.
        before: Option<Digest>,
        /// The registry, if it is not the run's own.
        replica: Option<RegistryHost>,
    },
    /// The tag named this very image before.
    TaggedAlready {
        /// The tag.
        tag: Tag,
        /// The registry, if it is not the run's own.
        replica: Option<RegistryHost>,
    },
    /// ECR's own replication to a registry is waited for.
    AwaitingReplication {
        /// The registry.
        registry: RegistryHost,
    },
    /// ECR has brought the image to another registry.
    Replicated {
        /// The registry.
        registry: RegistryHost,
        /// What it is called everywhere.
        digest: Digest,
        /// How long it was waited for.
        took: Duration,
    },
    /// ECR does not bring the image to another registry, so that it is copied.
    NotReplicated {
        /// The registry.
        registry: RegistryHost,
        /// Why.
        why: String,
    },
    /// The image is in another registry as well.
    Copied {
        /// Its name there.
        reference: ImageRef,
        /// What it is called everywhere.
        digest: Digest,
        /// The bytes that were sent; to all registries together, where it was copied to several at once.
        sent: u64,
        /// How long it took.
        took: Duration,
    },
}

/// What happens at a gate.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// ECR was asked for a scan.
    Started {
        /// The platform, where there are several.
        platform: Option<String>,
        /// What came of it.
        started: Started,
    },
    /// Something else is waited for.
    Waiting {
        /// The platform, where there are several.
        platform: Option<String>,
        /// What for.
        waiting: Waiting,
    },
    /// The image is judged.
    Judged {
        /// The gate is open.
        open: bool,
        /// How many findings there are of each severity.
        counts: Vec<(Severity, usize)>,
        /// How many of them close the gate.
        blocking: usize,
        /// What is to be said in any case.
        notices: Vec<Notice>,
    },
}

/// What the builder says. Steps are numbered from 1 in the order in which they first appear.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildEvent {
    /// The context is on its way.
    ContextSent {
        /// Bytes so far.
        sent: u64,
        /// Bytes of all that the builder has asked for until now, where it asks.
        total: Option<u64>,
    },
    /// A step began.
    StepStarted {
        /// Its number.
        step: usize,
        /// In the builder's words, as in `[2/3] RUN make`.
        name: String,
    },
    /// A step printed a line.
    StepOutput {
        /// Its number.
        step: usize,
        /// Without the newline.
        line: String,
    },
    /// A step ended.
    StepDone {
        /// Its number.
        step: usize,
        /// Its result was taken from the builder's cache.
        cached: bool,
        /// How long it took, where the builder says so.
        took: Option<Duration>,
    },
    /// The builder warns of something in the Dockerfile.
    Warning(String),
}

/// What became of one blob at one of the places that an image is copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyEvent {
    /// The repository had it.
    BlobThere,
    /// The registry took it from another of its repositories.
    BlobMounted,
    /// It was sent: its size in bytes.
    BlobSent(u64),
}

/// What the upload says about one of the image's layers.
///
/// Which layer it is gets lost on the way: bollard's type for the daemon's messages has no place for the id. So
/// layers can be counted, and told apart by their size at best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushEvent {
    /// The image has this layer; said once for each, before anything else.
    LayerFound,
    /// On its way: bytes sent, and bytes in all, before compression. The first may exceed the second.
    LayerSending {
        /// So far.
        sent: u64,
        /// In all; 0 if not known.
        total: u64,
    },
    /// It was sent.
    LayerSent,
    /// The repository had it.
    LayerThereAlready,
    /// The registry took it from another of its repositories.
    LayerMounted,
}
