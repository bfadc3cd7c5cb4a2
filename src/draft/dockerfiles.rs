//! Dockerfiles that nothing else names.

use serde_json::json;

use super::{Checkout, Draft, DraftImage, is_dockerfile};

pub(super) fn read(checkout: &Checkout, draft: &mut Draft) {
    let mut paths: Vec<&String> = checkout.paths.iter().filter(|path| is_dockerfile(path)).collect();
    // The nearest to the top first, then by name.
    paths.sort_by_key(|path| (path.matches('/').count(), path.as_str()));
    for path in paths {
        if draft.builds(path) {
            continue;
        }
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let mut image = DraftImage::new(&name_of(folder, file, &checkout.name), path.clone());
        // A folder that is named for its Dockerfiles holds nothing else, so that they are about the folder above.
        let (context, dockerfile) = match folder.rsplit('/').next() {
            Some("docker" | "dockerfiles" | "build" | ".docker") => (parent(folder), path_from(parent(folder), path)),
            _ => (folder, file.to_owned()),
        };
        image.build.push(("context".to_owned(), json!(if context.is_empty() { "." } else { context })));
        if dockerfile != "Dockerfile" {
            image.build.push(("dockerfile".to_owned(), json!(dockerfile)));
        }
        draft.add(image);
    }
}

fn parent(folder: &str) -> &str {
    folder.rsplit_once('/').map_or("", |(above, _)| above)
}

fn path_from(folder: &str, path: &str) -> String {
    path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/').to_owned()
}

/// What an image is called: after what its Dockerfile's name adds, else after its folder, else after the checkout.
fn name_of(folder: &str, file: &str, checkout: &str) -> String {
    let lower = file.to_ascii_lowercase();
    let added = lower.strip_prefix("dockerfile.").or_else(|| lower.strip_suffix(".dockerfile"));
    match (added, folder.rsplit('/').next().filter(|name| !name.is_empty())) {
        (Some(added), _) => added.to_owned(),
        (None, Some("docker" | "dockerfiles" | "build" | ".docker") | None) => checkout.to_owned(),
        (None, Some(folder)) => folder.to_owned(),
    }
}
