//! Files as those name them who look at a checkout from its top.

use std::path::{Component, Path, PathBuf};

/// The file, named from `top` if it is in there. A relative one is meant from `folder`.
pub fn from_top(file: &Path, folder: &Path, top: Option<&Path>) -> PathBuf {
    let path = without_dots(&folder.join(file));
    let short = top.and_then(|top| path.strip_prefix(without_dots(top)).ok()).map(Path::to_owned);
    short.unwrap_or(path)
}

/// The path without `.` and `..`, by its text alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(component),
        }
    }
    out
}
