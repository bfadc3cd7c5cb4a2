//! Source: CircleCI documentation, "Built-in environment variables".

use super::{CiFacts, known, known_commit, known_page};
use crate::facts::{Known, Project, Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let number = pull_request(variables);
    let is_pull_request = number.is_some();
    let branch = known(variables, "CIRCLE_BRANCH");
    let refs = if let Some(tag) = known(variables, "CIRCLE_TAG") {
        Refs::tag(tag)
    } else if let Some(number) = number {
        Refs::pull_request(number)
    } else {
        branch.clone().map(Refs::branch).unwrap_or_default()
    };
    // Both are set for pull requests from forks only.
    let owner = known(variables, "CIRCLE_PR_USERNAME");
    let fork = owner
        .zip(known(variables, "CIRCLE_PR_REPONAME"))
        .map(|(owner, repository)| Known::new(format!("{}/{}", owner.value, repository.value), "CIRCLE_PR_USERNAME"));
    CiFacts {
        system: Some("CircleCI"),
        commit: known_commit(variables, "CIRCLE_SHA1"),
        source_branch: branch.filter(|_| is_pull_request),
        fork,
        refs,
        refs_complete: true,
        source_url: known_page(variables, "CIRCLE_REPOSITORY_URL"),
        project: Project { name: known(variables, "CIRCLE_PROJECT_REPONAME"), ..Project::default() },
        build_number: known(variables, "CIRCLE_BUILD_NUM"),
        build_url: known(variables, "CIRCLE_BUILD_URL"),
        ..CiFacts::default()
    }
}

/// The number is stated for forks, and else it is the end of the page's address.
fn pull_request(variables: &Variables) -> Option<Known<String>> {
    known(variables, "CIRCLE_PR_NUMBER").or_else(|| {
        let page = known(variables, "CIRCLE_PULL_REQUEST")?;
        let number = page.value.trim_end_matches('/').rsplit('/').next()?.to_owned();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Known::new(number, "CIRCLE_PULL_REQUEST"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn branch_tag_and_pull_request() {
        let facts = read(&variables(&[("CIRCLE_BRANCH", "main"), ("CIRCLE_BUILD_NUM", "12")]));
        assert_eq!(facts.refs, Refs::branch(Known::new("main".into(), "CIRCLE_BRANCH")));
        let facts = read(&variables(&[("CIRCLE_TAG", "v1.0.0")]));
        assert_eq!(facts.refs, Refs::tag(Known::new("v1.0.0".into(), "CIRCLE_TAG")));
        let page = "https://github.com/shop/web/pull/7";
        let facts = read(&variables(&[("CIRCLE_BRANCH", "fix"), ("CIRCLE_PULL_REQUEST", page)]));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "CIRCLE_PULL_REQUEST")));
        assert_eq!(facts.fork, None);
    }

    #[test]
    fn a_fork() {
        let facts = read(&variables(&[
            ("CIRCLE_BRANCH", "pull/7"),
            ("CIRCLE_PR_NUMBER", "7"),
            ("CIRCLE_PR_USERNAME", "stranger"),
            ("CIRCLE_PR_REPONAME", "web"),
        ]));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "CIRCLE_PR_NUMBER")));
        assert_eq!(facts.fork.map(|fork| fork.value).as_deref(), Some("stranger/web"));
    }
}
