//! `lifecycle:`, what a repository lets go of; and policy files, which say the same in a file of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Pipeline;
use super::node::{Node, Value};
use super::problems::Problems;
use super::read::Field;
use super::rule::{Rule, RuleKind};
use super::span::Span;
use super::{TagRuleKind, yaml};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::lifecycle::{self, Declared, Policy, Problem, Written, tree};

/// The lifecycle policy of a repository.
#[derive(Debug, Clone, PartialEq)]
pub enum Lifecycle {
    /// In a file of its own, relative to the pipeline file's folder; see [`load_lifecycles`].
    File {
        /// The file.
        path: PathBuf,
        /// Where it is named.
        place: Place,
    },
    /// Written out.
    Policy(Policy),
}

impl Serialize for Lifecycle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Lifecycle::File { path, .. } => path.serialize(serializer),
            Lifecycle::Policy(policy) => policy.serialize(serializer),
        }
    }
}

/// A policy file that was read: the policy, and the places to show.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    /// The policy.
    pub policy: Policy,
    written: Written,
    source: Arc<Source>,
}

impl PolicyFile {
    /// What is valid and odd about it.
    pub fn doubts(&self, declared: Option<&Declared>) -> Vec<Diagnostic> {
        let told = |problem| diagnostic(problem, &self.source);
        lifecycle::doubts(&self.written, declared).into_iter().map(told).collect()
    }
}

/// Reads a policy file: ECR's JSON, the same as YAML, or the short form. A name that ends in `.yaml` or `.yml` is YAML
/// and one that ends in `.json` is JSON; any other is JSON if it can be read so.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_policy(name: &str, bytes: Vec<u8>) -> Result<PolicyFile, Diagnostics> {
    let text = super::file::utf8(name, bytes)?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let source = Arc::new(Source { name: name.to_owned(), text });
    let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let is_json = match extension.as_deref() {
        Some("yaml" | "yml") => false,
        Some("json") => true,
        _ => lifecycle::json::parse(&source.text).is_ok() || yaml::read(&source).is_err(),
    };
    let written = if is_json {
        lifecycle::read_json(&source.text)
    } else {
        lifecycle::read(&tree(&yaml::read(&source)?, &source.text))
    };
    match written {
        Ok(written) => Ok(PolicyFile { policy: written.policy.clone(), written, source }),
        Err(problems) => {
            let told: Vec<Diagnostic> = problems.into_iter().map(|problem| diagnostic(problem, &source)).collect();
            Diagnostics::check(told)?;
            // There is no refusal without a problem.
            Err(Diagnostic::input(format!("`{name}` is no lifecycle policy")).into())
        }
    }
}

/// Reads a file by its path in the pipeline: what the user calls it and its bytes, or why it cannot be read.
pub type ReadFile<'f> = &'f dyn Fn(&Path) -> Result<(String, Vec<u8>), String>;

/// Reads the policy files that the pipeline names, through `read`, and puts the policies in their places.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load_lifecycles(pipeline: &mut Pipeline, read: ReadFile<'_>) -> Result<Vec<Diagnostic>, Diagnostics> {
    let (mut warnings, mut errors): (Vec<Diagnostic>, Vec<Diagnostic>) = (Vec::new(), Vec::new());
    for image in &mut pipeline.images {
        let Some(Lifecycle::File { path, place }) = &image.repository.lifecycle else { continue };
        let loaded = match read(path) {
            Ok((name, bytes)) => parse_policy(&name, bytes),
            Err(cause) => {
                let message = format!("cannot read the lifecycle policy `{}`", path.display());
                Err(Diagnostic::input(message).caused_by(cause).at(place.clone()).into())
            }
        };
        match loaded {
            Ok(file) => {
                warnings.extend(
                    file.doubts(None).into_iter().filter(|doubt| !warnings.contains(doubt)).collect::<Vec<_>>(),
                );
                image.repository.lifecycle = Some(Lifecycle::Policy(file.policy));
            }
            Err(found) => {
                let new: Vec<Diagnostic> = found.iter().filter(|error| !errors.contains(error)).cloned().collect();
                errors.extend(new);
            }
        }
    }
    Diagnostics::check(errors)?;
    Ok(warnings)
}

