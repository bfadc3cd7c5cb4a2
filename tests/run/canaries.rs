//! Secrets from every source, each recognisable, and nowhere to be found after runs that succeed and runs that fail.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::user::{Call, Checkout, Ended, LocalServer, User};

/// Where each secret comes from, and what it is.
const CANARIES: [(&str, &str); 8] = [
    ("AWS_SECRET_ACCESS_KEY", "canary0aws0secret0key"),
    ("AWS_SESSION_TOKEN", "canary0aws0session0token"),
    ("the docker configuration", "canary0docker0password"),
    ("a build secret of the environment", "canary0secret0of0env"),
    ("a build secret of a file", "canary0secret0of0file"),
    ("the remote of git", "canary0remote0password"),
    ("the address of an archive", "canary0query0of0url"),
    ("the proxy", "canary0proxy0password"),
];

const PIPELINE: &str = "\
version: 1
secrets:
  of-env: { environment: BUILD_SECRET }
  of-file: { file: ../secret.txt }
images:
  web:
    build:
      context: .
      secrets: [of-env, of-file]
      labels: { canary: none }
    repository: UNIQUE/web
    tags: [x, sha]
  remote:
    build: \"http://127.0.0.1:9/context.tar?token=${ARCHIVE_TOKEN}\"
    repository: UNIQUE/remote
    tags: [x]
";

fn files(folder: &Path) -> Vec<PathBuf> {
    let below = |path: PathBuf| {
        if path.is_symlink() {
            Vec::new()
        } else if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    fs::read_dir(folder).unwrap().flat_map(|entry| below(entry.unwrap().path())).collect()
}

/// Fails if a secret is in this text, as it is or in an encoding of it.
#[track_caller]
fn is_clean(name: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (source, canary) in CANARIES {
        for form in [canary.to_owned(), STANDARD.encode(canary), URL_SAFE.encode(canary)] {
            // The end of an encoded text depends on what follows.
            let form = form.trim_end_matches('=');
            let form = &form[..form.len() - 2];
            assert!(!text.contains(form), "{source} is in {name}:\n{text}");
        }
    }
}

#[track_caller]
fn are_clean(shown: &str, ended: &Ended) {
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    is_clean(&format!("stdout of {shown}"), ended.stdout.as_bytes());
    is_clean(&format!("stderr of {shown}"), ended.stderr.as_bytes());
}

fn with_secrets(call: Call, checkout: &Checkout<'_>) -> Call {
    call.env("AWS_SECRET_ACCESS_KEY", CANARIES[0].1)
        .env("AWS_SESSION_TOKEN", CANARIES[1].1)
        .env("BUILD_SECRET", CANARIES[3].1)
        .env("ARCHIVE_TOKEN", CANARIES[6].1)
        .env("HTTPS_PROXY", format!("http://user:{}@127.0.0.1:9", CANARIES[7].1))
        .env("GITHUB_STEP_SUMMARY", checkout.at("out/summary.md"))
        .env("GITHUB_OUTPUT", checkout.at("out/output"))
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
}

fn prepare(user: &User, last: &str) -> Vec<(&'static str, String)> {
    let secrets = "--mount=type=secret,id=of-env --mount=type=secret,id=of-file";
    let dockerfile = user.dockerfile(&format!(
        "COPY busybox /bin/sh\nRUN {secrets} test -s /run/secrets/of-env && test -s /run/secrets/of-file\n{last}"
    ));
    user.write(&user.at("secret.txt"), CANARIES[4].1);
    let password = STANDARD.encode(format!("user:{}", CANARIES[2].1));
    user.write(
        &user.at("docker/config.json"),
        &format!("{{\"auths\": {{\"127.0.0.1:9\": {{\"auth\": \"{password}\"}}}}}}"),
    );
    vec![("longshore.yaml", PIPELINE.to_owned()), ("Dockerfile", dockerfile)]
}

fn checkout<'a>(user: &'a User, last: &str) -> Checkout<'a> {
    let prepared = prepare(user, last);
    let files: Vec<(&str, &str)> = prepared.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let checkout = user.checkout(&files);
    checkout.add_busybox(".");
    checkout.commit();
    checkout.git(&["remote", "add", "origin", &format!("https://user:{}@127.0.0.1:9/shop.git", CANARIES[5].1)]);
    fs::create_dir(checkout.at("out")).unwrap();
    checkout
}

/// Every file that the user has, but for those in which a secret was given.
fn everything_left(user: &User, checkout: &Checkout<'_>) {
    let given = [user.at("secret.txt"), user.at("docker/config.json"), checkout.at(".git/config")];
    let folders = ["home", "docker", "tmp", "data"].map(|name| user.at(name));
    for file in folders.iter().chain([&checkout.root().to_owned()]).flat_map(|folder| files(folder)) {
        if !given.contains(&file) {
            is_clean(&file.display().to_string(), &fs::read(&file).unwrap());
        }
    }
}

fn run(server: &LocalServer, checkout: &Checkout<'_>, image: &str, progress: &str) -> Ended {
    let outputs = ["--report", "out/report.json", "--timeline", "out/timeline.html", "--env-file", "out/env"];
    let more = ["--properties", "out/properties", "--emf", "--progress", progress, image];
    with_secrets(server.run(checkout).args(&outputs).args(&more), checkout).run()
}

