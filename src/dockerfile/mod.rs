//! What a Dockerfile builds on, read without building it: which images, which named contexts, and which inputs that
//! nobody can know beforehand.
//!
//! The rules are those of the Dockerfile reference (docs.docker.com, "Dockerfile reference") as BuildKit applies them.
//! Where a Dockerfile could mean more than is understood here, the answer is that something cannot be known: then the
//! image is built, and the builder says what is wrong, if anything is.

mod expand;
mod lines;
mod mounts;
mod replace;
mod stages;
mod steps;
mod words;

pub use replace::{find, replace_names};
pub use steps::{line_in_error, line_in_warning, line_of_step, without_excerpt};

use std::collections::{BTreeMap, BTreeSet};

use crate::names::Platform;

/// What a Dockerfile is read with.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The stage that is built; the last one if not given.
    pub target: Option<&'a str>,
    /// Build arguments.
    pub args: &'a BTreeMap<String, String>,
    /// What is built for.
    pub platform: &'a Platform,
    /// What is built on.
    pub build_platform: &'a Platform,
    /// The named contexts.
    pub contexts: &'a BTreeSet<String>,
}

/// What the stages that are built take from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// References of images, as they are written, variables expanded.
    pub images: BTreeSet<String>,
    /// Named contexts.
    pub contexts: BTreeSet<String>,
    /// What the stage that is built stands on in the end: one of `images` or `contexts`, whose layers are then the first
    /// of the image. None where that is nothing, or for another platform.
    pub base: Option<String>,
    /// The sources that are copied from the build context, variables expanded.
    pub copies: BTreeSet<String>,
    /// Why the result cannot be told from the inputs, each as what follows the words "its Dockerfile".
    pub unknowable: Vec<String>,
}

/// A Dockerfile that could not be understood; the builder will say more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// Reads a Dockerfile.
///
/// # Errors
/// If it cannot be understood.
pub fn read(text: &str, circumstances: &Circumstances<'_>) -> Result<Recipe, Unreadable> {
    let file = lines::read(text)?;
    let mut recipe = stages::read(&file, circumstances)?;
    let syntax = circumstances.args.get("BUILDKIT_SYNTAX").map(String::as_str).or(file.syntax.as_deref());
    if let Some(syntax) = syntax.filter(|syntax| !is_dockerfile_frontend(syntax)) {
        recipe.unknowable.insert(0, format!("is written for the frontend `{syntax}`"));
    }
    Ok(recipe)
}

/// Whether an image is Docker's own frontend, or a mirror's copy of it.
fn is_dockerfile_frontend(image: &str) -> bool {
    let name = image.split_whitespace().next().unwrap_or_default().split('@').next().unwrap_or_default();
    let mut parts = name.rsplit('/');
    let last = parts.next().unwrap_or_default().split(':').next().unwrap_or_default();
    matches!(last, "dockerfile" | "dockerfile-upstream") && parts.next() == Some("docker")
}

impl Recipe {
    /// Whether a step may copy what is at this path, which is directly in the context's folder.
    pub fn may_copy(&self, name: &str) -> bool {
        self.copies.iter().any(|source| {
            let source = source.trim_start_matches(['/', '.']).trim_start_matches('/');
            let dotted = name.trim_start_matches('.');
            let first = source.split('/').next().unwrap_or_default();
            match first.find(['*', '?', '[', '\\', '$']) {
                None => first.is_empty() || first == dotted,
                Some(wild) => {
                    let last = first.rfind(['*', '?', ']', '\\', '$', '}']).map_or(0, |at| at + 1);
                    dotted.starts_with(&first[..wild]) && (first.contains('$') || dotted.ends_with(&first[last..]))
                }
            }
        })
    }
}
