//! Source: AWS CodeBuild user guide, "Environment variables in build environments".

use super::{CiFacts, known, known_commit, known_page};
use crate::facts::{Known, Refs, Variables};

pub(super) const NAME: &str = "AWS CodeBuild";

pub(super) fn read(variables: &Variables) -> CiFacts {
    let refs = head_ref(variables).or_else(|| short_ref(variables, "CODEBUILD_WEBHOOK_TRIGGER"));
    // A webhook says all there is to say; a build that was started by hand or by CodePipeline does not.
    let refs_complete = refs.is_some();
    let refs = refs.or_else(|| short_ref(variables, "CODEBUILD_SOURCE_VERSION")).unwrap_or_default();
    // Without a webhook the source version may be a commit, an S3 version or an ARN.
    let commit = known_commit(variables, "CODEBUILD_RESOLVED_SOURCE_VERSION")
        .or_else(|| known_commit(variables, "CODEBUILD_SOURCE_VERSION"));
    CiFacts {
        system: Some(NAME),
        commit,
        refs,
        refs_complete,
        source_url: known_page(variables, "CODEBUILD_SOURCE_REPO_URL"),
        base_branch: known(variables, "CODEBUILD_WEBHOOK_BASE_REF").map(|mut base| {
            base.value = base.value.strip_prefix("refs/heads/").unwrap_or(&base.value).to_owned();
            base
        }),
        build_number: known(variables, "CODEBUILD_BUILD_NUMBER"),
        build_url: known(variables, "CODEBUILD_PUBLIC_BUILD_URL").or_else(|| console_page(variables)),
        ..CiFacts::default()
    }
}

/// The build's page in the AWS console, whose address follows from the build's id.
fn console_page(variables: &Variables) -> Option<Known<String>> {
    let region = known(variables, "AWS_REGION").or_else(|| known(variables, "AWS_DEFAULT_REGION"))?.value;
    let id = known(variables, "CODEBUILD_BUILD_ID")?;
    let project = id.value.split(':').next()?;
    let page = format!(
        "https://{region}.console.aws.amazon.com/codesuite/codebuild/projects/{project}/build/{}",
        id.value.replace(':', "%3A")
    );
    Some(Known::new(page, id.source))
}

/// The ref that a push went to. Of a pull request it is the source branch, which is not what is released.
fn head_ref(variables: &Variables) -> Option<Refs> {
    let name = "CODEBUILD_WEBHOOK_HEAD_REF";
    let is_pull_request = variables.get("CODEBUILD_WEBHOOK_TRIGGER").is_some_and(|trigger| trigger.starts_with("pr/"));
    let refs = Refs::from_full_name(&known(variables, name)?.value, name);
    (!is_pull_request && refs != Refs::default()).then_some(refs)
}

/// `branch/main`, `tag/v1`, `pr/7`; and the full names that a build started by hand may carry.
fn short_ref(variables: &Variables, name: &str) -> Option<Refs> {
    let text = known(variables, name)?.value;
    let one = |text: &str| Known::new(text.to_owned(), name);
    let refs = if let Some(branch) = text.strip_prefix("branch/") {
        Refs { branch: Some(one(branch)), ..Refs::default() }
    } else if let Some(tag) = text.strip_prefix("tag/") {
        Refs { tags: vec![one(tag)], ..Refs::default() }
    } else if let Some(number) = text.strip_prefix("pr/") {
        Refs { pull_request: Some(one(number)), ..Refs::default() }
    } else {
        Refs::from_full_name(&text, name)
    };
    (refs != Refs::default()).then_some(refs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ci::variables;

    #[test]
    fn a_webhook() {
        let push = read(&variables(&[
            ("CODEBUILD_WEBHOOK_TRIGGER", "tag/v1.2.3"),
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/tags/v1.2.3"),
        ]));
        assert_eq!(push.refs.tags, [Known::new("v1.2.3".into(), "CODEBUILD_WEBHOOK_HEAD_REF")]);
        assert!(push.refs_complete);
        let build = read(&variables(&[("AWS_REGION", "eu-west-1"), ("CODEBUILD_BUILD_ID", "web:1-2")]));
        let page = "https://eu-west-1.console.aws.amazon.com/codesuite/codebuild/projects/web/build/web%3A1-2";
        assert_eq!(build.build_url.map(|url| url.value).as_deref(), Some(page));
    }

    #[test]
    fn a_pull_request_is_not_its_branch() {
        let change = read(&variables(&[
            ("CODEBUILD_WEBHOOK_TRIGGER", "pr/7"),
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/fix"),
        ]));
        assert_eq!(change.refs.branch, None);
        assert_eq!(change.refs.pull_request, Some(Known::new("7".into(), "CODEBUILD_WEBHOOK_TRIGGER")));
    }

    #[test]
    fn code_pipeline_and_s3() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let pipeline = read(&variables(&[
            ("CODEBUILD_RESOLVED_SOURCE_VERSION", sha),
            ("CODEBUILD_SOURCE_VERSION", "arn:aws:s3:::bucket/key.zip"),
        ]));
        assert_eq!(pipeline.commit.map(|known| known.value.to_string()).as_deref(), Some(sha));
        assert_eq!(pipeline.refs, Refs::default());
        assert!(!pipeline.refs_complete);
        assert_eq!(read(&variables(&[("CODEBUILD_SOURCE_VERSION", "3sL4kqtJlcpXroDTDmJ")])).commit, None);
    }
}
