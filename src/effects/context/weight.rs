//! How much a context holds, and what of it is the most.

use std::path::{Path, PathBuf};

/// From how many bytes on a context is so large that it is worth a word.
const LARGE: u64 = 500_000_000;

/// How many of its files are named then.
const NAMED: usize = 10;

/// The sum of the files of a context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    bytes: u64,
    /// The largest files, the largest first; never more than [`NAMED`].
    largest: Vec<(u64, PathBuf)>,
}

impl Weight {
    /// Adds a file of this size in bytes.
    pub fn add(&mut self, path: &Path, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        let place = self.largest.partition_point(|(known, _)| *known >= bytes);
        if place < NAMED {
            self.largest.truncate(NAMED - 1);
            self.largest.insert(place, (bytes, path.to_owned()));
        }
    }

    /// All files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The largest files with their sizes in bytes, if all together are large.
    pub fn too_much(&self) -> Option<&[(u64, PathBuf)]> {
        (self.bytes > LARGE).then_some(&self.largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first() {
        let mut weight = Weight::default();
        for size in 0..30 {
            weight.add(Path::new(&size.to_string()), (size * 7) % 30);
        }
        assert_eq!(weight.too_much(), None);
        weight.add(Path::new("big"), LARGE);
        let sizes: Vec<u64> = weight.too_much().unwrap().iter().map(|(size, _)| *size).collect();
        assert_eq!(sizes, [LARGE, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
        assert_eq!(weight.bytes(), LARGE + (0..30).sum::<u64>());
    }
}
