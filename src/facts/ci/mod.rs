//! What the CI system says about the job, in its environment.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod codebuild;
mod github;
mod gitlab;
mod jenkins;

use serde_json::Value;
use time::OffsetDateTime;

use super::{Commit, Event, Known, Project, Refs, Variables};

/// What a CI system says about the job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CiFacts {
    /// The system's name.
    pub system: Option<&'static str>,
    /// The system whose machine this is: CodeBuild can run the jobs of others.
    pub machine: Option<&'static str>,
    /// The commit.
    pub commit: Option<Known<Commit>>,
    /// What is being built.
    pub refs: Refs,
    /// The system would have said so if there were more to `refs`; git is not asked.
    pub refs_complete: bool,
    /// The branch that a pull request comes from.
    pub source_branch: Option<Known<String>>,
    /// The branch that a pull request goes to, or that a git tag was made from.
    pub base_branch: Option<Known<String>>,
    /// The repository that a pull request comes from, where it is a fork.
    pub fork: Option<Known<String>>,
    /// The repository's default branch.
    pub default_branch: Option<Known<String>>,
    /// What started the job.
    pub event: Option<Known<Event>>,
    /// When the commit was made.
    pub commit_time: Option<Known<OffsetDateTime>>,
    /// Where the source lives, as a URL for browsers.
    pub source_url: Option<Known<String>>,
    /// What the repository says about itself.
    pub project: Project,
    /// The number that the system gave the build.
    pub build_number: Option<Known<String>>,
    /// The build's page.
    pub build_url: Option<Known<String>>,
}

impl CiFacts {
    /// Reads the environment of the first system that is recognised.
    ///
    /// The order matters: CodeBuild can host runners of other systems, whose variables then say more.
    /// `event` is the file at `GITHUB_EVENT_PATH`, where there is one.
    pub fn read(variables: &Variables, event: Option<&Value>) -> Option<Self> {
        let is_set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        let is_true = |name: &str| variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let facts = if is_true("GITHUB_ACTIONS") || is_set("GITHUB_EVENT_NAME") {
            github::read(variables, event)
        } else if is_set("GITLAB_CI") {
            gitlab::read(variables)
        } else if is_set("BUILDKITE") {
            buildkite::read(variables)
        } else if is_set("CIRCLECI") {
            circleci::read(variables)
        } else if is_set("BITBUCKET_BUILD_NUMBER") {
            bitbucket::read(variables)
        } else if is_true("TF_BUILD") {
            azure::read(variables)
        } else if is_set("JENKINS_URL") {
            jenkins::read(variables)
        } else if is_set("CODEBUILD_BUILD_ID") {
            codebuild::read(variables)
        } else {
            return None;
        };
        let machine = if is_set("CODEBUILD_BUILD_ID") { Some(codebuild::NAME) } else { facts.system };
        Some(CiFacts { machine, ..facts })
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

/// What started the job, where a variable names it; `schedule` is the name that means the time of day.
fn event(variables: &Variables, name: &str, schedule: &str) -> Option<Known<Event>> {
    let known = known(variables, name)?;
    let event = Event { scheduled: known.value == schedule, on_default_branch: false, name: known.value };
    Some(Known::new(event, known.source))
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
        let ci = CiFacts::read(&both, None).unwrap();
        assert_eq!((ci.system, ci.machine), (Some("GitHub Actions"), Some("AWS CodeBuild")));
    }

    #[test]
    fn every_system_is_recognised() {
        for (name, value, system) in [
            ("GITLAB_CI", "true", "GitLab CI"),
            ("BUILDKITE", "true", "Buildkite"),
            ("CIRCLECI", "true", "CircleCI"),
            ("BITBUCKET_BUILD_NUMBER", "1", "Bitbucket Pipelines"),
            ("TF_BUILD", "True", "Azure Pipelines"),
            ("JENKINS_URL", "https://ci.example.com", "Jenkins"),
            ("CODEBUILD_BUILD_ID", "p:1", "AWS CodeBuild"),
        ] {
            let environment = variables(&[(name, value), ("CI", "true")]);
            assert_eq!(CiFacts::read(&environment, None).and_then(|ci| ci.system), Some(system));
        }
    }
}
