//! What stands in a key for the contexts that are no folder of the image's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::effects::context::ContextError;
use crate::effects::fingerprint::{self, Fingerprint};
use crate::key;
use crate::names::Digest;
use crate::pipeline::{ContextSource, Image, NamedContext, pinned_commit};
use crate::secrecy::without_secrets;

/// An image of no layers, which is in no registry.
const SCRATCH: &str = "scratch";

/// What was found out.
#[derive(Default)]
pub(super) struct Origins {
    pub origin: Option<String>,
    pub named: BTreeMap<String, String>,
    pub unknowable: Vec<String>,
}

/// The images in registries that the named contexts of an image are.
pub(super) fn references(image: &Image) -> impl Iterator<Item = &String> {
    image.build.additional_contexts.values().filter_map(|context| match context {
        NamedContext::Image(reference) if reference != SCRATCH => Some(reference),
        NamedContext::Planned(_) | NamedContext::Image(_) | NamedContext::Folder(_) | NamedContext::Remote(_) => None,
    })
}

/// Finds out about the contexts of an image. `folders` are those of its named contexts that are folders.
///
/// # Errors
/// If an archive cannot be read.
pub(super) fn find(
    image: &Image,
    root: &Path,
    folders: &BTreeMap<String, Fingerprint>,
    digests: &BTreeMap<String, Result<Digest, String>>,
    guarded: &BTreeSet<String>,
) -> Result<Origins, ContextError> {
    let mut found = Origins::default();
    match &image.build.context {
        ContextSource::Folder(_) => {}
        ContextSource::Archive(file) => found.origin = Some(fingerprint::file(&root.join(file))?.to_string()),
        ContextSource::Stdin => found.unknowable.push("its context comes from standard input".into()),
        ContextSource::Remote(url) => found.origin = remote("its context", url, &mut found.unknowable),
    }
    for (name, context) in &image.build.additional_contexts {
        let what = match context {
            NamedContext::Planned(_) => None,
            NamedContext::Image(reference) if reference == SCRATCH => Some(SCRATCH.to_owned()),
            NamedContext::Image(reference) => base(name, reference, digests, guarded, &mut found.unknowable),
            NamedContext::Folder(_) => {
                folders.get(name).map(|folder| key::folder(&folder.files, folder.checkout.as_ref()).to_string())
            }
            NamedContext::Remote(url) => remote(&format!("its context `{name}`"), url, &mut found.unknowable),
        };
        found.named.extend(what.map(|what| (name.clone(), what)));
    }
    Ok(found)
}

fn base(
    name: &str,
    reference: &str,
    digests: &BTreeMap<String, Result<Digest, String>>,
    guarded: &BTreeSet<String>,
    unknowable: &mut Vec<String>,
) -> Option<String> {
    match digests.get(reference) {
        Some(Ok(digest)) if !guarded.contains(reference) => return Some(digest.to_string()),
        Some(Ok(_)) => unknowable.push(format!(
            "its context `{name}`, the image `{reference}`, needs a credential of the docker configuration, which the \
             builder is not given"
        )),
        Some(Err(problem)) => {
            unknowable.push(format!("its context `{name}`, the image `{reference}`, is not known: {problem}"));
        }
        None => unknowable.push(format!(
            "its context `{name}`, the image `{reference}`, is made by this very pipeline; name it as in `image:KEY`"
        )),
    }
    None
}

/// A URL stands for itself only where it names a commit.
fn remote(whose: &str, url: &str, unknowable: &mut Vec<String>) -> Option<String> {
    let shown = without_secrets(url);
    if pinned_commit(url).is_none() {
        unknowable.push(format!(
            "{whose}, `{shown}`, may hold something else each time; a git URL with a full commit after `#` does not"
        ));
        return None;
    }
    Some(shown)
}