#[test]
fn no_secret_is_anywhere_after_a_run() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    for progress in ["plain", "json"] {
        let ended = run(&server, &checkout, "web", progress).with_code(0);
        are_clean(progress, &ended);
    }
    for file in ["report.json", "timeline.html", "env", "properties"] {
        assert!(checkout.at("out").join(file).exists(), "{file}");
    }
    let image = &user.images()[0];
    is_clean("the configuration", user.docker(&["image", "inspect"]).args(&[image]).succeeds().as_bytes());
    is_clean("the history", user.docker(&["image", "history", "--no-trunc", image]).succeeds().as_bytes());
    let saved = user.at("image.tar");
    user.docker(&["image", "save", "--output", saved.to_str().unwrap(), image]).succeeds();
    is_clean("the layers", &fs::read(&saved).unwrap());
    everything_left(&user, &checkout);
    let commands: [&[&str]; 8] = [
        &["config"],
        &["facts"],
        &["facts", "--json"],
        &["tags", "web", "--json"],
        &["key", "--explain", "--json"],
        &["plan", "--json"],
        &["doctor", "--json"],
        &["iam"],
    ];
    for command in commands {
        let ended = with_secrets(server.env(checkout.longshore(command)), &checkout).run();
        are_clean(&command.join(" "), &ended);
    }
}

#[test]
fn no_secret_is_anywhere_after_a_run_that_fails() {
    let user = User::new();
    let checkout = checkout(&user, "RUN cat /nothing\n");
    let server = user.serve("data");
    for image in ["web", "remote"] {
        let ended = run(&server, &checkout, image, "plain");
        assert_ne!(ended.code, Some(0), "{}", ended.stderr);
        are_clean(image, &ended);
    }
    everything_left(&user, &checkout);
}

/// GitHub must be told what to hide, which is the one place where a token is printed: in the command that hides it.
#[test]
fn on_github_the_token_is_printed_only_to_be_hidden() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let call = with_secrets(server.run(&checkout).args(&["web"]), &checkout).env("GITHUB_ACTIONS", "true");
    let ended = call.run().with_code(0);
    let rest = |text: &str| text.lines().filter(|line| !line.starts_with("::add-mask::")).collect::<String>();
    is_clean("stdout", rest(&ended.stdout).as_bytes());
    is_clean("stderr", rest(&ended.stderr).as_bytes());
    everything_left(&user, &checkout);
}

/// A line of the pipeline file is shown where it is wrong, and a secret may stand beside what is.
#[test]
fn no_secret_of_the_pipeline_file_is_shown_with_an_error() {
    let user = User::new();
    let (argument, variable, query) = (CANARIES[3].1, "${BUILD_SECRET}", CANARIES[6].1);
    let remote = format!("https://user:{}@127.0.0.1:9/a.git?token={query}", CANARIES[5].1);
    let wrong = [
        format!("{{ context: ., args: {{ NPM_TOKEN: {argument} }}, dockerfle: x }}"),
        format!("{{ context: ., args: {{ NPM_TOKEN: [{argument}] }} }}"),
        format!("{{ context: ., args: [\"NPM_TOKEN={argument}\"], args: [] }}"),
        format!("{{ context: ., args: {{ NPM_TOKEN: {argument}, A: @b }} }}"),
        format!("{{ context: \"{remote}\", pull: perhaps }}"),
        format!("{{ context: ., pull: \"{variable}\" }}"),
        format!("{{ context: ., platforms: [\"{variable}\"] }}"),
    ];
    let server = user.serve("data");
    for build in wrong {
        let pipeline = format!("version: 1\nimages:\n  web:\n    repository: shop/web\n    build: {build}\n");
        let checkout = user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", "FROM scratch\n")]);
        fs::create_dir_all(checkout.at("out")).unwrap();
        let commands: [&[&str]; 4] = [
            &["config"],
            &["plan", "--json"],
            &["run", "--json", "--report", "out/report.json"],
            &["doctor", "--json"],
        ];
        for command in commands {
            for github in ["", "true"] {
                let call = with_secrets(server.env(checkout.longshore(command)), &checkout);
                let ended = call.env("GITHUB_ACTIONS", github).run();
                assert_ne!(ended.code, Some(0), "{build} is wrong");
                are_clean(&format!("{command:?} with {build}"), &ended);
                assert!(
                    command[0] == "doctor" || ended.stderr.contains("build: {"),
                    "the line is shown: {}",
                    ended.stderr
                );
            }
        }
        let given = checkout.at("longshore.yaml");
        for file in
            files(checkout.root()).into_iter().filter(|file| *file != given && !file.starts_with(checkout.at(".git")))
        {
            is_clean(&file.display().to_string(), &fs::read(&file).unwrap());
        }
    }
}

/// What a panic says may hold anything. The program that tests run has a fault for it that no release has.
#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release cannot be made to panic")]
fn no_secret_is_anywhere_after_a_panic() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let known_at = |step: &str| match step {
        // The secret of a file is read when a build begins.
        "files" => vec![0, 1, 3, 5, 6, 7],
        _ => vec![0, 1, 3, 4, 5, 6, 7],
    };
    // What panics on a thread of its own is told in another way.
    for (step, github, place) in [
        ("run", "", "src/commands/run.rs:"),
        ("files", "", "src/commands/key.rs:"),
        ("run", "true", "src/commands/run.rs:"),
    ] {
        let said: Vec<&str> = known_at(step).into_iter().map(|number| CANARIES[number].1).collect();
        let panic = format!("{step} the message is {}", said.join(" and "));
        let outputs = ["--report", "out/report.json", "--timeline", "out/timeline.html", "--force", "web"];
        let call = with_secrets(server.run(&checkout).args(&outputs), &checkout);
        let ended = call.env("GITHUB_ACTIONS", github).env("LONGSHORE_TEST_PANIC", panic).run().with_code(70);
        let shown: String = ended.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        for wanted in ["defect of", "the message is *** and ***", place, "report it, please"] {
            assert!(shown.contains(wanted), "{wanted} is not in {}", ended.stderr);
        }
        is_clean("stdout", ended.stdout.as_bytes());
        is_clean("stderr", shown.as_bytes());
        everything_left(&user, &checkout);
    }
}
