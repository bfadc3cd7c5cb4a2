//! A pull request from a fork, which has no credentials, against the real Docker daemon.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test touches the world")]

use std::fs;
use std::process::{Command, Output};

const PIPELINE: &str = "\
version: 1
registry: { account: '123456789012', region: eu-west-1 }
images:
  web: { build: { context: ., dockerfile_inline: \"FROM scratch\\nCOPY longshore.yaml /\\n\" }, tags: pr }
";

const EVENT: &str = r#"{
  "pull_request": { "head": { "repo": { "full_name": "stranger/web" } } },
  "repository": { "full_name": "shop/web" }
}"#;

fn run(arguments: &[&str]) -> Output {
    run_with(arguments).0
}

/// What it says, and the page of `--timeline`.
fn run_with(arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("longshore.yaml"), PIPELINE).unwrap();
    fs::write(folder.path().join("event.json"), EVENT).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("run")
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs([("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge")])
        .env("GITHUB_EVENT_PATH", folder.path().join("event.json"))
        .output()
        .unwrap();
    assert!(!folder.path().join("imageDefinitions.json").exists(), "nothing was pushed that could be deployed");
    (output, fs::read_to_string(folder.path().join("timeline.html")).unwrap_or_default())
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn it_is_built_and_not_pushed() {
    let (output, page) = run_with(&["--timeline", "timeline.html"]);
    assert!(page.contains("built, not pushed") && page.contains("a pull request from stranger/web"), "{page}");
    assert!(page.contains("COPY longshore.yaml") && page.contains("state succeeded"), "{page}");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("from the fork stranger/web has no credentials"), "{told}");
    assert!(told.contains("web | built "), "{told}");
    assert_eq!(output.stdout, b"");
}

#[test]
fn a_push_can_be_required() {
    let output = run(&["--require-push"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with("error: a pull request from the fork `stranger/web` has no credentials"));
}
