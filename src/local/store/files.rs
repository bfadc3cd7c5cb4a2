//! Files that are either wholly there or not there at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Temporary files begin with this; whoever lists a folder passes them over.
const TEMPORARY: &str = ".";

/// Writes a file beside its final name, makes it durable and renames it into place.
pub fn write_atomically(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.as_file().sync_data()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// Makes durable what a folder lists.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a file that may be gone already.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names in a folder, after removing what an unfinished write left there.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with(TEMPORARY) => remove(&entry.path())?,
            Ok(name) => names.push(name),
            Err(_) => {}
        }
    }
    Ok(names)
}

/// Makes a folder empty, creating it where it is missing.
pub fn empty_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("name");
        write_atomically(&file, &[b"first"]).unwrap();
        write_atomically(&file, &[b"sec", b"ond"]).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert_eq!(names(folder.path()).unwrap(), ["name"]);
    }

    #[test]
    fn unfinished_writes_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".abc"), b"half").unwrap();
        assert!(names(folder.path()).unwrap().is_empty());
        assert!(!folder.path().join(".abc").exists());
    }
}
