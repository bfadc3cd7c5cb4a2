//! A first pipeline file, out of what a checkout has: pure.
//!
//! | stage | type |
//! | --- | --- |
//! | seen | [`Checkout`]: the paths, and the texts of files that say how images are built |
//! | understood | [`Draft`]: the images, each with where it was found |
//! | written | [`pipeline_file`], [`ci::file`] |

mod bake;
mod bounds;
pub mod ci;
mod compose;
mod dockerfiles;
mod image;
mod reference;
#[cfg(test)]
mod tests;
mod workflow;
mod write;
mod yaml;

use std::collections::BTreeMap;

pub use image::{Draft, DraftImage};
pub use write::pipeline_file;

/// What a checkout has. Paths start from its top, with `/` between their parts.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// The name of its folder.
    pub name: String,
    /// Every file that may matter.
    pub paths: Vec<String>,
    /// The texts of those that [`is_read`] chooses.
    pub texts: BTreeMap<String, String>,
    /// The branch that is released from, as far as it is known.
    pub main_branch: Option<String>,
    /// Where the repository is cloned from, as a URL.
    pub origin: Option<String>,
    /// What was not looked at, with the reason, one line each.
    pub unread: Vec<String>,
}

/// The largest file that is read, in bytes. Objects of HCL take time by the square of their fields.
pub const MAX_BYTES: u64 = 128 << 10;

/// The most bytes of all files that are read.
pub const MAX_BYTES_OF_ALL: u64 = 4 << 20;

/// The names under which Compose looks for its file, the preferred first.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// The names under which bake looks for its file.
const BAKE: [&str; 2] = ["docker-bake.hcl", "docker-bake.json"];

/// Whether a file says how images are built.
pub fn is_read(path: &str) -> bool {
    COMPOSE.contains(&path) || BAKE.contains(&path) || is_workflow(path)
}

/// Whether a file builds an image, by its name.
pub fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ignored = name.ends_with(".dockerignore");
    !ignored
        && (matches!(name, "Dockerfile" | "Containerfile")
            || name.starts_with("Dockerfile.")
            || name.to_ascii_lowercase().ends_with(".dockerfile"))
}

fn is_workflow(path: &str) -> bool {
    let below = path.strip_prefix(".github/workflows/");
    below.is_some_and(|name| !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml")))
}

/// Understands a checkout: what bake, Compose and workflows say of images comes first, in this order, and then every
/// Dockerfile that none of them names.
pub fn draft(checkout: &Checkout) -> Draft {
    let mut draft = Draft::default();
    checkout.unread.iter().for_each(|what| draft.leave_out(what));
    for name in BAKE {
        if let Some(text) = checkout.texts.get(name) {
            bake::read(name, text, &mut draft);
        }
    }
    if let Some((name, text)) = COMPOSE.iter().find_map(|name| Some((*name, checkout.texts.get(*name)?))) {
        compose::read(name, text, &mut draft);
    }
    for (path, text) in checkout.texts.iter().filter(|(path, _)| is_workflow(path)) {
        workflow::read(path, text, &mut draft);
    }
    dockerfiles::read(checkout, &mut draft);
    draft.finish(&checkout.name);
    draft
}
