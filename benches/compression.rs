//! How fast layers are compressed, and how small they get: `make bench` says it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "it measures, and tells")]

use std::time::Instant;

use longshore::effects::compress::{self, BLOCK};
use longshore::plan::Compression;

/// Programs and libraries of this machine, which are what most of a base image is.
fn sample() -> Vec<u8> {
    let mut files: Vec<_> =
        std::fs::read_dir("/usr/bin").unwrap().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut bytes = Vec::new();
    for file in files.iter().filter(|file| file.is_file() && !file.is_symlink()) {
        bytes.extend(std::fs::read(file).unwrap_or_default());
        if bytes.len() > 64 << 20 {
            break;
        }
    }
    bytes
}

fn main() {
    let bytes = sample();
    let megabytes = bytes.len() as f64 / 1e6;
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let levels = [1, 4, 6, 9].map(|level| Compression::Gzip { level });
    for compression in levels.into_iter().chain([1, 3].map(|level| Compression::Zstd { level })) {
        let began = Instant::now();
        let blocks: Vec<_> =
            bytes.chunks(BLOCK).map(|block| compress::start(compression, block.to_vec(), runtime.handle())).collect();
        let size: usize = blocks.into_iter().map(|block| runtime.block_on(block).unwrap().unwrap().len()).sum();
        let speed = megabytes / began.elapsed().as_secs_f64();
        println!("{compression:?}: {megabytes:.0} MB at {speed:.0} MB/s, {:.1} % left", size as f64 / megabytes / 1e4);
    }
}
