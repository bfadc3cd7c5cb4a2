//! Source: GitLab documentation, "Predefined CI/CD variables reference".

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{CiFacts, event, known, known_commit, known_page};
use crate::facts::{Known, Project, Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let refs = if let Some(tag) = known(variables, "CI_COMMIT_TAG") {
        Refs::tag(tag)
    } else if let Some(number) = known(variables, "CI_MERGE_REQUEST_IID") {
        Refs::pull_request(number)
    } else {
        known(variables, "CI_COMMIT_BRANCH").map(Refs::branch).unwrap_or_default()
    };
    let own = known(variables, "CI_MERGE_REQUEST_PROJECT_PATH");
    let from = known(variables, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH");
    CiFacts {
        system: Some("GitLab CI"),
        machine: None,
        commit: known_commit(variables, "CI_COMMIT_SHA"),
        commit_time: known(variables, "CI_COMMIT_TIMESTAMP")
            .and_then(|known| Some(Known::new(OffsetDateTime::parse(&known.value, &Rfc3339).ok()?, known.source))),
        source_branch: known(variables, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        base_branch: known(variables, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        fork: from.filter(|from| own.is_some_and(|own| own.value != from.value)),
        default_branch: known(variables, "CI_DEFAULT_BRANCH"),
        event: event(variables, "CI_PIPELINE_SOURCE", "schedule"),
        refs,
        refs_complete: true,
        source_url: known_page(variables, "CI_PROJECT_URL"),
        project: Project {
            name: known(variables, "CI_PROJECT_NAME"),
            description: known(variables, "CI_PROJECT_DESCRIPTION"),
            license: None,
        },
        build_number: known(variables, "CI_PIPELINE_IID"),
        build_url: known(variables, "CI_PIPELINE_URL").or_else(|| known(variables, "CI_JOB_URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn a_branch_on_schedule() {
        let facts = read(&variables(&[
            ("CI_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_TIMESTAMP", "2024-05-06T07:08:09+02:00"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_PIPELINE_SOURCE", "schedule"),
            ("CI_PROJECT_URL", "https://gitlab.example.com/shop/web"),
        ]));
        assert_eq!(facts.refs, Refs::branch(Known::new("main".into(), "CI_COMMIT_BRANCH")));
        assert!(facts.event.is_some_and(|event| event.value.scheduled && !event.value.on_default_branch));
        assert!(facts.commit.is_some() && facts.commit_time.is_some());
        assert_eq!(facts.source_url.map(|url| url.value).as_deref(), Some("https://gitlab.example.com/shop/web"));
    }

    #[test]
    fn a_merge_request_and_a_tag() {
        let request = [
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_PROJECT_PATH", "shop/web"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "stranger/web"),
        ];
        let facts = read(&variables(&request));
        assert_eq!(facts.refs, Refs::pull_request(Known::new("7".into(), "CI_MERGE_REQUEST_IID")));
        assert_eq!(facts.fork.map(|fork| fork.value).as_deref(), Some("stranger/web"));
        assert_eq!(facts.base_branch.map(|branch| branch.value).as_deref(), Some("main"));
        let facts = read(&variables(&[("CI_COMMIT_TAG", "v1.0.0")]));
        assert_eq!(facts.refs, Refs::tag(Known::new("v1.0.0".into(), "CI_COMMIT_TAG")));
    }
}
