//! `outputs:`, the files that a run writes.

use std::path::PathBuf;

use super::build::path;
use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::{Image, ImageUri, Outputs, TaskDefinition};

pub(super) const SCHEMA: Schema = Schema {
    expected: "a map",
    fields: &[
        ("image_definitions", &["image-definitions"]),
        ("image_detail", &["image-detail"]),
        ("task_definition", &["task-definition"]),
        ("image_uri", &["image-uri"]),
    ],
    unsupported: &[],
};

pub(super) const TASK_DEFINITION: Schema = Schema {
    expected: "a map with `template` and `file`",
    fields: &[("template", &[]), ("file", &[])],
    unsupported: &[],
};

/// The spelling that half of the world's pipelines use, and the one that the ECS deploy action looks for.
const IMAGE_DEFINITIONS: [&str; 2] = ["imageDefinitions.json", "imagedefinitions.json"];

impl Outputs {
    /// All files that are written for whatever deploys the images.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let task_definition = self.task_definition.as_ref().map(|definition| &definition.file);
        self.image_definitions.iter().chain(&self.image_detail).chain(task_definition)
    }
}

impl Default for Outputs {
    fn default() -> Self {
        Outputs {
            image_definitions: IMAGE_DEFINITIONS.map(PathBuf::from).to_vec(),
            image_detail: None,
            task_definition: None,
            image_uri: ImageUri::default(),
        }
    }
}

/// Reads the outputs.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Outputs> {
    let fields = SCHEMA.read(field, problems)?;
    let outputs = Outputs::default();
    let read = Outputs {
        image_definitions: fields.read("image_definitions", problems, paths).unwrap_or(outputs.image_definitions),
        image_detail: fields.read("image_detail", problems, path_or_false).flatten(),
        task_definition: fields.read("task_definition", problems, task_definition),
        image_uri: fields.read("image_uri", problems, image_uri).unwrap_or_default(),
    };
    if let (Some(detail), Some(field)) = (&read.image_detail, fields.get("image_detail"))
        && read.image_definitions.contains(detail)
    {
        let message = format!("`{}` and `outputs.image_definitions` name the same file", field.path);
        problems.error(field.span(), message);
    }
    Some(read)
}

/// `imageDetail.json` can name one image only.
pub(super) fn check_detail(outputs: Option<&Field<'_>>, images: &[Image], problems: &mut Problems) {
    let Some(Value::Map(entries)) = outputs.map(|outputs| &outputs.node.value) else { return };
    let detail = entries.iter().find(|entry| matches!(entry.key.value.as_str(), "image_detail" | "image-detail"));
    let Some(detail) = detail.filter(|detail| !is_false(&detail.value.value)) else { return };
    if images.len() > 1 {
        problems.error_with_hint(
            detail.key.span,
            format!("`outputs.image_detail` can name one image, but this pipeline has {}", images.len()),
            "write one pipeline file for each image that is deployed blue/green, and choose it with `-f`",
        );
    }
}

fn is_false(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text == "false")
}

/// One path, several, or `false` for none.
fn paths(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<PathBuf>> {
    if is_false(&field.node.value) {
        return Some(Vec::new());
    }
    let mut paths = Vec::new();
    for item in field.items_or_single(problems)? {
        let Some(path) = path(&item, problems) else { continue };
        if paths.contains(&path) {
            problems.error(item.span(), format!("`{}` gives `{}` again", item.path, path.display()));
        } else {
            paths.push(path);
        }
    }
    Some(paths)
}

fn path_or_false(field: &Field<'_>, problems: &mut Problems) -> Option<Option<PathBuf>> {
    if is_false(&field.node.value) { Some(None) } else { path(field, problems).map(Some) }
}

fn task_definition(field: &Field<'_>, problems: &mut Problems) -> Option<TaskDefinition> {
    let fields = TASK_DEFINITION.read(field, problems)?;
    let (template, file) = (fields.read("template", problems, path), fields.read("file", problems, path));
    if fields.get("template").is_none() || fields.get("file").is_none() {
        problems.error(field.key, format!("`{}` needs `template` and `file`", field.path));
    }
    let (template, file) = (template?, file?);
    if template == file {
        problems.error(field.key, format!("`{}` would write over its own template", field.path));
    }
    Some(TaskDefinition { template, file })
}

fn image_uri(field: &Field<'_>, problems: &mut Problems) -> Option<ImageUri> {
    match field.text(problems)? {
        "digest" => Some(ImageUri::Digest),
        "tag" => Some(ImageUri::Tag),
        other => {
            problems.error(field.span(), format!("`{}` must be `digest` or `tag`, not `{other}`", field.path));
            None
        }
    }
}
