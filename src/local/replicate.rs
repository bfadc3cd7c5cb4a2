//! Replication as it happens: each push is taken to the registries that the rules name, one after the other and a
//! little later, as ECR does it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use axum::body::Body;
use axum::extract::Request;
use serde::Serialize;

use crate::local::ecr::Ecr;
use crate::local::faults::Verdict;
use crate::local::later::{Later, Waiting};
use crate::local::log::Entry;
use crate::local::operation::Operation;
use crate::local::refusal::{Kind, Refusal};
use crate::local::replication::Destination;
use crate::local::store::{Put, Repository};
use crate::names::{Digest, RepositoryName, Tag};

/// The name of what a destination does, as CloudTrail has it.
const OPERATION: &str = "ReplicateImage";

/// How far an image is on its way to one destination, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Where to.
    #[serde(flatten)]
    pub destination: Destination,
    /// `IN_PROGRESS`, `COMPLETE` or `FAILED`.
    pub status: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<&'static str>,
}

/// A push that is to be taken somewhere.
pub struct Errand {
    repository: RepositoryName,
    digest: Digest,
    tag: Option<Tag>,
    to: Destination,
}

type Way = (RepositoryName, Digest, Destination);
type Standing = (&'static str, Option<&'static str>);

/// The errands of one registry, and what came of them; gone with the server.
pub struct Replicator {
    errands: Later<Errand>,
    statuses: Mutex<BTreeMap<Way, Standing>>,
    others: OnceLock<Vec<Weak<Ecr>>>,
}

impl Replicator {
    /// Begins without any.
    pub fn new() -> (Self, Waiting<Errand>) {
        let (errands, waiting) = Later::new();
        (Replicator { errands, statuses: Mutex::default(), others: OnceLock::new() }, waiting)
    }

    /// Says which registries can be reached; they are told once.
    pub fn meet(&self, others: Vec<Weak<Ecr>>) {
        // It is done once, when all are up.
        let _ = self.others.set(others);
    }

    /// What is known of an image's ways.
    pub fn statuses(&self, repository: &RepositoryName, digest: &Digest) -> Vec<Status> {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let of_image = statuses.iter().filter(|((name, image, _), _)| name == repository && image == digest);
        let status = |((_, _, destination), (status, failure_code)): (&Way, &Standing)| Status {
            destination: destination.clone(),
            status,
            failure_code: *failure_code,
        };
        of_image.map(status).collect()
    }

    /// An image was pushed to a repository whose images go to these places.
    pub fn pushed(&self, repository: &RepositoryName, digest: &Digest, tag: Option<&Tag>, to: Vec<Destination>) {
        for to in to {
            self.note((repository.clone(), digest.clone(), to.clone()), ("IN_PROGRESS", None));
            let (repository, digest, tag) = (repository.clone(), digest.clone(), tag.cloned());
            self.errands.leave(Errand { repository, digest, tag, to });
        }
    }

    fn note(&self, way: Way, standing: Standing) {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).insert(way, standing);
    }

    fn other(&self, wanted: &Destination) -> Option<Arc<Ecr>> {
        let others = self.others.get()?.iter().filter_map(Weak::upgrade);
        others.into_iter().find(|other| other.place() == *wanted)
    }
}

/// Takes an image to where it should go, and notes what came of it.
pub async fn replicate(ecr: Arc<Ecr>, errand: Errand) {
    let standing = match go(&ecr, &errand).await {
        Ok(()) => ("COMPLETE", None),
        Err(code) => ("FAILED", Some(code)),
    };
    ecr.replicator.note((errand.repository, errand.digest, errand.to), standing);
}

/// Takes one image to its destination, where faults may strike. A failure has a code; ECR's own are not documented.
async fn go(ecr: &Arc<Ecr>, errand: &Errand) -> Result<(), &'static str> {
    let there = ecr.replicator.other(&errand.to).ok_or("DESTINATION_NOT_SERVED")?;
    let operation = Operation {
        name: OPERATION.to_owned(),
        repository: Some(errand.repository.to_string()),
        reference: Some(errand.tag.as_ref().map_or_else(|| errand.digest.to_string(), ToString::to_string)),
    };
    let at = there.clock.now().seconds();
    let struck = there.faults.strike(&operation);
    let result = match struck.before(&there, &operation, Request::new(Body::empty())).await {
        Ok(Verdict::GoOn(_)) => {
            let (from, to) = (Arc::clone(ecr), Arc::clone(&there));
            let (repository, digest, tag) = (errand.repository.clone(), errand.digest.clone(), errand.tag.clone());
            let brought = tokio::task::spawn_blocking(move || bring_to(&from, &to, &repository, &digest, tag.as_ref()));
            brought.await.is_ok_and(|brought| brought.is_ok()).then_some(()).ok_or("REPLICATION_FAILED")
        }
        Ok(Verdict::Answer(response)) if response.status().as_u16() == 403 => Err("ACCESS_DENIED"),
        Ok(Verdict::Answer(_)) | Err(_) => Err("REPLICATION_FAILED"),
    };
    if let Some(log) = &there.log {
        let status = Some(if result.is_ok() { 200 } else { 400 });
        let registry = there.named_in_log();
        let faults = struck.words();
        log.write(&Entry { at, registry, operation, status, faults, received_bytes: None, sent_bytes: None });
    }
    result
}

fn bring_to(from: &Ecr, to: &Ecr, name: &RepositoryName, digest: &Digest, tag: Option<&Tag>) -> Result<(), Refusal> {
    let source = from.store.repository(name)?;
    let target = to.replicated_to(name)?;
    bring(&source, &target, digest, tag, to)
}

/// Brings an image, before it what it lists. A tag that is taken and may not move stays where it is, and the image comes
/// without it. Source: ECR user guide, "Private image replication".
fn bring(
    source: &Repository,
    target: &Repository,
    digest: &Digest,
    tag: Option<&Tag>,
    to: &Ecr,
) -> Result<(), Refusal> {
    let bytes = source.manifest(digest)?;
    let found = source.lock().index.image(digest).map(|image| (image.media_type.clone(), image.children.clone()));
    let (media_type, children) = found.ok_or_else(crate::local::store::image_not_found)?;
    for child in &children {
        if target.lock().index.image(child).is_none() {
            bring(source, target, child, None, to)?;
        }
    }
    let folder = tempfile::tempdir_in(target.folder())?;
    let mut put = Put { bytes: &bytes, media_type: Some(&media_type), tag, digest: None };
    let manifest = crate::local::store::Manifest::read(&bytes, Some(&media_type));
    for blob in manifest.map(|manifest| manifest.blobs).unwrap_or_default() {
        let size = source.lock().index.layer(&blob);
        let (Some(file), Some(size)) = (source.layer_file(&blob), size) else { continue };
        if target.lock().index.layer(&blob).is_none() {
            let copy = folder.path().join(blob.hex());
            fs::copy(file, &copy)?;
            target.add_layer(&copy, &blob, size)?;
        }
    }
    match target.put_image(&put, to.clock.now()) {
        Err(refusal) if refusal.kind == Kind::ImageTagAlreadyExists => {
            put.tag = None;
            target.put_image(&put, to.clock.now()).map(drop)
        }
        stored => stored.map(drop),
    }
}
