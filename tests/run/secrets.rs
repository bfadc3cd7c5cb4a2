//! The registry's password goes along with each push, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::user::{Proxy, User};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let below = |entry: fs::DirEntry| {
        if entry.file_type().unwrap().is_dir() { files(&entry.path()) } else { vec![entry.path()] }
    };
    entries.flat_map(below).collect()
}

#[test]
fn the_password_is_nowhere_after_a_run() {
    let user = User::new();
    let server = user.serve("data");
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one, two] } }\n";
    let dockerfile = user.dockerfile("COPY busybox /bin/sh\nRUN set >/variables; cat /variables\n");
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &dockerfile)]);
    checkout.add_busybox(".");
    let proxy = Proxy::start(server.variable("AWS_ENDPOINT_URL_ECR"), |_| None);
    let run = server.run(&checkout).args(&["--report", "report.json"]);
    let run = run.env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    let ended = run.run().with_code(0);

    let answers = proxy.answers("GetAuthorizationToken");
    assert_eq!(answers.len(), 1, "one token is enough for a run");
    let answer: serde_json::Value = serde_json::from_str(&answers[0]).unwrap();
    let token = answer["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
    let pair = String::from_utf8(STANDARD.decode(&token).unwrap()).unwrap();
    let password = pair.strip_prefix("AWS:").unwrap().to_owned();
    let secrets = [token, STANDARD.encode(&password), URL_SAFE.encode(&password), password];

    let inspected = user.docker(&["image", "inspect"]).args(&[&user.images()[0]]).succeeds();
    let history = user.docker(&["image", "history", "--no-trunc", &user.images()[0]]).succeeds();
    let mut texts = vec![
        ("stdout".to_owned(), ended.stdout.clone().into_bytes()),
        ("stderr".to_owned(), ended.stderr.clone().into_bytes()),
        ("the image's configuration".to_owned(), inspected.into_bytes()),
        ("the image's history".to_owned(), history.into_bytes()),
    ];
    let folders = [checkout.root().to_owned(), user.at("home"), user.at("docker"), user.at("tmp"), user.at("data")];
    texts.extend(folders.iter().flat_map(|folder| files(folder)).map(|file| {
        let bytes = fs::read(&file).unwrap();
        (file.display().to_string(), bytes)
    }));
    for (name, bytes) in &texts {
        let text = String::from_utf8_lossy(bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "a secret is in {name}");
    }
    assert!(texts.iter().any(|(name, _)| name.ends_with("report.json")));
    assert_eq!(files(&user.at("docker")), Vec::<PathBuf>::new(), "docker's configuration is not touched");
}
