//! `policy:`, who may do what with a repository.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::beside::{Beside, diagnostic, placed};
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::span::Span;
use super::yaml;
use crate::access::{self, Document, Written};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::tree::{Problem, json};

/// The policy of a repository.
#[derive(Debug, Clone, PartialEq)]
pub enum RepositoryPolicy {
    /// In a file of its own, relative to the pipeline file's folder; see [`load_files`](super::load_files).
    File {
        /// The file.
        path: PathBuf,
        /// Where it is named.
        place: Place,
    },
    /// Written out.
    Document(Document),
}

impl Serialize for RepositoryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RepositoryPolicy::File { path, .. } => path.serialize(serializer),
            RepositoryPolicy::Document(document) => document.serialize(serializer),
        }
    }
}

/// Reads a policy file: IAM's JSON, the same as YAML, or the short form. Gives what is odd about it.
pub(super) fn parse_repository_policy(name: &str, bytes: Vec<u8>) -> Result<(Document, Vec<Diagnostic>), Diagnostics> {
    let Beside { source, is_json } = Beside::of(name, bytes)?;
    let node = if is_json {
        json::parse(&source.text).map_err(access_problems)
    } else {
        Ok(placed(&yaml::read(&source)?, &source.text))
    };
    let told = |problems: Vec<Problem>| -> Vec<Diagnostic> {
        problems.into_iter().map(|problem| diagnostic(problem, &source)).collect()
    };
    match node.and_then(|node| access::read(&node)) {
        Ok(Written { document, doubts }) => Ok((document, told(doubts))),
        Err(problems) => {
            Diagnostics::check(told(problems))?;
            // There is no refusal without a problem.
            Err(Diagnostic::input(format!("`{name}` is no repository policy")).into())
        }
    }
}

fn access_problems(unreadable: json::Unreadable) -> Vec<Problem> {
    unreadable.into()
}

/// Reads the field: the short form, IAM's form, its JSON as a text, or the path of a file.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<RepositoryPolicy> {
    let source = Arc::clone(problems.source());
    let (written, inside) = match &field.node.value {
        Value::Text(text) if text.trim_start().starts_with('{') => {
            (json::parse(text).map_err(access_problems).and_then(|node| access::read(&node)), false)
        }
        Value::Text(_) => {
            let path = PathBuf::from(field.text(problems)?);
            return Some(RepositoryPolicy::File { path, place: problems.place(field.span()) });
        }
        Value::Map(_) => (access::read(&placed(field.node, &source.text)), true),
        Value::List(_) | Value::Null | Value::Broken => {
            field.wrong_kind("a policy, `pull` and `push`, or the path of a file", problems);
            return None;
        }
    };
    let whole = problems.place(field.key);
    let told = |problem: Problem| {
        let place = problem.at.as_ref().map(|at| Span::new(at.start, at.end).place(&source));
        let place = place.filter(|_| inside).unwrap_or_else(|| whole.clone());
        let message = format!("`{}`: {}", field.path, problem.message);
        Diagnostic::input(message).at(place).hint_maybe(problem.hint)
    };
    match written {
        Ok(Written { document, doubts }) => {
            doubts.into_iter().for_each(|doubt| problems.add_warning(told(doubt)));
            Some(RepositoryPolicy::Document(document))
        }
        Err(found) => {
            found.into_iter().for_each(|problem| problems.add(told(problem)));
            None
        }
    }
}
