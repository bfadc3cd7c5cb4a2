//! Images from one registry to others, without the daemon.
//!
//! Blobs go first, then the manifests of an index, then the one that was asked for, since a registry takes a manifest
//! only when it has all that it names; ECR wants them in the very same repository. What is there already is neither
//! read nor sent. Digests never change on the way.

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};

use super::blob::{Begun, upload_verdict};
use super::client::RegistryClient;
use super::parts::{Blob, parts};
use super::relay::{Broken, Upload, relay};
use crate::execute::events::CopyEvent;
use crate::execute::ports::{Credential, Destination, Failure, Manifest, Registry as _, ServiceError};
use crate::names::{Digest, ImageRef};
use crate::retry::{SERVICE, Verdict, persist};

/// How many blobs of one image are on their way at once.
const AT_ONCE: usize = 4;

/// How deep an index may hold others: one of images is 1, and nobody is known to need more than 2.
const DEEPEST: usize = 3;

type To<'a> = Destination<'a, RegistryClient>;

/// One copy: where from, where to, and where it went wrong so far.
struct Copy<'a> {
    source: &'a RegistryClient,
    image: &'a ImageRef,
    credential: Option<&'a Credential>,
    to: &'a [To<'a>],
    failed: RefCell<Vec<Option<ServiceError>>>,
    /// The blobs that are known to be at each destination.
    there: RefCell<Vec<BTreeSet<Digest>>>,
    tell: &'a dyn Fn(CopyEvent),
}

impl RegistryClient {
    /// Copies an image, or an index with all its images, to every destination; what came of each is in their order.
    pub async fn copy_to(
        &self,
        image: &ImageRef,
        credential: Option<&Credential>,
        to: &[To<'_>],
        tell: &dyn Fn(CopyEvent),
    ) -> Vec<Result<(), ServiceError>> {
        let failed = RefCell::new(to.iter().map(|_| None).collect());
        let there = RefCell::new(vec![BTreeSet::new(); to.len()]);
        let copy = Copy { source: self, image, credential, to, failed, there, tell };
        if let Err(error) = copy.run().await {
            copy.fail_all(&error);
        }
        copy.failed.into_inner().into_iter().map(|failed| failed.map_or(Ok(()), Err)).collect()
    }
}

impl Copy<'_> {
    /// # Errors
    /// If the source does not give what is to be copied.
    async fn run(&self) -> Result<(), ServiceError> {
        let root = self.source.fetch(self.image, self.credential).await?;
        let pending: Vec<usize> = stream::iter(0..self.to.len())
            .map(async |at| (at, self.is_there(at, &root.digest).await))
            .buffered(AT_ONCE)
            .filter_map(async |(at, there)| (!there).then_some(at))
            .collect()
            .await;
        if !pending.is_empty() {
            let mut blobs = BTreeSet::new();
            let mut children = Vec::new();
            self.read_parts(&root, 0, &mut children, &mut blobs).await?;
            // The largest first, so that the last one to end is not the one that takes longest.
            self.take_stock(&blobs, &pending).await;
            let mut blobs: Vec<Blob> = blobs.into_iter().collect();
            blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
            stream::iter(&blobs)
                .map(async |blob| self.send_blob(blob, &pending).await)
                .buffer_unordered(AT_ONCE)
                .collect::<()>()
                .await;
            for at in &pending {
                self.put_children(*at, &children).await;
            }
        }
        for at in 0..self.to.len() {
            self.put_root(at, &root, !pending.contains(&at)).await;
        }
        Ok(())
    }

    /// Asks who knows it which of the blobs are where they should be.
    async fn take_stock(&self, blobs: &BTreeSet<Blob>, pending: &[usize]) {
        let digests: Vec<Digest> = blobs.iter().map(|blob| blob.digest.clone()).collect();
        let asked = pending.iter().filter_map(|at| Some((*at, self.to[*at].stock?)));
        let asked = asked.map(async |(at, stock)| (at, stock.there(&self.to[at].image.repository, &digests).await));
        for (at, there) in join_all(asked).await {
            self.there.borrow_mut()[at] = there;
        }
    }

    /// Whether the destination has the image under its digest, and so all that it is made of.
    async fn is_there(&self, at: usize, digest: &Digest) -> bool {
        let to = &self.to[at];
        let image = ImageRef::digested(&to.image.host, &to.image.repository, digest);
        match to.registry.look_up(&image, Some(to.credential)).await {
            Ok(found) => found.is_some(),
            Err(error) => {
                self.fail(at, error);
                true
            }
        }
    }

