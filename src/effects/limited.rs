//! Files that are read whole, up to a size: what a user names may be anything, `/dev/zero` included.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A file's bytes, if there are no more than so many.
///
/// # Errors
/// If it cannot be read, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    all_of(File::open(path)?, most)
}

/// All that comes, if it is no more than so many bytes.
///
/// # Errors
/// As [`read`].
pub fn all_of(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let kib = most / 1024;
        let size = if kib < 1024 { format!("{kib} KiB") } else { format!("{} MiB", kib / 1024) };
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {size}")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_too_large() {
        assert_eq!(all_of(&b"four"[..], 4).unwrap(), b"four");
        assert_eq!(all_of(io::repeat(0), 4096).unwrap_err().to_string(), "it is larger than 4 KiB");
        assert_eq!(all_of(io::repeat(0), 2 << 20).unwrap_err().to_string(), "it is larger than 2 MiB");
    }
}
