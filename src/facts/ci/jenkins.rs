//! Source: the Jenkins git plugin's README and the branch-api plugin's environment contributor.

use super::{CiFacts, known, known_commit, known_page};
use crate::facts::{Known, Refs, Variables};

pub(super) fn read(variables: &Variables) -> CiFacts {
    let tag = known(variables, "TAG_NAME");
    let pull_request = known(variables, "CHANGE_ID");
    // Only multibranch jobs set it, and those know for certain what they build.
    let multibranch = known(variables, "BRANCH_NAME");
    let refs_complete = tag.is_some() || pull_request.is_some() || multibranch.is_some();
    let branch = if tag.is_some() || pull_request.is_some() {
        None
    } else {
        multibranch.or_else(|| local_branch(variables)).or_else(|| remote_branch(variables))
    };
    let is_primary = variables.get("BRANCH_IS_PRIMARY").is_some_and(|value| value == "true");
    let primary = branch.as_ref().filter(|_| is_primary);
    CiFacts {
        system: Some("Jenkins"),
        commit: known_commit(variables, "GIT_COMMIT"),
        default_branch: primary.map(|branch| Known::new(branch.value.clone(), "BRANCH_IS_PRIMARY")),
        source_branch: known(variables, "CHANGE_BRANCH"),
        base_branch: known(variables, "CHANGE_TARGET"),
        fork: known(variables, "CHANGE_FORK"),
        refs: Refs { branch, tags: tag.into_iter().collect(), pull_request },
        refs_complete,
        source_url: known_page(variables, "GIT_URL").or_else(|| known_page(variables, "GIT_URL_1")),
        build_number: known(variables, "BUILD_NUMBER"),
        build_url: known(variables, "BUILD_URL"),
        ..CiFacts::default()
    }
}

fn local_branch(variables: &Variables) -> Option<Known<String>> {
    known(variables, "GIT_LOCAL_BRANCH").filter(|branch| branch.value != "detached")
}

/// `GIT_BRANCH` is `origin/main` in plain jobs, and `detached` or a tag's name where no branch was asked for.
fn remote_branch(variables: &Variables) -> Option<Known<String>> {
    let full = known(variables, "GIT_BRANCH")?.value;
    if full.starts_with("refs/tags/") || full.starts_with("tags/") {
        return None;
    }
    let (remote, branch) = full.strip_prefix("refs/remotes/").unwrap_or(&full).split_once('/')?;
    (!branch.is_empty()).then(|| Known::new(branch.to_owned(), format!("GIT_BRANCH with {remote}/ stripped")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    fn branch(pairs: &[(&str, &str)]) -> Option<String> {
        read(&variables(pairs)).refs.branch.map(|known| known.value)
    }

    #[test]
    fn freestyle_jobs_name_the_remote() {
        let facts = read(&variables(&[("GIT_BRANCH", "origin/main")]));
        assert_eq!(facts.refs.branch, Some(Known::new("main".into(), "GIT_BRANCH with origin/ stripped")));
        assert!(!facts.refs_complete);
        assert_eq!(branch(&[("GIT_BRANCH", "origin/release/1.2")]).as_deref(), Some("release/1.2"));
        assert_eq!(branch(&[("GIT_BRANCH", "refs/remotes/origin/main")]).as_deref(), Some("main"));
        assert_eq!(branch(&[("GIT_BRANCH", "detached")]), None);
        assert_eq!(branch(&[("GIT_BRANCH", "refs/tags/v1")]), None);
        assert_eq!(branch(&[("GIT_LOCAL_BRANCH", "detached"), ("GIT_BRANCH", "origin/main")]).as_deref(), Some("main"));
    }

    #[test]
    fn multibranch_jobs_know_what_they_build() {
        let tag = read(&variables(&[("BRANCH_NAME", "v1.2.3"), ("TAG_NAME", "v1.2.3")]));
        assert_eq!(tag.refs.branch, None);
        assert_eq!(tag.refs.tags, [Known::new("v1.2.3".into(), "TAG_NAME")]);
        let change = read(&variables(&[
            ("BRANCH_NAME", "PR-24"),
            ("CHANGE_ID", "24"),
            ("CHANGE_BRANCH", "fix"),
            ("CHANGE_TARGET", "main"),
            ("CHANGE_FORK", "stranger"),
        ]));
        assert_eq!(change.refs, Refs::pull_request(Known::new("24".into(), "CHANGE_ID")));
        assert_eq!(change.source_branch, Some(Known::new("fix".into(), "CHANGE_BRANCH")));
        assert_eq!(change.base_branch, Some(Known::new("main".into(), "CHANGE_TARGET")));
        assert_eq!(change.fork, Some(Known::new("stranger".into(), "CHANGE_FORK")));
        assert!(tag.refs_complete && change.refs_complete);
        let primary = read(&variables(&[("BRANCH_NAME", "main"), ("BRANCH_IS_PRIMARY", "true")]));
        assert_eq!(primary.default_branch, Some(Known::new("main".into(), "BRANCH_IS_PRIMARY")));
    }

    #[test]
    fn a_commit_that_is_none_is_not_taken_for_one() {
        assert_eq!(read(&variables(&[("GIT_COMMIT", "HEAD")])).commit, None);
    }
}
