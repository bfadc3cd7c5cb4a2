//! `lifecycle:`, what a repository lets go of; and policy files, which say the same in a file of their own.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Pipeline;
use super::beside::{Beside, diagnostic, placed};
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::rule::{Rule, RuleKind};
use super::span::Span;
use super::{TagRuleKind, yaml};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::lifecycle::{self, Declared, Policy, Written};
use crate::tree::Problem;

/// The lifecycle policy of a repository.
#[derive(Debug, Clone, PartialEq)]
pub enum Lifecycle {
    /// In a file of its own, relative to the pipeline file's folder; see [`load_files`](super::load_files).
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

/// Reads a policy file: ECR's JSON, the same as YAML, or the short form.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_policy(name: &str, bytes: Vec<u8>) -> Result<PolicyFile, Diagnostics> {
    let Beside { source, is_json } = Beside::of(name, bytes)?;
    let written = if is_json {
        lifecycle::read_json(&source.text)
    } else {
        lifecycle::read(&placed(&yaml::read(&source)?, &source.text))
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
        Value::List(_) | Value::Map(_) => (lifecycle::read(&placed(field.node, &source.text)), true),
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
