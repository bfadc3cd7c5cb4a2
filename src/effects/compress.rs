//! Layers compressed in blocks, so that all cores work on one layer, and none of it is ever whole in memory.
//!
//! Each block becomes a gzip member or a zstd frame of its own; any number of them in a row is one gzip or zstd file
//! (RFC 1952, section 2.2; RFC 8878, section 3). The blocks end at fixed places, so that the same layer gives the same
//! bytes whatever the number of threads.

use std::io;
use std::sync::{Arc, LazyLock};

use libdeflater::{CompressionLvl, Compressor};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::program;
use crate::plan::Compression;

/// The bytes that one thread compresses at a time. Smaller blocks compress worse: by 0.2 % at this size.
pub const BLOCK: usize = 1024 * 1024;

/// One for each core; shared by all images of the run.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(program::cores())));

/// A block that is on its way through a thread.
pub type Block = JoinHandle<io::Result<Vec<u8>>>;

/// Hands a block to a thread, after waiting for one that is free. For a thread that may wait.
pub fn start(compression: Compression, bytes: Vec<u8>, runtime: &Handle) -> Block {
    // The semaphore is never closed; without a turn the block is merely one too many.
    let turn: Option<OwnedSemaphorePermit> = runtime.block_on(Arc::clone(&TURNS).acquire_owned()).ok();
    runtime.spawn_blocking(move || {
        let compressed = block(compression, &bytes);
        drop(turn);
        compressed
    })
}

/// Compresses one block.
///
/// # Errors
/// If the library refuses the level or runs out of memory.
pub fn block(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    match compression {
        Compression::Gzip { level } => {
            let level = CompressionLvl::new(i32::from(level))
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("gzip has no level {level}")))?;
            let mut compressor = Compressor::new(level);
            let mut compressed = vec![0; compressor.gzip_compress_bound(bytes.len())];
            let length = compressor
                .gzip_compress(bytes, &mut compressed)
                .map_err(|error| io::Error::other(format!("a block cannot be compressed: {error}")))?;
            compressed.truncate(length);
            Ok(compressed)
        }
        Compression::Zstd { level } => zstd::bulk::compress(bytes, i32::from(level)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_there_is() {
        for level in 1..=12 {
            assert!(block(Compression::Gzip { level }, b"text").is_ok(), "{level}");
        }
        for level in 1..=19 {
            assert!(block(Compression::Zstd { level }, b"text").is_ok(), "{level}");
        }
        assert!(block(Compression::Gzip { level: 13 }, b"text").is_err());
    }

    #[test]
    fn blocks_hold_no_time_and_no_name() {
        let block = block(Compression::Gzip { level: 6 }, b"text").unwrap();
        // Source: RFC 1952, section 2.3.1: flags, and four bytes of time.
        assert_eq!(block[3..8], [0; 5]);
    }
}
