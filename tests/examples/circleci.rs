//! CircleCI: each step a shell of its own that begins with `$BASH_ENV`.

use crate::bed::{checkout, parsed, program, shows_scans, tags, texts, variables};
use crate::user::User;

#[test]
fn the_steps_after_it_know_what_was_pushed() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let config = parsed("circleci/config.yml");
    let job = &config["jobs"]["images"];
    let bash_env = user.at("bash_env");
    std::fs::write(&bash_env, "").unwrap();
    let mut said = String::new();
    for step in job["steps"].as_array().unwrap() {
        if let Some(command) = step["run"]["command"].as_str() {
            let mut call = program(&user, &server, &checkout, "bash").args(&["-eo", "pipefail", "-c", command]);
            for (name, value) in variables(&job["environment"]) {
                call = call.env(&name, value);
            }
            said = call
                .envs(&[
                    ("CI", "true"),
                    ("CIRCLECI", "true"),
                    ("CIRCLE_TAG", "v1.2.3"),
                    ("CIRCLE_OIDC_TOKEN_V2", "x.y.z"),
                ])
                .env("CIRCLE_SHA1", checkout.head())
                .env("BASH_ENV", &bash_env)
                .succeeds();
        }
        if let Some(folder) = step["store_test_results"]["path"].as_str() {
            shows_scans(&checkout.read(&format!("{folder}/scan.xml")));
        }
        if step["persist_to_workspace"].is_object() {
            for path in texts(&step["persist_to_workspace"]["paths"]) {
                assert!(checkout.at(&path).exists(), "no `{path}` to persist");
            }
        }
    }
    assert!(said.starts_with(&format!("pushed {}/{}/web@sha256:", server.host(), user.unique())), "{said}");
    assert_eq!(tags(&user, &server, &checkout, "web"), ["1", "1.2", "1.2.3", &checkout.head()[..7]]);
    assert!(checkout.at("out/longshore-report.json").exists());
}
