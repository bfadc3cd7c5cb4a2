//! Who may do what with a repository: policies of a resource as IAM knows them, checked, translated and compared. Pure.
//!
//! Source: IAM user guide, "Grammar of the IAM JSON policy language"; ECR user guide, "Private repository policies".

mod actions;
mod compare;
mod grammar;
mod principal;
mod short;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::tree::{Node, Problem, Problems, sorted};

pub use actions::{PULL, PUSH};

/// The longest text of a repository policy, in characters. Source: ECR API model, `RepositoryPolicyText`.
pub const MAX_TEXT: usize = 10_240;

/// A repository policy that ECR takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Value);

impl Document {
    /// Its JSON.
    pub fn to_json(&self) -> &Value {
        &self.0
    }

    /// The text that ECR is given: JSON without white space.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Whether a policy as ECR gives it back means the same. ECR writes policies anew: neither the order nor white space
    /// counts, nor whether one text stands in a list of its own.
    pub fn means_the_same(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|other: Value| compare::normal(&other) == compare::normal(&self.0))
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A policy that was read, and what is valid and odd about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The policy.
    pub document: Document,
    /// What is odd, in the order of the text.
    pub doubts: Problems,
}

/// Reads a repository policy in IAM's own form, or in the short form `{ pull: […], push: […] }`.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn read(node: &Node) -> Result<Written, Problems> {
    let (mut problems, mut doubts) = (Problems::new(), Problems::new());
    let value = if short::is_meant(node) {
        short::read(node, &mut problems)
    } else {
        grammar::check(node, &mut problems, &mut doubts);
        plain(node)
    };
    let document = Document(value);
    let length = document.to_text().chars().count();
    if problems.is_empty() && length > MAX_TEXT {
        problems.push(
            Problem::of_all(format!(
                "the policy is too long: its text has {length} characters without white space, ECR takes at most {MAX_TEXT}"
            ))
            .hint("say it of many principals at once, as by the organization's id"),
        );
    }
    if problems.is_empty() { Ok(Written { document, doubts: sorted(doubts) }) } else { Err(sorted(problems)) }
}

/// The same without places. Numbers become texts, as IAM itself reads them.
fn plain(node: &Node) -> Value {
    use crate::tree::Value as Tree;
    match &node.value {
        Tree::Null | Tree::Broken => Value::Null,
        Tree::Flag(flag) => Value::Bool(*flag),
        Tree::Number(text) | Tree::Text(text) => Value::String(text.clone()),
        Tree::List(items) => Value::Array(items.iter().map(plain).collect()),
        Tree::Map(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy whose text has so many characters.
    fn of_length(length: usize) -> Result<Written, Problems> {
        let text = |sid: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}}]}}"#
            )
        };
        let sid = "s".repeat(length - text("").chars().count());
        read(&crate::tree::json::parse(&text(&sid)).unwrap())
    }

    #[test]
    fn the_limit_is_that_of_ecr_to_the_character() {
        assert_eq!(of_length(10_240).unwrap().document.to_text().chars().count(), 10_240);
        let problems = of_length(10_241).unwrap_err();
        assert!(problems[0].message.contains("has 10241 characters"), "{}", problems[0].message);
    }
}
