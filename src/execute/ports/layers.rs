//! Layers by the names that they have in registries, so that none is compressed or sent that a registry can name.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Credential, ServiceError};
use crate::names::{Digest, ImageRef, RegistryHost, RepositoryName};

/// A layer as a registry keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerBlob {
    /// The digest of the compressed bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// As in `application/vnd.oci.image.layer.v1.tar+gzip`.
    pub media_type: String,
}

/// A layer by both of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the bytes before compression, by which engines know it.
    pub diff_id: Digest,
    /// What a registry has for it.
    pub blob: LayerBlob,
}

/// Says of many blobs at once whether a repository has them.
pub trait Stock {
    /// Those of these blobs that are known to be there; of the others nothing is known.
    fn there<'a>(
        &'a self,
        repository: &'a RepositoryName,
        digests: &'a [Digest],
    ) -> Pin<Box<dyn Future<Output = BTreeSet<Digest>> + 'a>>;
}

/// A place that blobs can be read from.
#[derive(Debug, Clone)]
pub struct Source<'a, R> {
    /// The registry.
    pub registry: &'a R,
    /// What it takes; strangers are asked with none.
    pub credential: Option<&'a Credential>,
    /// An image of the repository.
    pub image: ImageRef,
}

/// How a blob came to be in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// It was there.
    ThereAlready,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was read elsewhere and sent.
    Sent,
}

/// The way to registries other than the run's own, for base images.
pub trait Elsewhere<R> {
    /// A client of this registry, and what it is asked with.
    fn open<'f>(&'f self, host: &'f RegistryHost) -> Opening<'f, R>;
}

/// A client that is on its way.
pub type Opening<'f, R> = Pin<Box<dyn Future<Output = Result<Door<R>, ServiceError>> + 'f>>;

/// A registry that is open to be read.
#[derive(Debug, Clone)]
pub struct Door<R> {
    /// The client.
    pub registry: Arc<R>,
    /// What it takes.
    pub credential: Option<Credential>,
}

/// How an engine brings images to registries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carriage {
    /// It asks the registry for the digests that it remembers of the layers that it pulled, and compresses what is not
    /// there: true of Docker's graph drivers, false of containerd's store, which keeps layers compressed.
    pub seeds: bool,
    /// It hands out images whose layers are not compressed.
    pub hands_out: bool,
    /// It is on this machine, so that what it hands out crosses no network.
    pub near: bool,
}

/// What an engine knows of an image that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anatomy {
    /// The layers, the lowest first, by the digests of their uncompressed bytes.
    pub diff_ids: Vec<Digest>,
    /// The sum of the sizes of the files in all layers, in bytes.
    pub size: u64,
    /// The same for each layer, where the engine can tell.
    pub sizes: Option<Vec<u64>>,
}
