//! What is known of the images.

use serde_json::Value;

use super::reference::{Reference, repository_name};

/// What a pipeline file could say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The images, in the order in which they were found.
    pub images: Vec<DraftImage>,
    /// The registry that the images went to, where it is one of ECR's.
    pub account: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Secrets that the images name, as Compose has them at the top.
    pub secrets: Option<Value>,
    /// What was seen and not taken over, one line each.
    pub left_out: Vec<String>,
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DraftImage {
    /// Its name in the pipeline file.
    pub name: String,
    /// Where it was found.
    pub from: String,
    /// The fields of its build, in the order in which they are written.
    pub build: Vec<(String, Value)>,
    /// Its repository, without the registry.
    pub repository: Option<String>,
    /// Tags that are none of the usual rules.
    pub tags: Vec<String>,
}

impl DraftImage {
    /// An image of this name, found there.
    pub fn new(name: &str, from: impl Into<String>) -> Self {
        DraftImage { name: name.to_owned(), from: from.into(), ..DraftImage::default() }
    }

    /// The Dockerfile and the stage that it is built from, by which images are told apart.
    fn recipe(&self) -> (String, String) {
        let text = |name: &str| {
            let field = self.build.iter().find(|(known, _)| known == name);
            field.and_then(|(_, value)| value.as_str()).unwrap_or_default().to_owned()
        };
        let context = text("context");
        let context = if context.is_empty() { "." } else { &context };
        let file = text("dockerfile");
        let file = if file.is_empty() { "Dockerfile" } else { &file };
        (normal(&format!("{context}/{file}")), text("target"))
    }

    /// The path of its Dockerfile from the top of the checkout.
    pub fn dockerfile(&self) -> String {
        self.recipe().0
    }
}

impl Draft {
    /// Adds an image, unless one of the same recipe is there already.
    pub(super) fn add(&mut self, image: DraftImage) {
        if !self.images.iter().any(|known| known.recipe() == image.recipe()) {
            self.images.push(image);
        }
    }

    /// Takes registry and repository of a reference over.
    pub(super) fn note(&mut self, image: &mut DraftImage, reference: &str) {
        let Some(Reference { ecr, repository, .. }) = Reference::read(reference) else { return };
        if let Some((account, region)) = ecr {
            self.account.get_or_insert(account);
            self.region.get_or_insert(region);
        }
        image.repository.get_or_insert(repository);
    }

    /// Says of something why it is not taken over.
    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Gives what has no repository one, and makes every name and every repository the only one of its kind.
    pub(super) fn finish(&mut self, project: &str) {
        let alone = self.images.len() == 1;
        let project = repository_name(project).unwrap_or_else(|| "app".to_owned());
        let (mut names, mut repositories) = (Vec::new(), Vec::new());
        for image in &mut self.images {
            let name = repository_name(&image.name).unwrap_or_else(|| "image".to_owned()).replace('/', "-");
            image.name = unique(&name, &mut names);
            let default = if alone { project.clone() } else { format!("{project}/{}", image.name) };
            let given = image.repository.take().and_then(|given| repository_name(&given));
            image.repository = Some(unique(&given.unwrap_or(default), &mut repositories));
        }
    }
}

fn unique(name: &str, taken: &mut Vec<String>) -> String {
    let mut found = name.to_owned();
    for number in 2.. {
        if !taken.contains(&found) {
            break;
        }
        found = format!("{name}-{number}");
    }
    taken.push(found.clone());
    found
}

/// A path without `.` and empty parts.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
