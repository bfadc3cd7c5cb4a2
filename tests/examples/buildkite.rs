//! Buildkite: a step's lines in one shell, and its agent, which here only writes down what it is told.

use crate::bed::{checkout, parsed, path_with_binary, program, shows_scans, stand_in, tags, texts};
use crate::user::User;

const AGENT: &str = r#"#!/bin/sh
case "$1 $2" in
  'meta-data set') printf '%s' "$4" >"$AGENT_DATA/$3" ;;
  'meta-data get') cat "$AGENT_DATA/$3" ;;
  'annotate --style') cat >"$AGENT_DATA/annotation" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"#;

/// A command as it is after the pipeline was uploaded, which puts variables in and leaves one of two `$`.
fn uploaded(command: &str) -> String {
    let singles = command.replace("$$", "");
    assert!(!singles.contains('$'), "a `$` that is not doubled is read when the pipeline is uploaded: {command}");
    command.replace("$$", "$")
}

#[test]
fn the_steps_after_it_know_what_was_pushed() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let path = path_with_binary(&user);
    stand_in(&user, "buildkite-agent", AGENT);
    std::fs::create_dir(user.at("agent")).unwrap();
    let pipeline = parsed("buildkite/pipeline.yml");
    let steps = pipeline["steps"].as_array().unwrap();
    let run = |command: &str| {
        program(&user, &server, &checkout, "bash")
            .args(&["-e", "-c", &uploaded(command)])
            .env("PATH", &path)
            .env("AGENT_DATA", user.at("agent"))
            .envs(&[("CI", "true"), ("BUILDKITE", "true"), ("BUILDKITE_TAG", "v1.2.3"), ("BUILDKITE_BRANCH", "v1.2.3")])
            .env("BUILDKITE_COMMIT", checkout.head())
            .succeeds()
    };
    run(steps[0]["command"].as_str().unwrap());
    for file in texts(&steps[0]["artifact_paths"]) {
        assert!(checkout.at(&file).exists(), "no artifact `{file}`");
    }
    shows_scans(&checkout.read("scan.xml"));
    assert_eq!(tags(&user, &server, &checkout, "web"), ["1", "1.2", "1.2.3", &checkout.head()[..7]]);
    let said = run(steps[1]["command"].as_str().unwrap());
    let uri = std::fs::read_to_string(user.at("agent").join("image-uri")).unwrap();
    assert!(uri.contains("/web@sha256:"), "{uri}");
    assert_eq!(said, format!("to deploy {uri}\n"));
    let annotation = std::fs::read_to_string(user.at("agent").join("annotation")).unwrap();
    assert_eq!(annotation, format!("Pushed `{uri}`, built: web,worker, reused: \n"));
}
