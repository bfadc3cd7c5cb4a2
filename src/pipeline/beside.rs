//! Files beside the pipeline file that say what could stand in it, as JSON or as YAML.

use std::path::Path;
use std::sync::Arc;

use super::lifecycle::{Lifecycle, parse_policy};
use super::node::{Node, Value};
use super::policy::{RepositoryPolicy, parse_repository_policy};
use super::span::Span;
use super::{Pipeline, yaml};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::tree::{self, Problem};

/// The text of such a file.
pub(super) struct Beside {
    pub source: Arc<Source>,
    pub is_json: bool,
}

impl Beside {
    /// A name that ends in `.yaml` or `.yml` is YAML and one that ends in `.json` is JSON; any other is JSON if it can
    /// be read so.
    pub fn of(name: &str, bytes: Vec<u8>) -> Result<Self, Diagnostics> {
        let text = super::file::utf8(name, bytes)?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let source = Arc::new(Source { name: name.to_owned(), text });
        let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let is_json = match extension.as_deref() {
            Some("yaml" | "yml") => false,
            Some("json") => true,
            _ => tree::json::parse(&source.text).is_ok() || yaml::read(&source).is_err(),
        };
        Ok(Beside { source, is_json })
    }
}

/// Reads a file by its path in the pipeline: what the user calls it and its bytes, or why it cannot be read.
pub type ReadFile<'f> = &'f dyn Fn(&Path) -> Result<(String, Vec<u8>), String>;

/// Reads the policy files that the pipeline names, through `read`, and puts the policies in their places. Gives what is
/// odd about them.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load_files(pipeline: &mut Pipeline, read: ReadFile<'_>) -> Result<Vec<Diagnostic>, Diagnostics> {
    let (mut warnings, mut errors) = (Told::default(), Told::default());
    for image in &mut pipeline.images {
        let repository = &mut image.repository;
        if let Some(Lifecycle::File { path, place }) = &repository.lifecycle {
            match bytes("lifecycle policy", path, place, read).and_then(|(name, bytes)| parse_policy(&name, bytes)) {
                Ok(file) => {
                    warnings.add(file.doubts(None));
                    repository.lifecycle = Some(Lifecycle::Policy(file.policy));
                }
                Err(found) => errors.add(found.iter().cloned().collect()),
            }
        }
        if let Some(RepositoryPolicy::File { path, place }) = &repository.policy {
            let read = bytes("repository policy", path, place, read);
            match read.and_then(|(name, bytes)| parse_repository_policy(&name, bytes)) {
                Ok((document, doubts)) => {
                    warnings.add(doubts);
                    repository.policy = Some(RepositoryPolicy::Document(document));
                }
                Err(found) => errors.add(found.iter().cloned().collect()),
            }
        }
    }
    Diagnostics::check(errors.0)?;
    Ok(warnings.0)
}

/// What is told once, also where several images name the same file.
#[derive(Default)]
struct Told(Vec<Diagnostic>);

impl Told {
    fn add(&mut self, found: Vec<Diagnostic>) {
        let new: Vec<Diagnostic> = found.into_iter().filter(|one| !self.0.contains(one)).collect();
        self.0.extend(new);
    }
}

fn bytes(what: &str, path: &Path, place: &Place, read: ReadFile<'_>) -> Result<(String, Vec<u8>), Diagnostics> {
    read(path).map_err(|cause| {
        let message = format!("cannot read the {what} `{}`", path.display());
        Diagnostic::input(message).caused_by(cause).at(place.clone()).into()
    })
}

/// A problem of such a file as it is told.
pub(super) fn diagnostic(problem: Problem, source: &Arc<Source>) -> Diagnostic {
    let place = problem.at.map(|at| Span::new(at.start, at.end).place(source));
    let diagnostic = Diagnostic::input(problem.message).hint_maybe(problem.hint).at_maybe(place);
    problem.service.into_iter().fold(diagnostic, Diagnostic::caused_by)
}

/// The same tree with numbers and booleans apart from texts, as JSON has them: in YAML that is what quotes say.
pub(super) fn placed(node: &Node, source: &str) -> tree::Node {
    let value = match &node.value {
        Value::Null => tree::Value::Null,
        Value::Broken => tree::Value::Broken,
        Value::Text(text) => scalar(text, node.span.text(source)),
        Value::List(items) => tree::Value::List(items.iter().map(|item| placed(item, source)).collect()),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| tree::Entry {
                key: entry.key.value.clone(),
                key_at: entry.key.span.start..entry.key.span.end,
                value: placed(&entry.value, source),
            });
            tree::Value::Map(entries.collect())
        }
    };
    tree::Node { value, at: node.span.start..node.span.end }
}

fn scalar(text: &str, written: &str) -> tree::Value {
    if written.starts_with(['"', '\'', '|', '>', '!']) {
        return tree::Value::Text(text.to_owned());
    }
    match text {
        "true" => tree::Value::Flag(true),
        "false" => tree::Value::Flag(false),
        _ if serde_json::from_str::<serde_json::Number>(text).is_ok() => tree::Value::Number(text.to_owned()),
        _ => tree::Value::Text(text.to_owned()),
    }
}
