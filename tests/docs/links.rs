//! Links lead somewhere.

use std::path::{Component, Path, PathBuf};

use crate::at;
use crate::markdown::{anchors, links, pages};

/// A path with `..` taken back.
fn flat(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut flat, component| {
        match component {
            Component::ParentDir => assert!(flat.pop(), "`{}` leads out of the project", path.display()),
            other => flat.push(other),
        }
        flat
    })
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (line, link) in links(&page) {
            if link.starts_with("https://") {
                continue;
            }
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => PathBuf::from(&page),
                path => flat(&Path::new(&page).with_file_name("").join(path)),
            };
            let target = target.to_string_lossy().into_owned();
            if !at(&target).exists() || !anchor.is_empty() && !anchors(&target).contains(anchor) {
                broken.push(format!("{page}:{line}: `{link}`"));
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
    assert!(count > 30, "only {count} links were found");
}

#[test]
fn the_readme_leads_to_every_page() {
    let linked: Vec<String> = links("README.md").into_iter().map(|(_, link)| link).collect();
    for page in pages().into_iter().filter(|page| page.starts_with("docs/")) {
        assert!(linked.iter().any(|link| link.split('#').next() == Some(&page)), "the README does not lead to {page}");
    }
}