/// What the pipeline says of the tags in its repositories: environments, and tags that are written out.
pub fn declared_tags(pipeline: &Pipeline) -> Declared {
    let environments = pipeline.environments.iter().map(|environment| environment.name.to_string());
    let literal = pipeline.images.iter().flat_map(|image| &image.tags).filter_map(|rule| match &rule.kind {
        TagRuleKind::Literal(tag) => Some(tag.to_string()),
        TagRuleKind::Preset(super::Preset::Latest) => Some("latest".to_owned()),
        TagRuleKind::Rule(rule) => plain(rule),
        TagRuleKind::Preset(_) => None,
    });
    let mut release_tags: Vec<String> = Vec::new();
    for tag in environments.chain(literal) {
        if !release_tags.contains(&tag) {
            release_tags.push(tag);
        }
    }
    Declared { release_tags }
}

/// The tag of a `type=raw` rule that is the same in every run.
fn plain(rule: &Rule) -> Option<String> {
    match &rule.kind {
        RuleKind::Raw { value } if rule.prefix.is_none() && rule.suffix.is_none() && !value.text.contains("{{") => {
            Some(value.text.clone())
        }
        _ => None,
    }
}

/// Reads the field: the short form, ECR's form, its JSON as a text, or the path of a file.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Lifecycle> {
    let source = Arc::clone(problems.source());
    let place = |problem: &Problem| problem.at.as_ref().map(|at| Span::new(at.start, at.end).place(&source));
    let (written, inside) = match &field.node.value {
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => (lifecycle::read_json(text), false),
        Value::Text(_) => {
            let path = PathBuf::from(field.text(problems)?);
            return Some(Lifecycle::File { path, place: problems.place(field.span()) });
        }
        Value::List(_) | Value::Map(_) => (lifecycle::read(&tree(field.node, &source.text)), true),
        Value::Null | Value::Broken => {
            field.wrong_kind("a list, a policy or the path of one", problems);
            return None;
        }
    };
    let whole = problems.place(field.key);
    let told = |problem: Problem| {
        let place = place(&problem).filter(|_| inside).unwrap_or_else(|| whole.clone());
        let message = format!("`{}`: {}", field.path, problem.message);
        let diagnostic = Diagnostic::input(message).at(place).hint_maybe(problem.hint);
        problem.service.into_iter().fold(diagnostic, Diagnostic::caused_by)
    };
    match written {
        Ok(written) => {
            for doubt in lifecycle::doubts(&written, None) {
                problems.add_warning(told(doubt));
            }
            Some(Lifecycle::Policy(written.policy))
        }
        Err(found) => {
            for problem in found {
                problems.add(told(problem));
            }
            None
        }
    }
}

fn diagnostic(problem: Problem, source: &Arc<Source>) -> Diagnostic {
    let place = problem.at.map(|at| Span::new(at.start, at.end).place(source));
    let diagnostic = Diagnostic::input(problem.message).hint_maybe(problem.hint).at_maybe(place);
    problem.service.into_iter().fold(diagnostic, Diagnostic::caused_by)
}

/// The same tree with numbers and booleans apart from texts, as JSON has them: in YAML that is what quotes say.
fn tree(node: &Node, source: &str) -> tree::Node {
    let value = match &node.value {
        Value::Null => tree::Value::Null,
        Value::Broken => tree::Value::Broken,
        Value::Text(text) => scalar(text, node.span.text(source)),
        Value::List(items) => tree::Value::List(items.iter().map(|item| tree(item, source)).collect()),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| tree::Entry {
                key: entry.key.value.clone(),
                key_at: entry.key.span.start..entry.key.span.end,
                value: tree(&entry.value, source),
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