    async fn read_parts(
        &self,
        manifest: &Manifest,
        depth: usize,
        children: &mut Vec<Manifest>,
        blobs: &mut BTreeSet<Blob>,
    ) -> Result<(), ServiceError> {
        let parts = parts(manifest, self.image)?;
        if depth == DEEPEST {
            let doing = format!("read the manifest of {}", self.image);
            let cause = format!("its indexes hold each other {DEEPEST} deep and more");
            return Err(ServiceError { failure: Failure::Refused, doing, cause });
        }
        blobs.extend(parts.blobs);
        for digest in parts.children {
            if children.iter().any(|child| child.digest == digest) {
                continue;
            }
            let image = ImageRef::digested(&self.image.host, &self.image.repository, &digest);
            let child = self.source.fetch(&image, self.credential).await?;
            Box::pin(self.read_parts(&child, depth + 1, children, blobs)).await?;
            children.push(child);
        }
        Ok(())
    }

    /// Brings one blob to all destinations that lack it; it is read once for all of them. Where it breaks off, only this
    /// blob is sent anew, and only to those that still lack it.
    async fn send_blob(&self, blob: &Blob, pending: &[usize]) {
        let mut lacking = pending.to_vec();
        let attempt = async |_| self.send_once(blob, &mut lacking).await;
        if let Err(error) = persist(&SERVICE, upload_verdict, self.source.note_retries(), attempt).await {
            lacking.into_iter().for_each(|at| self.fail(at, error.clone()));
        }
    }

    /// Sends it once to those that lack it; those for which another attempt may help are left, with why.
    async fn send_once(&self, blob: &Blob, lacking: &mut Vec<usize>) -> Result<(), ServiceError> {
        let mut uploads = Vec::new();
        for at in std::mem::take(lacking) {
            match self.begin(at, blob).await {
                Ok(Some(upload)) => uploads.push((at, upload)),
                Ok(None) => {}
                Err(error) => self.fail(at, error),
            }
        }
        if uploads.is_empty() {
            return Ok(());
        }
        let (places, uploads): (Vec<usize>, Vec<Upload<'_>>) = uploads.into_iter().unzip();
        let results = match self.stream(blob, &uploads).await {
            Ok(()) => places.iter().map(|_| Ok(())).collect(),
            Err(Broken::Destinations(results)) => results,
            Err(Broken::Source(error)) => {
                *lacking = places;
                return Err(error);
            }
        };
        let mut why = None;
        for (at, result) in places.into_iter().zip(results) {
            match result {
                Ok(()) => (self.tell)(CopyEvent::BlobSent(blob.size)),
                Err(error) if upload_verdict(&error) == Verdict::Final => self.fail(at, error),
                Err(error) => {
                    lacking.push(at);
                    why.get_or_insert(error);
                }
            }
        }
        why.map_or(Ok(()), Err)
    }

    /// Opens an upload; `None` if none is needed, or none makes sense any more.
    async fn begin(&self, at: usize, blob: &Blob) -> Result<Option<Upload<'_>>, ServiceError> {
        if self.failed.borrow()[at].is_some() {
            return Ok(None);
        }
        let to = &self.to[at];
        let is_known = self.there.borrow()[at].contains(&blob.digest);
        if is_known || to.registry.has_blob(&to.image, &blob.digest, to.credential).await? {
            (self.tell)(CopyEvent::BlobThere);
            return Ok(None);
        }
        let same = to.image.host == self.image.host && to.image.repository != self.image.repository;
        let from = same.then_some(&self.image.repository);
        match to.registry.begin_upload(&to.image, &blob.digest, from, to.credential).await? {
            Begun::Mounted => {
                (self.tell)(CopyEvent::BlobMounted);
                Ok(None)
            }
            Begun::At(path) => {
                Ok(Some(Upload { registry: to.registry, about: &to.image, path, credential: to.credential }))
            }
        }
    }

    async fn stream(&self, blob: &Blob, uploads: &[Upload<'_>]) -> Result<(), Broken> {
        let opened = self.source.open_blob(self.image, &blob.digest, self.credential).await.map_err(Broken::Source)?;
        relay(opened, blob, &format!("read {} of {}", blob.digest.short(), self.image), uploads).await
    }

    async fn put_children(&self, at: usize, children: &[Manifest]) {
        for child in children {
            let to = &self.to[at];
            let image = ImageRef::digested(&to.image.host, &to.image.repository, &child.digest);
            self.put(at, &image, child).await;
        }
    }

    async fn put_root(&self, at: usize, root: &Manifest, is_there: bool) {
        let image = &self.to[at].image;
        // By its digest it would be put where it is.
        if !(is_there && image.reference.as_str() == root.digest.as_str()) {
            self.put(at, image, root).await;
        }
    }

    async fn put(&self, at: usize, image: &ImageRef, manifest: &Manifest) {
        if self.failed.borrow()[at].is_some() {
            return;
        }
        let to = &self.to[at];
        if let Err(error) = to.registry.tag(image, manifest, to.credential).await {
            self.fail(at, error);
        }
    }

    fn fail(&self, at: usize, error: ServiceError) {
        self.failed.borrow_mut()[at].get_or_insert(error);
    }

    fn fail_all(&self, error: &ServiceError) {
        for slot in self.failed.borrow_mut().iter_mut() {
            slot.get_or_insert_with(|| error.clone());
        }
    }
}
