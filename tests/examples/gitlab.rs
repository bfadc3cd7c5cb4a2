//! GitLab: the scripts of a job in one shell, and its dotenv report as variables of the next job.

use serde_json::Value;

use crate::bed::{checkout, parsed, program, shows_scans, tags, texts, variables};
use crate::user::{Checkout, LocalServer, User};

const FILE: &str = "gitlab/.gitlab-ci.yml";

/// The variables of a dotenv report. Source: GitLab, "artifacts:reports:dotenv": no empty lines, no comments, no quotes.
fn dotenv(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("`{line}` is no variable"));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "`{name}` is no name");
        assert!(!value.contains(['"', '\'', '\\', ' ']), "GitLab takes `{value}` as it stands");
        (name.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}

fn job(
    user: &User,
    server: &LocalServer,
    checkout: &Checkout<'_>,
    pipeline: &Value,
    name: &str,
    given: &[(String, String)],
) -> String {
    let job = &pipeline[name];
    let script = [texts(&job["before_script"]), texts(&job["script"])].concat().join("\n");
    let mut call = program(user, server, checkout, "bash").args(&["-c", &format!("set -eo pipefail\n{script}\n")]);
    let declared = [variables(&pipeline["variables"]), variables(&job["variables"]), given.to_vec()].concat();
    // The daemon of the example's service is this machine's here, and the token goes to a place of the test's own.
    for (name, value) in declared.iter().filter(|(name, _)| name != "DOCKER_HOST") {
        call = match name.as_str() {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => call.env(name, user.at("web-identity-token")),
            _ => call.env(name, value),
        };
    }
    call.envs(&[("CI", "true"), ("GITLAB_CI", "true"), ("CI_COMMIT_TAG", "v1.2.3"), ("CI_DEFAULT_BRANCH", "main")])
        .env("CI_COMMIT_SHA", checkout.head())
        .env("CI_PROJECT_DIR", checkout.root())
        .env("WEB_IDENTITY_TOKEN", "e30.e30.x")
        .succeeds()
}

#[test]
fn the_deploy_job_knows_what_was_pushed() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let pipeline = parsed(FILE);
    job(&user, &server, &checkout, &pipeline, "images", &[]);
    assert_eq!(tags(&user, &server, &checkout, "worker"), ["1", "1.2", "1.2.3", &checkout.head()[..7]]);
    let artifacts = &pipeline["images"]["artifacts"];
    for path in texts(&artifacts["paths"]) {
        assert!(checkout.at(&path).exists(), "no artifact `{path}`");
    }
    shows_scans(&checkout.read(artifacts["reports"]["junit"].as_str().unwrap()));
    let report = dotenv(&checkout.read(artifacts["reports"]["dotenv"].as_str().unwrap()));
    let said = job(&user, &server, &checkout, &pipeline, "deploy", &report);
    let definitions: Value = serde_json::from_str(&checkout.read("imagedefinitions.json")).unwrap();
    let uri = definitions[0]["imageUri"].as_str().unwrap();
    assert_eq!(said, format!("to deploy {uri}, built web,worker, reused \n"));
}
