use serde::Serialize;

use super::Known;

/// What is being built: a branch, tags, a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refs {
    /// The branch.
    pub branch: Option<Known<String>>,
    /// The git tags, without `refs/tags/`.
    pub tags: Vec<Known<String>>,
    /// The number of the pull request; with `/head` after it where that, and not the merge, is built.
    pub pull_request: Option<Known<String>>,
}

impl Refs {
    /// Nothing is known to be built.
    pub fn is_empty(&self) -> bool {
        self.branch.is_none() && self.tags.is_empty() && self.pull_request.is_none()
    }

    /// This branch is being built.
    pub fn branch(branch: Known<String>) -> Self {
        Refs { branch: Some(branch), ..Refs::default() }
    }

    /// This git tag is being built.
    pub fn tag(tag: Known<String>) -> Self {
        Refs { tags: vec![tag], ..Refs::default() }
    }

    /// The pull request of this number is being built.
    pub fn pull_request(number: Known<String>) -> Self {
        Refs { pull_request: Some(number), ..Refs::default() }
    }

    /// The ref with the given full name, as in `refs/heads/main`; none if it is not one that we know.
    pub fn from_full_name(name: &str, source: &str) -> Self {
        let known = |name: &str| Known::new(name.to_owned(), source);
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            Self::branch(known(branch))
        } else if let Some(tag) = name.strip_prefix("refs/tags/") {
            Self::tag(known(tag))
        } else if let Some(rest) = name.strip_prefix("refs/pull/") {
            Self::pull_request(known(rest.strip_suffix("/merge").unwrap_or(rest)))
        } else {
            Refs::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names() {
        let number = |name: &str| Refs::from_full_name(name, "x").pull_request.map(|known| known.value);
        assert_eq!(number("refs/pull/7/merge").as_deref(), Some("7"));
        assert_eq!(number("refs/pull/7/head").as_deref(), Some("7/head"));
        assert_eq!(Refs::from_full_name("refs/heads/a/b", "x"), Refs::branch(Known::new("a/b".into(), "x")));
        assert!(Refs::from_full_name("refs/notes/x", "x").is_empty());
    }
}
