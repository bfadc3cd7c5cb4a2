//! Source: Bitbucket Cloud documentation, "Variables and secrets", "Default variables".

use super::{CiFacts, known, known_commit, known_page};
use crate::facts::{Known, Project, Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let number = known(variables, "BITBUCKET_PR_ID");
    let is_pull_request = number.is_some();
    let branch = known(variables, "BITBUCKET_BRANCH");
    let refs = if let Some(tag) = known(variables, "BITBUCKET_TAG") {
        Refs::tag(tag)
    } else if let Some(number) = number {
        Refs::pull_request(number)
    } else {
        branch.clone().map(Refs::branch).unwrap_or_default()
    };
    let source_url = known_page(variables, "BITBUCKET_GIT_HTTP_ORIGIN");
    let build_number = known(variables, "BITBUCKET_BUILD_NUMBER");
    CiFacts {
        system: Some("Bitbucket Pipelines"),
        commit: known_commit(variables, "BITBUCKET_COMMIT"),
        source_branch: branch.filter(|_| is_pull_request),
        base_branch: known(variables, "BITBUCKET_PR_DESTINATION_BRANCH"),
        refs,
        refs_complete: true,
        project: Project { name: known(variables, "BITBUCKET_REPO_SLUG"), ..Project::default() },
        build_url: source_url.as_ref().zip(build_number.as_ref()).map(|(page, number)| {
            Known::new(format!("{}/pipelines/results/{}", page.value, number.value), number.source.clone())
        }),
        source_url,
        build_number,
        ..CiFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn branch_tag_and_pull_request() {
        let facts = read(&variables(&[
            ("BITBUCKET_BRANCH", "main"),
            ("BITBUCKET_BUILD_NUMBER", "12"),
            ("BITBUCKET_GIT_HTTP_ORIGIN", "http://bitbucket.org/shop/web"),
        ]));
        assert_eq!(facts.refs, Refs::branch(Known::new("main".into(), "BITBUCKET_BRANCH")));
        let page = "https://bitbucket.org/shop/web/pipelines/results/12";
        assert_eq!(facts.build_url.map(|url| url.value).as_deref(), Some(page));
        let facts = read(&variables(&[("BITBUCKET_TAG", "v1.0.0")]));
        assert_eq!(facts.refs, Refs::tag(Known::new("v1.0.0".into(), "BITBUCKET_TAG")));
        let facts = read(&variables(&[
            ("BITBUCKET_BRANCH", "fix"),
            ("BITBUCKET_PR_ID", "7"),
            ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ]));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "BITBUCKET_PR_ID")));
        assert_eq!(facts.base_branch.map(|branch| branch.value).as_deref(), Some("main"));
    }
}
