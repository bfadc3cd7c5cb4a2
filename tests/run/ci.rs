//! The same tags wherever the pipeline runs.

use crate::user::User;

const PIPELINE: &str = "\
version: 1
environments: { prod: { branch: main }, dev: { branch: \"**\" } }
images:
  web: { build: ., repository: UNIQUE/web, tags: [semver, sha, branch, pr, env] }
";

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The tags in a folder without git, under these variables.
fn tags(variables: &[(&str, &str)]) -> Vec<String> {
    let user = User::new();
    let folder = user.folder_of("source", &[("longshore.yaml", PIPELINE), ("Dockerfile", "")]);
    let printed = folder.longshore(&["tags"]).envs(variables).succeeds();
    printed.lines().map(str::to_owned).collect()
}

#[test]
fn github_actions() {
    let branch = [("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", COMMIT), ("GITHUB_REF", "refs/heads/feature/x")];
    assert_eq!(tags(&branch), ["0123456", "feature-x", "dev"]);
    let tag = [("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", COMMIT), ("GITHUB_REF", "refs/tags/v2.0.1")];
    assert_eq!(tags(&tag), ["2.0.1", "2.0", "2", "0123456"]);
}

#[test]
fn jenkins() {
    let variables = [("JENKINS_URL", "https://ci/"), ("GIT_COMMIT", COMMIT), ("GIT_BRANCH", "origin/main")];
    assert_eq!(tags(&variables), ["0123456", "main", "prod"]);
}

#[test]
fn codebuild() {
    let variables = [
        ("CODEBUILD_BUILD_ID", "shop:1"),
        ("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT),
        ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
    ];
    assert_eq!(tags(&variables), ["0123456", "main", "prod"]);
}

#[test]
fn flags_win_over_ci_and_ci_over_git() {
    let user = User::new();
    let checkout = user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", "")]);
    let ci = [("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", COMMIT), ("GITHUB_REF", "refs/heads/release")];
    assert_eq!(checkout.longshore(&["tags"]).succeeds(), format!("{}\nmain\nprod\n", &checkout.head()[..7]));
    assert_eq!(checkout.longshore(&["tags"]).envs(&ci).succeeds(), "0123456\nrelease\ndev\n");
    let stated = ["tags", "--branch", "mine", "--commit", &COMMIT.replace('0', "f"), "--env", "prod"];
    assert_eq!(checkout.longshore(&stated).envs(&ci).succeeds(), "f123456\nmine\nprod\n");
}

#[test]
fn a_run_without_git_pushes_what_ci_says() {
    let user = User::new();
    let dockerfile = user.dockerfile("COPY longshore.yaml /\n");
    let folder = user.folder_of("source", &[("longshore.yaml", PIPELINE), ("Dockerfile", &dockerfile)]);
    let codebuild = [("CODEBUILD_BUILD_ID", "shop:1"), ("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)];
    let ended = folder.run_local(&[]).envs(&codebuild).run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/web:0123456 DIGEST\n");
    let inspect = ["image", "inspect", "--format", "{{index .Config.Labels \"org.opencontainers.image.revision\"}}"];
    let revision = user.docker(&inspect).args(&[&user.images()[0]]).succeeds();
    assert_eq!(revision.trim(), COMMIT);
}

#[test]
fn an_image_without_a_tag_ends_the_run_before_the_build() {
    let user = User::new();
    let folder = user.folder_of("source", &[("longshore.yaml", PIPELINE), ("Dockerfile", "")]);
    let ended = folder.run_local(&[]).run().with_code(2);
    assert!(ended.err().contains("error: image `web` gets no tag\n"), "{}", ended.err());
}
