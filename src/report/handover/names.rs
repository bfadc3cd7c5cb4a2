//! The names and values that files of variables hold.

use std::collections::BTreeMap;

use super::{Handed, Handover};

/// `IMAGE_…` for the first image, `IMAGE_<KEY>_…` for each, and which were built and which reused.
///
/// No value needs quotes: lists are separated by commas, which stand in no tag. Names of images may need them.
pub fn pairs(handover: &Handover) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Some(first) = handover.images.first() {
        pairs.extend(of_image("IMAGE", first));
    }
    for image in &handover.images {
        pairs.extend(of_image(&format!("IMAGE_{}", key(&image.name)), image));
    }
    pairs.push(("IMAGES_BUILT".to_owned(), handover.named(false).join(",")));
    pairs.push(("IMAGES_REUSED".to_owned(), handover.named(true).join(",")));
    pairs
}

fn of_image<'a>(start: &str, image: &'a Handed) -> impl Iterator<Item = (String, String)> + use<'a> {
    let tags: Vec<&str> = image.tags.iter().map(crate::names::Tag::as_str).collect();
    let values = [
        ("URI", image.uri.to_string()),
        ("REGISTRY", image.registry.to_string()),
        ("REPOSITORY", image.repository.to_string()),
        ("TAG", tags.first().copied().unwrap_or_default().to_owned()),
        ("TAGS", tags.join(",")),
        ("DIGEST", image.digest.to_string()),
    ];
    let start = start.to_owned();
    values.into_iter().map(move |(what, value)| (format!("{start}_{what}"), value))
}

/// Images whose variables would have the same names, each pair with the name that they share.
pub fn clashes<'a>(images: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str, String)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut clashes = Vec::new();
    for image in images {
        match seen.get(&key(image)) {
            Some(first) => clashes.push((*first, image, format!("IMAGE_{}_URI", key(image)))),
            None => {
                seen.insert(key(image), image);
            }
        }
    }
    clashes
}

/// An image's key as part of a variable's name: in capitals, with `_` for what a name may not hold.
fn key(image: &str) -> String {
    image.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_differ_in_what_variables_cannot_show() {
        let found = clashes(["web-a", "db", "web_a", "Web.a"].into_iter());
        let name = || "IMAGE_WEB_A_URI".to_owned();
        assert_eq!(found, [("web-a", "web_a", name()), ("web-a", "Web.a", name())]);
    }
}
