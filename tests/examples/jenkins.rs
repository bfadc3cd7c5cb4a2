//! Jenkins: the `sh` steps of both pipelines, in a workspace that is used again and has an `@` in its name.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::bed::{checkout, example, path_with_binary, program, shows_scans};
use crate::user::{Checkout, Ended, LocalServer, User, names};

/// The scripts of the `sh` steps, in their order.
fn scripts(name: &str) -> Vec<String> {
    let text: Vec<String> =
        example(name).lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
    let step = Regex::new(r"\bsh(?: |\((?:returnStdout: true, )?(?:script: )?)'([^']*)'").unwrap();
    let text = text.join("\n");
    let found: Vec<String> = step.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    assert_eq!(found.len(), Regex::new(r"\bsh[ (]").unwrap().find_iter(&text).count(), "each `sh` of {name} is found");
    found
}

/// The file that the step `junit` shows.
fn junit(name: &str) -> String {
    let step = Regex::new(r"\bjunit testResults: '([^']*)', allowEmptyResults: true").unwrap();
    step.captures(&example(name)).unwrap_or_else(|| panic!("{name} has no step `junit`"))[1].to_owned()
}

/// As Jenkins runs a script: `sh -xe` on a file, without a terminal, whatever TERM says.
fn sh(user: &User, server: &LocalServer, checkout: &Checkout<'_>, script: &str) -> Ended {
    program(user, server, checkout, "sh")
        .args(&["-xec", script])
        .env("PATH", path_with_binary(user))
        .envs(&[
            ("JENKINS_URL", "https://ci/"),
            ("BUILD_NUMBER", "7"),
            ("BRANCH_NAME", "v1.2.3"),
            ("TAG_NAME", "v1.2.3"),
        ])
        .envs(&[("TERM", "xterm"), ("BUILD_URL", "https://ci/job/shop/7/")])
        .env("GIT_COMMIT", checkout.head())
        .env("WORKSPACE", checkout.root())
        .run()
}

/// What Java's `Properties.load` makes of lines without escapes.
fn properties(text: &str) -> BTreeMap<String, String> {
    text.lines().map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

#[test]
fn the_declarative_pipeline() {
    let user = User::new();
    let first = checkout(&user);
    let server = user.serve("data");
    std::fs::rename(first.root(), user.at("shop@2")).unwrap();
    let workspace = user.folder_of("shop@2", &[]);
    let before = names(workspace.root());
    let scripts = scripts("jenkins/Jenkinsfile");
    for _ in 0..2 {
        let ended = sh(&user, &server, &workspace, &scripts[0]).with_code(0);
        assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "no colour without a terminal");
    }
    shows_scans(&workspace.read(&junit("jenkins/Jenkinsfile")));
    let images = properties(&workspace.read("images.properties"));
    let definitions: Value = serde_json::from_str(&workspace.read("imageDefinitions.json")).unwrap();
    assert_eq!(definitions[0]["imageUri"], images["IMAGE_URI"].as_str());
    assert_eq!((images["IMAGE_TAG"].as_str(), images["IMAGES_REUSED"].as_str()), ("1.2.3", "web,worker"));

    let written =
        ["imageDefinitions.json", "imagedefinitions.json", "images.properties", "longshore-report.json", "scan.xml"];
    let mut after: Vec<String> = before.into_iter().chain(written.map(str::to_owned)).collect();
    after.sort();
    assert_eq!(names(workspace.root()), after);
    assert_eq!(user.left_behind(), Vec::<String>::new());
    assert!(!user.at("docker/config.json").exists(), "nothing is written to the docker configuration");
}

#[test]
fn the_scripted_pipeline() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let scripts = scripts("jenkins/Jenkinsfile.scripted");
    let tags = sh(&user, &server, &checkout, &scripts[0]).with_code(0);
    let tags: Value = serde_json::from_str(&tags.stdout).unwrap();
    assert!(tags.to_string().contains("1.2.3"), "{tags}");
    let pushed = sh(&user, &server, &checkout, &scripts[1]).with_code(0);
    let first = pushed.stdout.lines().next().unwrap().split(' ').next().unwrap();
    shows_scans(&checkout.read(&junit("jenkins/Jenkinsfile.scripted")));
    assert_eq!(first, format!("{}/{}/web:1.2.3", server.host(), user.unique()));
}
