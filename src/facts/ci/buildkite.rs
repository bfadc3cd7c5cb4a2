//! Source: Buildkite documentation, "Environment variables".

use super::{CiFacts, event, known, known_commit, known_page};
use crate::facts::{Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let number = known(variables, "BUILDKITE_PULL_REQUEST").filter(|number| number.value != "false");
    let is_pull_request = number.is_some();
    let branch = known(variables, "BUILDKITE_BRANCH");
    let refs = if let Some(tag) = known(variables, "BUILDKITE_TAG") {
        Refs::tag(tag)
    } else if let Some(number) = number {
        Refs::pull_request(number)
    } else {
        branch.clone().map(Refs::branch).unwrap_or_default()
    };
    let own = known_page(variables, "BUILDKITE_REPO");
    let from = known_page(variables, "BUILDKITE_PULL_REQUEST_REPO").filter(|_| is_pull_request);
    CiFacts {
        system: Some("Buildkite"),
        // It is the word `HEAD` in builds that were started without a commit.
        commit: known_commit(variables, "BUILDKITE_COMMIT"),
        source_branch: branch.filter(|_| is_pull_request),
        base_branch: known(variables, "BUILDKITE_PULL_REQUEST_BASE_BRANCH"),
        fork: from.filter(|from| own.as_ref().is_some_and(|own| own.value != from.value)),
        default_branch: known(variables, "BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        event: event(variables, "BUILDKITE_SOURCE", "schedule"),
        refs,
        refs_complete: true,
        source_url: own,
        build_number: known(variables, "BUILDKITE_BUILD_NUMBER"),
        build_url: known(variables, "BUILDKITE_BUILD_URL"),
        ..CiFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Known;
    use crate::facts::ci::variables;

    #[test]
    fn a_tag_is_not_the_branch_of_its_name() {
        let facts = read(&variables(&[
            ("BUILDKITE_BRANCH", "v1.0.0"),
            ("BUILDKITE_TAG", "v1.0.0"),
            ("BUILDKITE_COMMIT", "HEAD"),
            ("BUILDKITE_PULL_REQUEST", "false"),
        ]));
        assert_eq!(facts.refs, Refs::tag(Known::new("v1.0.0".into(), "BUILDKITE_TAG")));
        assert_eq!(facts.commit, None);
    }

    #[test]
    fn a_pull_request_from_a_fork() {
        let facts = read(&variables(&[
            ("BUILDKITE_BRANCH", "fix"),
            ("BUILDKITE_PULL_REQUEST", "7"),
            ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
            ("BUILDKITE_REPO", "git@example.com:shop/web.git"),
            ("BUILDKITE_PULL_REQUEST_REPO", "git://example.com/stranger/web.git"),
        ]));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "BUILDKITE_PULL_REQUEST")));
        assert_eq!(facts.fork.map(|fork| fork.value).as_deref(), Some("https://example.com/stranger/web"));
        assert_eq!(facts.source_branch.map(|branch| branch.value).as_deref(), Some("fix"));
    }
}
