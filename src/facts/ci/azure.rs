//! Source: Azure Pipelines documentation, "Use predefined variables"; the environment has them in capitals, with `_`
//! for dots.

use super::{CiFacts, event, known, known_commit, known_page};
use crate::facts::{Known, Project, Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let name = "BUILD_SOURCEBRANCH";
    let refs = Refs::from_full_name(variables.get(name).map_or("", String::as_str), name);
    let from_fork = variables.get("SYSTEM_PULLREQUEST_ISFORK").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let from = known_page(variables, "SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI")
        .unwrap_or_else(|| Known::new("another repository".to_owned(), "SYSTEM_PULLREQUEST_ISFORK"));
    CiFacts {
        system: Some("Azure Pipelines"),
        commit: known_commit(variables, "BUILD_SOURCEVERSION"),
        source_branch: branch(variables, "SYSTEM_PULLREQUEST_SOURCEBRANCH"),
        base_branch: branch(variables, "SYSTEM_PULLREQUEST_TARGETBRANCH"),
        fork: from_fork.then_some(from),
        event: event(variables, "BUILD_REASON", "Schedule"),
        refs,
        refs_complete: true,
        source_url: known_page(variables, "BUILD_REPOSITORY_URI"),
        project: Project {
            name: known(variables, "BUILD_REPOSITORY_NAME").map(|mut name| {
                // GitHub's repositories are named with their owner.
                name.value = name.value.rsplit('/').next().unwrap_or_default().to_owned();
                name
            }),
            ..Project::default()
        },
        build_number: known(variables, "BUILD_BUILDNUMBER"),
        build_url: build_url(variables),
        ..CiFacts::default()
    }
}

/// A branch, by its full name for repositories in Azure and by its own for those elsewhere.
fn branch(variables: &Variables, name: &str) -> Option<Known<String>> {
    let mut branch = known(variables, name)?;
    branch.value = branch.value.strip_prefix("refs/heads/").unwrap_or(&branch.value).to_owned();
    Some(branch)
}

fn build_url(variables: &Variables) -> Option<Known<String>> {
    let collection = known(variables, "SYSTEM_COLLECTIONURI").or_else(|| {
        // The older name of the same.
        known(variables, "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
    })?;
    let project = known(variables, "SYSTEM_TEAMPROJECT")?;
    let id = known(variables, "BUILD_BUILDID")?;
    let (collection, project) = (collection.value.trim_end_matches('/').to_owned(), project.value.replace(' ', "%20"));
    Some(Known::new(format!("{collection}/{project}/_build/results?buildId={}", id.value), "BUILD_BUILDID"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn a_scheduled_branch() {
        let facts = read(&variables(&[
            ("BUILD_SOURCEBRANCH", "refs/heads/release/1.2"),
            ("BUILD_SOURCEVERSION", "0123456789abcdef0123456789abcdef01234567"),
            ("BUILD_REASON", "Schedule"),
            ("BUILD_REPOSITORY_NAME", "shop/web"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/shop/"),
            ("SYSTEM_TEAMPROJECT", "The Shop"),
            ("BUILD_BUILDID", "12"),
        ]));
        assert_eq!(facts.refs, Refs::branch(Known::new("release/1.2".into(), "BUILD_SOURCEBRANCH")));
        assert!(facts.commit.is_some() && facts.event.is_some_and(|event| event.value.scheduled));
        assert_eq!(facts.project.name.map(|name| name.value).as_deref(), Some("web"));
        let page = "https://dev.azure.com/shop/The%20Shop/_build/results?buildId=12";
        assert_eq!(facts.build_url.map(|url| url.value).as_deref(), Some(page));
    }

    #[test]
    fn a_pull_request_from_a_fork_and_a_tag() {
        let facts = read(&variables(&[
            ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
            ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/fix"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
            ("SYSTEM_PULLREQUEST_ISFORK", "True"),
        ]));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "BUILD_SOURCEBRANCH")));
        assert_eq!(facts.source_branch.map(|branch| branch.value).as_deref(), Some("fix"));
        assert_eq!(facts.base_branch.map(|branch| branch.value).as_deref(), Some("main"));
        assert!(facts.fork.is_some());
        let facts = read(&variables(&[("BUILD_SOURCEBRANCH", "refs/tags/v1.0.0")]));
        assert_eq!(facts.refs, Refs::tag(Known::new("v1.0.0".into(), "BUILD_SOURCEBRANCH")));
    }
}
