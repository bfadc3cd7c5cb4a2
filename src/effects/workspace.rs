//! The environment, the current folder, and the files that a run starts from.

use std::io;
use std::path::{Path, PathBuf};

use super::limited;
use crate::facts::Variables;

/// The names under which a pipeline file is looked for, in this order.
pub const PIPELINE_FILES: [&str; 2] = ["longshore.yaml", "longshore.yml"];

/// The environment's variables. Those that are not UTF-8 are left out: no name that we know is among them.
pub fn variables() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The folder that the program was started in.
///
/// # Errors
/// If it was removed in the meantime, or may not be entered.
pub fn current_folder() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// The nearest pipeline file from this folder upwards, up to the top of the git repository; without a git
/// repository only in this folder.
pub fn find_pipeline_file(folder: &Path) -> Option<PathBuf> {
    let in_git = folder.ancestors().any(|ancestor| ancestor.join(".git").exists());
    for ancestor in folder.ancestors() {
        let found = PIPELINE_FILES.iter().map(|name| ancestor.join(name)).find(|path| path.is_file());
        if found.is_some() {
            return found;
        }
        if !in_git || ancestor.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Whether there is such a file.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// The most bytes of a file that is read whole: the description of some 400,000 images has as many.
const MOST: u64 = 256 << 20;

/// A file's bytes.
///
/// # Errors
/// If it cannot be read, or has more than 256 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    limited::read(path, MOST)
}

/// A file's bytes, if there are no more than so many.
///
/// # Errors
/// If it cannot be read, or is larger.
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    limited::read(path, most)
}

/// The bytes of a pipeline file, which may be standard input (`-`).
///
/// # Errors
/// If it cannot be read, or is larger than any pipeline file.
pub fn read_pipeline(path: &Path) -> io::Result<Vec<u8>> {
    let most = crate::pipeline::MAX_BYTES as u64;
    if path == Path::new("-") { limited::all_of(io::stdin().lock(), most) } else { limited::read(path, most) }
}

/// The webhook event that a GitHub workflow runs for, if there is one and it is JSON.
pub fn github_event(variables: &Variables) -> Option<serde_json::Value> {
    let bytes = read(Path::new(variables.get("GITHUB_EVENT_PATH")?)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_pipeline_file_is_found_upwards_within_the_repository() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("repo/a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(top.path().join("longshore.yaml"), "").unwrap();
        assert_eq!(find_pipeline_file(&inner), None, "without git only the folder itself counts");
        fs::create_dir(top.path().join("repo/.git")).unwrap();
        assert_eq!(find_pipeline_file(&inner), None, "the search ends at the repository's top");
        fs::write(top.path().join("repo/longshore.yml"), "").unwrap();
        assert_eq!(find_pipeline_file(&inner), Some(top.path().join("repo/longshore.yml")));
    }
}
