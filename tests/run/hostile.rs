//! Input that means harm: files without end, links in circles and out of the context, names and answers that would speak
//! to a terminal or to a CI system's runner.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use crate::user::User;

const ONE_IMAGE: &str = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [x] } }\n";

/// What would be taken for a command of GitHub's runner, and for one of the terminal's.
const COMMAND: &str = "::set-output name=a::b";
const ESCAPE: &str = "\u{1b}]0;owned\u{7}";

#[track_caller]
fn is_harmless(text: &str) {
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "a control character is in {text:?}");
    let commands: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("::set-output")).collect();
    assert!(commands.is_empty(), "{commands:?} in {text}");
}

#[test]
fn a_pipeline_file_without_end_is_not_read_to_it() {
    let user = User::new();
    let checkout = user.checkout(&[("Dockerfile", "FROM scratch\n")]);
    let ended = checkout.longshore(&["config", "--file", "/dev/zero"]).run().with_code(2);
    ended.says("error: cannot read the pipeline file `/dev/zero`\ncaused by: it is larger than 256 KiB\n");
    File::create(checkout.at("longshore.yaml")).unwrap().set_len(1 << 30).unwrap();
    let ended = checkout.longshore(&["config"]).run().with_code(2);
    ended.says("error: cannot read the pipeline file `longshore.yaml`\ncaused by: it is larger than 256 KiB\n");
    let zeros = File::open("/dev/zero").unwrap();
    let ended = checkout.longshore(&["config", "--file", "-"]).stdin(zeros).run().with_code(2);
    ended.says("error: cannot read the pipeline file `standard input`\ncaused by: it is larger than 256 KiB\n");
}

#[test]
fn a_dockerfile_without_end_is_not_read_to_it() {
    let user = User::new();
    let checkout = user.checkout(&[("longshore.yaml", ONE_IMAGE)]);
    symlink("/dev/zero", checkout.at("Dockerfile")).unwrap();
    let ended = checkout.longshore(&["key"]).run().with_code(2);
    assert!(ended.err().contains("it is larger than 16 MiB"), "{}", ended.err());
}

#[test]
fn links_are_sent_as_links_wherever_they_lead() {
    let user = User::new();
    let dockerfile = user.dockerfile("COPY . /\n");
    let checkout = user.checkout(&[("longshore.yaml", ONE_IMAGE), ("Dockerfile", &dockerfile)]);
    user.write(&user.at("outside/secret"), "canary-outside-of-the-context");
    for (target, link) in [(".", "loop"), ("b", "a"), ("a", "b"), ("../../..", "up"), ("/etc", "etc")] {
        symlink(target, checkout.at(link)).unwrap();
    }
    symlink(user.at("outside/secret"), checkout.at("out")).unwrap();
    let server = user.serve("data");
    server.run(&checkout).run().with_code(0);
    let saved = user.at("image.tar");
    user.docker(&["image", "save", "--output", saved.to_str().unwrap(), &user.images()[0]]).succeeds();
    let bytes = fs::read(&saved).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("outside/secret"), "the link itself is there");
    assert!(!holds("canary-outside-of-the-context"));
}

#[test]
fn names_of_files_are_no_commands() {
    let user = User::new();
    let dockerfile = user.dockerfile("COPY . /\n");
    let checkout = user.checkout(&[("longshore.yaml", ONE_IMAGE), ("Dockerfile", &dockerfile)]);
    fs::write(checkout.at(&format!("file\n{COMMAND}")), "").unwrap();
    fs::write(checkout.at(&format!("bell{ESCAPE}")), "").unwrap();
    // A socket is left out, and named.
    let _socket = UnixListener::bind(checkout.at(&format!("s\n{COMMAND}{ESCAPE}"))).unwrap();
    let listed = checkout.longshore(&["context", "ls", "web"]).run().with_code(0);
    is_harmless(&listed.stdout);
    is_harmless(&listed.stderr);
    let server = user.serve("data");
    for variable in ["GITHUB_ACTIONS", "JENKINS_URL"] {
        let ended = server.run(&checkout).args(&["--force"]).env(variable, "true").run().with_code(0);
        assert!(ended.stderr.contains("left out"), "{}", ended.stderr);
        is_harmless(&ended.stderr);
        is_harmless(&ended.stdout);
    }
}

#[test]
fn what_services_say_is_no_command() {
    let user = User::new();
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    let checkout = user.checkout(&[("longshore.yaml", ONE_IMAGE), ("Dockerfile", &dockerfile)]);
    for operation in ["CreateRepository", "registry:PutManifest"] {
        let message = format!("x\\n{COMMAND}\\u001b]0;owned\\u0007");
        let faults = format!(
            "faults: [{{ operation: \"{operation}\", answer: {{ status: 400, code: Wrong, message: \"{message}\" }} }}]\n"
        );
        let server = user.serve_with_faults(&format!("data-{}", operation.len()), &faults);
        let ended = server.run(&checkout).args(&["--report", "report.json"]).env("GITHUB_ACTIONS", "true").run();
        assert!(ended.code != Some(0) && ended.stderr.contains("set-output"), "{}", ended.stderr);
        // The runner's own commands are ours here, one a line.
        is_harmless(&ended.stderr);
    }
}
