//! Images that go from the engine to the registry through our own hands.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::stream::Stream;

use super::{Anatomy, LayerBlob};
use crate::names::Digest;
use crate::plan::Compression;

/// An image as an engine hands it out: a tar archive, as it is made.
pub type Archive = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An image that is to be written to a registry.
pub struct Freight<'a> {
    /// The image.
    pub archive: Archive,
    /// The digest of its configuration, which stays as it is.
    pub config: Digest,
    /// What it is made of.
    pub anatomy: &'a Anatomy,
    /// What its repository has already, by diff id: neither compressed nor sent.
    pub known: Vec<(Digest, LayerBlob)>,
    /// How the other layers are compressed.
    pub compression: Compression,
}
