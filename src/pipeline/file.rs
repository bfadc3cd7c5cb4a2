//! A whole pipeline file: as written, and on its way to what it means.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::build::{self, Given};
use super::fields::{Fields, Schema, is_own};
use super::image::ImagePart;
use super::interpolate::Environment;
use super::node::{Entry, Node, Value};
use super::problems::Problems;
use super::read::Field;
use super::substitute::substitute;
use super::{Pipeline, builders, compose, images, moving, outputs, registry, yaml};
use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::secrecy::{name_tells, value_tells};

pub(super) const SCHEMA: Schema = Schema {
    expected: "a map",
    fields: &[
        ("version", &[]),
        ("registry", &[]),
        ("environments", &[]),
        ("builders", &[]),
        ("defaults", &[]),
        ("images", &[]),
        ("secrets", &[]),
        ("outputs", &[]),
    ],
    unsupported: &[],
};

/// The version of the format that this program reads.
const VERSION: &str = "1";

/// A pipeline file exactly as it is written, each value with its place.
#[derive(Clone)]
pub struct PipelineFile {
    source: Arc<Source>,
    root: Node,
}

impl fmt::Debug for PipelineFile {
    /// Without what is in it, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineFile").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Reads the text of a pipeline file; `name` is what the user calls it.
///
/// # Errors
/// If it is not YAML, is larger than a pipeline needs to be, or has a key twice in one map.
pub fn parse(name: &str, text: String) -> Result<PipelineFile, Diagnostics> {
    // Windows editors put a byte order mark there; no column should count it.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let source = Arc::new(Source { name: name.to_owned(), text });
    let root = yaml::read(&source)?;
    Ok(PipelineFile { source, root })
}

/// Reads the bytes of a pipeline file, like [`parse`].
///
/// # Errors
/// Those of [`parse`], and bytes that are not UTF-8.
pub fn parse_bytes(name: &str, bytes: Vec<u8>) -> Result<PipelineFile, Diagnostics> {
    parse(name, utf8(name, bytes)?)
}

/// The text of a file of the user's.
pub(super) fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Diagnostics> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("`{name}` is not UTF-8: line {line} has a byte that is no character");
            Err(Diagnostic::input(message).hint("save the file as UTF-8").into())
        }
    }
}

impl PipelineFile {
    /// What the file means, and what is odd about it. `environment` looks up variables.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn resolve(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Pipeline, Vec<Diagnostic>), Diagnostics> {
        let mut problems = Problems::of(&self.source);
        let secrets: RefCell<BTreeSet<String>> = RefCell::default();
        let noting = |name: &str| {
            let value = environment(name)?;
            if name_tells(name) || value_tells(&value) {
                secrets.borrow_mut().insert(value.clone());
            }
            Some(value)
        };
        let environment: Environment<'_> = &noting;
        let compose = compose::relevant(&self.root);
        let root = substituted(compose.as_ref().unwrap_or(&self.root), &self.source, environment, &mut problems);
        let pipeline = match compose {
            Some(_) => self.read(&compose::translate(&root, &mut problems), "services", environment, &mut problems),
            None => self.read(&root, "images", environment, &mut problems),
        };
        let warnings = problems.finish_without(&secrets.borrow())?;
        Ok((pipeline, warnings))
    }

    /// `images` is what the user calls them.
    fn read(&self, root: &Node, images: &str, environment: Environment<'_>, problems: &mut Problems) -> Pipeline {
        let mut pipeline = Pipeline {
            version: 1,
            registry: super::Registry::default(),
            environments: Vec::new(),
            builders: Vec::new(),
            images: Vec::new(),
            outputs: super::Outputs::default(),
        };
        let name = &self.source.name;
        let root = Field { path: String::new(), key: root.span, node: root };
        let fields = match &root.node.value {
            Value::Map(_) => SCHEMA.read(&root, problems),
            Value::Null => {
                problems.missing(format!("`{name}` is empty"), "begin with `version: 1`, then name your `images`");
                None
            }
            other => {
                problems.error(root.span(), format!("`{name}` must be a map of fields, not {}", other.kind()));
                None
            }
        };
        let Some(fields) = fields else { return pipeline };
        check_version(&fields, name, problems);
        pipeline.registry = fields.read("registry", problems, registry::registry).unwrap_or_default();
        pipeline.environments = fields.read("environments", problems, registry::environments).unwrap_or_default();
        let secrets = fields.read("secrets", problems, build::definitions).unwrap_or_default();
        let given = Given { environment, secrets: &secrets };
        pipeline.builders = fields.read("builders", problems, builders::read).unwrap_or_default();
        let defaults = fields
            .get("defaults")
            .map_or_else(ImagePart::default, |field| ImagePart::read_defaults(field, &given, problems));
        match fields.get("images") {
            Some(field) => {
                let field = Field { path: images.to_owned(), ..field.clone() };
                pipeline.images = images::read(&field, &defaults, &given, problems);
            }
            None => problems.missing(
                format!("`{name}` has no `images`"),
                "name at least one image, as in `images: { web: { build: . } }`",
            ),
        }
        pipeline.outputs = fields.read("outputs", problems, outputs::read).unwrap_or_default();
        except_what_moves(&mut pipeline, problems);
        outputs::check_detail(fields.get("outputs"), &pipeline.images, problems);
        pipeline
    }
}

/// Fills in `except: auto`.
fn except_what_moves(pipeline: &mut Pipeline, problems: &mut Problems) {
    let Pipeline { images, environments, .. } = pipeline;
    for image in images.iter_mut().filter(|image| image.repository.stated.except_auto) {
        match moving::filters(image, environments) {
            Ok(filters) => image.repository.tag_mutability.except = filters,
            Err(filters) => problems.error_at(
                image.repository.place.clone(),
                format!("`except: auto` of image `{}` takes {} filters, ECR allows 5", image.name, filters.len()),
                format!("give tags that move a common beginning; the filters are {}", filters.join(", ")),
            ),
        }
    }
}

/// Variables in the user's own fields count only where an alias brings them into a field of ours.
fn substituted(root: &Node, source: &Source, environment: Environment<'_>, problems: &mut Problems) -> Node {
    let Value::Map(entries) = &root.value else { return root.clone() };
    let known = entries.iter().filter(|entry| !is_own(entry)).map(|Entry { key, value }| Entry {
        key: key.clone(),
        value: substitute(value, &source.text, environment, problems),
    });
    Node { value: Value::Map(known.collect()), span: root.span }
}

fn check_version(fields: &Fields<'_>, name: &str, problems: &mut Problems) {
    let Some(field) = fields.get("version") else {
        return problems.missing(format!("`{name}` has no `version`"), "write `version: 1` in its first line");
    };
    if let Some(version) = field.text(problems).filter(|version| *version != VERSION) {
        let message = format!("`{name}` is of version `{version}`, which this program does not know");
        problems.error_with_hint(field.span(), message, "write `version: 1`");
    }
}
