//! What is known of the images.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bounds::{self, LEFT_OUT, ROOM, one_line};
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
    /// How many lines more there would be.
    more_left_out: usize,
    /// What images are built from, those that were left out included.
    recipes: BTreeSet<Recipe>,
    /// How much of a pipeline file is full.
    full: usize,
}

/// A Dockerfile and a stage, by which images are told apart.
type Recipe = (String, String);

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
        DraftImage { name: name.to_owned(), from: one_line(&from.into()), ..DraftImage::default() }
    }

    fn recipe(&self) -> Recipe {
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

    /// The room that it takes in a pipeline file; `None` if it has no place in one.
    fn room(&self) -> Option<usize> {
        // Where it has no repository yet, that is named after it.
        let words = 2 * self.name.len() + self.from.len() + self.repository.as_ref().map_or(0, String::len);
        // Names of fields and what stands around them.
        let around = 100 + bounds::room(&Value::from(vec![Value::Null; 5]))?;
        self.build
            .iter()
            .try_fold(words + around, |sum, (field, value)| Some(sum + 8 + bounds::key(field)? + bounds::room(value)?))
    }
}

impl Draft {
    /// Adds an image whose fields mean what they say, unless one of the same recipe is there already.
    pub(super) fn add(&mut self, image: DraftImage) {
        self.add_if_new(image, escaped);
    }

    /// As [`Draft::add`], of an image in whose fields a `$` stands before a variable, as it does in a pipeline file.
    pub(super) fn add_with_variables(&mut self, image: DraftImage) {
        self.add_if_new(image, |value| value);
    }

    fn add_if_new(&mut self, mut image: DraftImage, written: fn(Value) -> Value) {
        if !self.recipes.insert(image.recipe()) {
            return;
        }
        image.build = image.build.into_iter().map(|(field, value)| (field, written(value))).collect();
        match image.room() {
            Some(room) if self.take(room) => self.images.push(image),
            _ => self.leave_out(format!("{}: a pipeline file has no room for it", image.from)),
        }
    }

    /// Takes secrets over, as they stand at the top of a Compose file.
    pub(super) fn add_secrets(&mut self, path: &str, secrets: &Value) {
        match bounds::room(secrets) {
            Some(room) if self.take(room) => self.secrets = Some(secrets.clone()),
            _ => self.leave_out(format!("{path}: `secrets`, for which a pipeline file has no room")),
        }
    }

    fn take(&mut self, room: usize) -> bool {
        let fits = self.full + room <= ROOM;
        self.full += if fits { room } else { 0 };
        fits
    }

    /// Whether an image is built from the Dockerfile at this path from the top of the checkout.
    pub(super) fn builds(&self, dockerfile: &str) -> bool {
        let path = normal(dockerfile);
        let first = self.recipes.range((path.clone(), String::new())..).next();
        first.is_some_and(|(known, _)| *known == path)
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
        if self.left_out.len() < LEFT_OUT {
            self.left_out.push(one_line(&what.into()));
        } else {
            self.more_left_out += 1;
        }
    }

    /// Gives what has no repository one, and makes every name and every repository the only one of its kind.
    pub(super) fn finish(&mut self, project: &str) {
        let alone = self.images.len() == 1;
        let project = repository_name(project).unwrap_or_else(|| "app".to_owned());
        let (mut names, mut repositories) = (BTreeSet::new(), BTreeSet::new());
        for image in &mut self.images {
            let name = repository_name(&image.name).unwrap_or_else(|| "image".to_owned()).replace('/', "-");
            image.name = unique(&name, &mut names);
            let default = if alone { project.clone() } else { format!("{project}/{}", image.name) };
            let given = image.repository.take().and_then(|given| repository_name(&given));
            image.repository = Some(unique(&given.unwrap_or(default), &mut repositories));
        }
        if self.more_left_out > 0 {
            self.left_out.push(format!("{} more", self.more_left_out));
        }
    }
}

/// Read as a pipeline file, it says what it says: no variable is looked for.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('$', "$$")),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, escaped(value))).collect(),
        other => other,
    }
}

fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut found = name.to_owned();
    for number in 2.. {
        if !taken.contains(&found) {
            break;
        }
        found = format!("{name}-{number}");
    }
    taken.insert(found.clone());
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
