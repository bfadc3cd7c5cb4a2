//! `images:`, and what must hold between them.

use std::collections::BTreeMap;

use super::Image;
use super::build::Given;
use super::image::ImagePart;
use super::needs::Needs;
use super::problems::Problems;
use super::read::Field;
use super::span::Span;
use crate::names::RepositoryName;

/// Reads all images, each over the defaults.
pub(super) fn read(field: &Field<'_>, defaults: &ImagePart, given: &Given<'_>, problems: &mut Problems) -> Vec<Image> {
    let Some(entries) = field.entries(problems) else { return Vec::new() };
    if entries.is_empty() {
        problems.error_with_hint(field.key, "`images` is empty", "name at least one image");
    }
    let mut images = Images::default();
    let mut needs = Needs::default();
    for (entry, field) in entries {
        let at = entry.key.span;
        let name = &entry.key.value;
        let part = ImagePart::read(&field, given, problems).map(|part| part.over(defaults));
        needs.add(name, part.as_ref().map(ImagePart::needs).unwrap_or_default());
        if let Some(image) = part.and_then(|part| part.finish(name, at, problems)) {
            images.add(image, at, problems);
        }
    }
    needs.check(problems);
    images.all
}

#[derive(Default)]
struct Images {
    all: Vec<Image>,
    by_repository: BTreeMap<RepositoryName, String>,
    by_container: BTreeMap<String, String>,
}

impl Images {
    fn add(&mut self, image: Image, at: Span, problems: &mut Problems) {
        let name = &image.name;
        let repository = &image.repository.name;
        if let Some(first) = self.by_repository.get(repository) {
            problems.error_at(
                image.repository.place.clone(),
                format!("images `{first}` and `{name}` have the same repository, `{repository}`"),
                "give each image a repository of its own; in one, the tags of one would overwrite those of the other",
            );
        }
        self.by_repository.entry(repository.clone()).or_insert_with(|| name.clone());

        let container = &image.container;
        if let Some(first) = self.by_container.get(container) {
            let message = format!("images `{first}` and `{name}` have the same container, `{container}`");
            problems.warn(at, message, "in imageDefinitions.json only one of them can be meant; set `container`");
        } else if !is_container_name(container) {
            let message = format!("image `{name}`: `{container}` cannot be the name of a container in ECS");
            problems.warn(at, message, "set `container` to its name in the task definition");
        }
        self.by_container.entry(container.clone()).or_insert_with(|| name.clone());
        self.all.push(image);
    }
}

/// Source: ECS API, `ContainerDefinition`, "name".
fn is_container_name(text: &str) -> bool {
    text.len() <= 255 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
