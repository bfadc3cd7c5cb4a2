//! What the CI system says about the job, in its environment.

mod codebuild;
mod github;
mod jenkins;

use serde_json::Value;

use super::{Commit, Known, Refs, Variables};

/// What a CI system says about the job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CiFacts {
    /// The system's name.
    pub system: Option<&'static str>,
    /// The commit.
    pub commit: Option<Known<Commit>>,
    /// What is being built.
    pub refs: Refs,
    /// The system would have said so if there were more to `refs`; git is not asked.
    pub refs_complete: bool,
    /// Where the source lives, as a URL for browsers.
    pub source_url: Option<Known<String>>,
}

impl CiFacts {
    /// Reads the environment of the first system that is recognised.
    ///
    /// The order matters: CodeBuild can host runners of other systems, whose variables then say more.
    /// `event` is the file at `GITHUB_EVENT_PATH`, where there is one.
    pub fn read(variables: &Variables, event: Option<&Value>) -> Option<Self> {
        let is_set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        if variables.get("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            Some(github::read(variables, event))
        } else if is_set("JENKINS_URL") {
            Some(jenkins::read(variables))
        } else if is_set("CODEBUILD_BUILD_ID") {
            Some(codebuild::read(variables))
        } else {
            None
        }
    }
}

/// The variable with its name as the source, if it is set and not empty.
fn known(variables: &Variables, name: &str) -> Option<Known<String>> {
    variables.get(name).filter(|value| !value.is_empty()).map(|value| Known::new(value.clone(), name))
}

/// The variable as a commit, if it holds a commit.
fn known_commit(variables: &Variables, name: &str) -> Option<Known<Commit>> {
    let commit = Commit::parse(variables.get(name)?)?;
    Some(Known::new(commit, name))
}

/// The variable as the address of a page, if it holds the address of a git repository.
fn known_page(variables: &Variables, name: &str) -> Option<Known<String>> {
    let page = super::browsable_url(variables.get(name)?)?;
    Some(Known::new(page, name))
}

#[cfg(test)]
fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_laptop_is_no_ci() {
        assert_eq!(CiFacts::read(&variables(&[("HOME", "/root"), ("JENKINS_URL", "")]), None), None);
    }

    #[test]
    fn a_github_runner_inside_codebuild_is_github() {
        let both = variables(&[("GITHUB_ACTIONS", "true"), ("CODEBUILD_BUILD_ID", "p:1")]);
        assert_eq!(CiFacts::read(&both, None).and_then(|ci| ci.system), Some("GitHub Actions"));
    }
}
