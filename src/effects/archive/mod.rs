//! Images as the daemon hands them out, read as they come: Docker's own layout, and that of OCI.
//!
//! Layers are the bulk of it and their order is known last, so each is handed on while it is read, by its own digest. In
//! an OCI layout the digest is the file's name; in Docker's own it follows from the name (see [`legacy`]).
//!
//! Source: OCI image specification, "Image Layout"; Docker's `image/spec/v1.2.md`.

mod legacy;
mod pull;

use std::collections::BTreeSet;
use std::io::{self, Read};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::compress::{self, BLOCK, Block};
use crate::execute::ports::Anatomy;
use crate::names::Digest;
use crate::plan::Compression;
use legacy::Legacy;
use pull::Pull;

/// The largest configuration: registries take no larger manifest either.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;

/// How many blocks of a layer may wait for the registry to take them.
const WAITING: usize = 4;

/// What an archive holds that a registry wants.
pub enum Part {
    /// A layer, which is being read.
    Layer(Layer),
    /// The configuration, whole.
    Config(Vec<u8>),
}

/// A layer on its way.
pub struct Layer {
    /// Its compressed blocks, in order.
    pub blocks: mpsc::Receiver<Block>,
    /// What its bytes turned out to be; nothing if they could not be read to the end.
    pub diff_id: oneshot::Receiver<Digest>,
    /// Its size before compression, in bytes.
    pub size: u64,
}

/// How an archive is read.
pub struct Reading {
    /// What it should hold.
    pub anatomy: Anatomy,
    /// The digest of the configuration, which is the image's id.
    pub config: Digest,
    /// The layers that nobody needs.
    pub known: BTreeSet<Digest>,
    /// How layers are compressed.
    pub compression: Compression,
}

/// Reads an archive in a thread of its own; its parts come out as they are met.
///
/// The thread ends early where nobody takes the parts any more.
pub fn read(
    reading: Reading,
    bytes: mpsc::Receiver<io::Result<Bytes>>,
) -> (mpsc::Receiver<Part>, tokio::task::JoinHandle<io::Result<()>>) {
    let (parts, received) = mpsc::channel(1);
    let runtime = Handle::current();
    let thread = tokio::task::spawn_blocking(move || reading.run(Pull::new(bytes), &parts, &runtime));
    (received, thread)
}

impl Reading {
    fn run(&self, bytes: Pull, parts: &mpsc::Sender<Part>, runtime: &Handle) -> io::Result<()> {
        let mut archive = tar::Archive::new(bytes);
        let mut legacy = Legacy::new(&self.anatomy.diff_ids);
        let mut seen = BTreeSet::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let segments: Vec<&str> = path.trim_start_matches("./").split('/').collect();
            let size = entry.size();
            let by_name = |hex: &str| format!("sha256:{hex}").parse::<Digest>().ok();
            match segments[..] {
                ["blobs", "sha256", hex] => {
                    let Some(digest) = by_name(hex) else { continue };
                    if self.anatomy.diff_ids.contains(&digest) {
                        if !self.known.contains(&digest) && seen.insert(digest) {
                            self.layer(&mut entry, size, parts, runtime)?;
                        }
                    } else if digest == self.config {
                        config(&mut entry, size, parts)?;
                    }
                }
                [_, "json"] => legacy.note(&small(&mut entry, size)?),
                [id, "layer.tar"] => match legacy.diff_id(id) {
                    Some(digest) if self.known.contains(digest) || !seen.insert(digest.clone()) => {}
                    // One whose digest does not follow from its name is known by it in the end.
                    Some(_) | None => self.layer(&mut entry, size, parts, runtime)?,
                },
                [name] if name.strip_suffix(".json").and_then(by_name) == Some(self.config.clone()) => {
                    config(&mut entry, size, parts)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn layer(&self, entry: &mut impl Read, size: u64, parts: &mpsc::Sender<Part>, runtime: &Handle) -> io::Result<()> {
        let (blocks, received) = mpsc::channel(WAITING);
        let (found, diff_id) = oneshot::channel();
        parts.blocking_send(Part::Layer(Layer { blocks: received, diff_id, size })).map_err(|_| unwanted())?;
        let mut hash = Sha256::new();
        let mut left = size;
        while left > 0 {
            let mut block = vec![0; usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)];
            entry.read_exact(&mut block)?;
            hash.update(&block);
            left -= block.len() as u64;
            let block = compress::start(self.compression, block, runtime);
            blocks.blocking_send(block).map_err(|_| unwanted())?;
        }
        // Whoever went away meanwhile does not want it.
        let _ = found.send(Digest::from_sha256(hash.finalize().into()));
        Ok(())
    }
}

fn config(entry: &mut impl Read, size: u64, parts: &mpsc::Sender<Part>) -> io::Result<()> {
    parts.blocking_send(Part::Config(small(entry, size)?)).map_err(|_| unwanted())
}

fn small(entry: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if size > LARGEST_CONFIG {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a configuration of {size} bytes")));
    }
    entry.read_to_end(&mut bytes).map(|_| bytes)
}

/// Whoever took the parts has a failure of its own to tell of.
fn unwanted() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes the image any more")
}
