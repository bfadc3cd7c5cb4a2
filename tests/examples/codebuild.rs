//! CodeBuild, alone and in a batch.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::bed::{checkout, parsed, path_with_binary, program, shows_scans, tags, texts, variables};
use crate::user::{Checkout, Ended, LocalServer, User};

/// Runs a buildspec as CodeBuild does: all phases in one shell, `post_build` also where `build` has failed unless that is
/// to abort, and the exported variables taken from the shell at the end.
fn build_of(
    user: &User,
    server: &LocalServer,
    checkout: &Checkout<'_>,
    commit: &str,
    spec: &Value,
    more: &[(&str, &str)],
) -> Ended {
    let mut script = "export CODEBUILD_BUILD_SUCCEEDING=1\n".to_owned();
    for name in ["install", "pre_build", "build", "post_build"] {
        let phase = &spec["phases"][name];
        for command in texts(&phase["commands"]) {
            script.push_str("if [ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ]; then\n");
            script.push_str(&format!("{command}\n[ $? = 0 ] || export CODEBUILD_BUILD_SUCCEEDING=0\nfi\n"));
        }
        if phase["on-failure"] == "ABORT" {
            script.push_str("[ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ] || exit 1\n");
        }
    }
    for name in texts(&spec["env"]["exported-variables"]) {
        script.push_str(&format!("printf '%s\\n' \"exported {name}=${{{name}-unset}}\"\n"));
    }
    script.push_str("[ \"$CODEBUILD_BUILD_SUCCEEDING\" = 1 ]\n");
    let mut call = program(user, server, checkout, "bash").args(&["-c", &script]);
    for (name, value) in variables(&spec["env"]["variables"]) {
        call = call.env(&name, value);
    }
    call.envs(&[("CODEBUILD_BUILD_ID", "shop:1"), ("CODEBUILD_BUILD_NUMBER", "1")])
        .env("CODEBUILD_RESOLVED_SOURCE_VERSION", commit)
        .env("CODEBUILD_SRC_DIR", checkout.root())
        .envs(more)
        .run()
}

fn build(user: &User, server: &LocalServer, checkout: &Checkout<'_>, spec: &Value, more: &[(&str, &str)]) -> Ended {
    build_of(user, server, checkout, &checkout.head(), spec, more)
}

#[test]
fn what_was_pushed_is_exported_and_the_artifacts_are_there() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let spec = parsed("codebuild/buildspec.yml");
    let ended = build(&user, &server, &checkout, &spec, &[("CODEBUILD_WEBHOOK_TRIGGER", "tag/v1.2.3")]).with_code(0);
    let artifact = |name: &str| -> Value { serde_json::from_str(&checkout.read(name)).unwrap() };
    let uri = artifact("imagedefinitions.json")[0]["imageUri"].as_str().unwrap().to_owned();
    let exported = format!("exported IMAGE_URI={uri}\nexported IMAGE_TAG=1.2.3\nexported IMAGES_BUILT=web,worker\n");
    assert!(ended.stdout.ends_with(&exported), "{}", ended.stdout);
    let reports = &spec["reports"]["image-scans"];
    assert_eq!(reports["file-format"], "JUNITXML");
    for file in texts(&reports["files"]) {
        shows_scans(&checkout.read(&file));
    }
    for file in texts(&spec["artifacts"]["files"]) {
        assert!(checkout.at(&file).exists(), "no artifact `{file}`");
    }
    assert_eq!(tags(&user, &server, &checkout, "web"), ["1", "1.2", "1.2.3", &checkout.head()[..7]]);
}

#[test]
fn a_zip_without_git_takes_the_commit_from_the_variables() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let head = checkout.head();
    let spec = parsed("codebuild/buildspec.yml");
    std::fs::rename(checkout.at(".git"), user.at("hidden")).unwrap();
    let ended = build_of(&user, &server, &checkout, &head, &spec, &[("CODEBUILD_INITIATOR", "codepipeline/shop")]);
    let ended = ended.with_code(0);
    assert!(ended.stdout.contains(&format!("exported IMAGE_TAG={}\n", &head[..7])), "{}", ended.stdout);
}

#[test]
fn a_failed_build_leaves_no_deploy_file_of_an_earlier_one() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let spec = parsed("codebuild/buildspec.yml");
    build(&user, &server, &checkout, &spec, &[]).with_code(0);
    checkout.write("web/Dockerfile", &user.dockerfile("COPY missing /\n"));
    let ended = build(&user, &server, &checkout, &spec, &[]);
    assert_ne!(ended.code, Some(0));
    assert!(!checkout.at("imagedefinitions.json").exists() && checkout.at("longshore-report.json").exists());
}

/// Answers one request of the AWS CLI as CodeBuild would, and gives what was asked.
fn codebuild() -> (String, std::thread::JoinHandle<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the request ends early");
            bytes.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() < length.unwrap_or(0) {
                continue;
            }
            let answer = r#"{"buildBatch":{"id":"shop:batch"}}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
            return serde_json::from_str(body).unwrap();
        }
    });
    (url, asked)
}

#[test]
fn a_batch_builds_each_image_apart_and_releases_all_together() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let (url, asked) = codebuild();
    let start = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/codebuild/start-batch.sh");
    let started = program(&user, &server, &checkout, "sh")
        .args(&[start, "shop"])
        .env("PATH", path_with_binary(&user))
        .env("AWS_ENDPOINT_URL_CODEBUILD", url)
        .succeeds();
    assert_eq!(started, "shop:batch\n");
    let asked = asked.join().unwrap();
    assert_eq!((&asked["projectName"], &asked["sourceVersion"]), (&json!("shop"), &json!(checkout.head())));
    let batch: Value = serde_json::from_str(asked["buildspecOverride"].as_str().unwrap()).unwrap();
    let graph = batch["batch"]["build-graph"].as_array().unwrap();
    assert_eq!(graph.len(), 3);
    assert_eq!(graph[2]["depend-on"], json!(["image_web", "image_worker"]));
    for (at, node) in graph.iter().enumerate() {
        let spec = parsed(&format!("codebuild/{}", node["buildspec"].as_str().unwrap()));
        let given = variables(&node["env"]["variables"]);
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let ended = build(&user, &server, &checkout, &spec, &given).with_code(0);
        let released = tags(&user, &server, &checkout, "web");
        assert_eq!(released.is_empty(), at < 2, "released after the last only: {released:?}");
        assert!(at < 2 || ended.stdout.contains("exported IMAGES_BUILT=\n"), "{}", ended.stdout);
    }
}
