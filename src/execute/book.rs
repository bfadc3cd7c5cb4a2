//! What this run knows of layers: what they are called in registries, and which repositories have them.
//!
//! It is what keeps the images of a run from compressing or sending the same layer twice: whoever is about to make a
//! layer's blob claims it, and others wait until it can be named.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Notify;

use super::ports::{Layer, LayerBlob};
use crate::names::{Digest, ImageRef, RepositoryName};

/// The book of one run. All is done by one task, so that it is never read while it is written.
#[derive(Default)]
pub(super) struct Book {
    pages: RefCell<BTreeMap<Digest, Page>>,
    /// The layers, by their diff ids, that somebody compresses and sends.
    claimed: RefCell<BTreeSet<Digest>>,
    /// The blobs that somebody brings from one place to another.
    moving: RefCell<BTreeSet<Digest>>,
    changed: Notify,
}

/// What is known of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) blob: LayerBlob,
    /// The repositories of the run's own registry that have it, the first of which a manifest may name it in.
    pub(super) here: Vec<RepositoryName>,
    /// An image of another registry that has it.
    pub(super) elsewhere: Option<ImageRef>,
    /// The engine knows what it is called as well.
    pub(super) remembered: bool,
}

/// Where a layer was seen.
pub(super) enum Seen<'a> {
    /// In a repository of the run's own registry.
    Here(&'a RepositoryName),
    /// In this image of another.
    Elsewhere(&'a ImageRef),
}

/// Layers that one image's push is about to bring into the world; nobody else does meanwhile.
pub(super) struct Claim<'b> {
    book: &'b Book,
    diff_ids: Vec<Digest>,
}

/// A blob that is being brought somewhere; nobody else brings it meanwhile.
pub(super) struct Move<'b> {
    book: &'b Book,
    digest: Digest,
}

impl Book {
    pub(super) fn note(&self, layers: &[Layer], seen: &Seen<'_>, remembered: bool) {
        let mut pages = self.pages.borrow_mut();
        for layer in layers {
            let fresh = || Page { blob: layer.blob.clone(), here: Vec::new(), elsewhere: None, remembered };
            let page = pages.entry(layer.diff_id.clone()).or_insert_with(fresh);
            // A second form of the same layer is as good as the first, but not the same blob.
            if page.blob.digest != layer.blob.digest {
                continue;
            }
            page.remembered |= remembered;
            match seen {
                Seen::Here(repository) if !page.here.contains(repository) => page.here.push((*repository).clone()),
                Seen::Here(_) => {}
                Seen::Elsewhere(image) => page.elsewhere = Some((*image).clone()),
            }
        }
    }

    /// Notes that a repository has this layer's blob now.
    pub(super) fn arrived(&self, diff_id: &Digest, repository: &RepositoryName) {
        if let Some(page) = self.pages.borrow_mut().get_mut(diff_id)
            && !page.here.contains(repository)
        {
            page.here.push(repository.clone());
        }
    }

    pub(super) fn page(&self, diff_id: &Digest) -> Option<Page> {
        self.pages.borrow().get(diff_id).cloned()
    }

    /// Claims those of the layers that nobody can name, after waiting for those that others are about to name.
    pub(super) async fn claim(&self, diff_ids: &[Digest]) -> Claim<'_> {
        loop {
            let changed = self.changed.notified();
            let unknown: BTreeSet<&Digest> =
                diff_ids.iter().filter(|diff_id| !self.pages.borrow().contains_key(*diff_id)).collect();
            if unknown.iter().all(|diff_id| !self.claimed.borrow().contains(*diff_id)) {
                self.claimed.borrow_mut().extend(unknown.iter().map(|diff_id| (*diff_id).clone()));
                return Claim { book: self, diff_ids: unknown.into_iter().cloned().collect() };
            }
            changed.await;
        }
    }

    /// Waits until nobody else brings this blob anywhere.
    pub(super) async fn begin_move(&self, digest: &Digest) -> Move<'_> {
        loop {
            let changed = self.changed.notified();
            if self.moving.borrow_mut().insert(digest.clone()) {
                return Move { book: self, digest: digest.clone() };
            }
            changed.await;
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut claimed = self.book.claimed.borrow_mut();
        self.diff_ids.iter().for_each(|diff_id| {
            claimed.remove(diff_id);
        });
        self.book.changed.notify_waiters();
    }
}

impl Drop for Move<'_> {
    fn drop(&mut self) {
        self.book.moving.borrow_mut().remove(&self.digest);
        self.book.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn layer(name: &str) -> Layer {
        let digest = Digest::of(format!("{name}, compressed").as_bytes());
        Layer { diff_id: Digest::of(name.as_bytes()), blob: LayerBlob { digest, size: 1, media_type: String::new() } }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_one_makes_others_wait_for() {
        let (book, order) = (Book::default(), RefCell::new(Vec::new()));
        let (shared, own) = (layer("shared"), layer("own"));
        let web = "web".parse().unwrap();
        let first = async {
            let claim = book.claim(std::slice::from_ref(&shared.diff_id)).await;
            tokio::task::yield_now().await;
            order.borrow_mut().push("first");
            book.note(std::slice::from_ref(&shared), &Seen::Here(&web), true);
            drop(claim);
        };
        let second = async {
            let claim = book.claim(&[shared.diff_id.clone(), own.diff_id.clone()]).await;
            order.borrow_mut().push("second");
            assert_eq!(claim.diff_ids, std::slice::from_ref(&own.diff_id), "the shared one can be named by now");
        };
        tokio::join!(first, second);
        assert_eq!(*order.borrow(), ["first", "second"]);
        assert_eq!(book.page(&shared.diff_id).unwrap().here, [web]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_failed_is_taken_over() {
        let book = Book::default();
        let ids = [Digest::of(b"x")];
        let lost = async {
            let claim = book.claim(&ids).await;
            tokio::task::yield_now().await;
            drop(claim);
        };
        let heir = async { book.claim(&ids).await.diff_ids.len() };
        assert_eq!(tokio::join!(lost, heir).1, 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_blob_moves_once_at_a_time() {
        let (book, digest, at_once) = (Book::default(), Digest::of(b"x"), Cell::new(0));
        let one = async || {
            let _move = book.begin_move(&digest).await;
            at_once.set(at_once.get() + 1);
            assert_eq!(at_once.get(), 1);
            tokio::task::yield_now().await;
            at_once.set(at_once.get() - 1);
        };
        tokio::join!(one(), one(), one());
    }
}
