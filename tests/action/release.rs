//! A release, from the tag to the runner's PATH: what the release workflow runs, and what the action then installs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::runner::{root, uses};
use crate::user::User;

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The `run` of the step of a job that has this word in it.
fn step(job: &str, word: &str) -> String {
    let text = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let mut runs = steps.iter().filter_map(|step| step["run"].as_str()).filter(|run| run.contains(word));
    let found = runs.next().unwrap_or_else(|| panic!("no step of `{job}` runs `{word}`")).to_owned();
    assert_eq!(runs.next(), None);
    found
}

/// A file server on loopback; gives its address.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked = head.next().unwrap_or_default();
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let path = asked.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
            let (status, body) = match std::fs::read(folder.join(path)) {
                Ok(bytes) => ("200 OK", bytes),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that goes away is its own affair.
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body));
        }
    });
    address
}

/// The archive of the program under test, made as the release workflow has it made.
fn archived(user: &User, folder: &Path) {
    let command = step("build", "archive.sh").replace(" dist", " \"$FOLDER\"");
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let call = user.program("bash", root()).args(&["-euo", "pipefail", "-c", &command]);
    let call = call.env("GITHUB_REF_NAME", VERSION).env("TARGET", &target).env("FOLDER", folder);
    call.env("ARCHIVE_BINARY", env!("CARGO_BIN_EXE_longshore")).succeeds();
}

#[test]
fn the_action_installs_what_the_release_workflow_makes() {
    let user = User::new();
    let releases = user.at("download");
    let dist = releases.join(VERSION);
    archived(&user, &dist);

    // The draft gets every file, and only after their checksums were looked at.
    let published = step("publish", "gh release create");
    let bin = user.at("bin");
    user.write(&bin.join("gh"), "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$RECORD\"\n");
    user.program("chmod", &releases).args(&["+x", "../bin/gh"]).succeeds();
    std::fs::rename(&dist, releases.join("dist")).unwrap();
    let publish = || {
        let call = user.program("bash", &releases).args(&["-euo", "pipefail", "-c", &published]);
        let call = call.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
        call.env("GITHUB_REF_NAME", VERSION).env("GITHUB_REPOSITORY", "octo/longshore").env("RECORD", user.at("gh"))
    };
    publish().succeeds();
    let name = format!("longshore-{VERSION}-{}-unknown-linux-gnu.tar.gz", std::env::consts::ARCH);
    let asked = std::fs::read_to_string(user.at("gh")).unwrap();
    assert!(asked.starts_with(&format!("release\ncreate\n{VERSION}\n--repo\nocto/longshore\n--draft\n")), "{asked}");
    assert!(asked.ends_with(&format!("dist/{name}\ndist/{name}.sha256\n")), "{asked}");
    std::fs::rename(releases.join("dist"), &dist).unwrap();

    // Over HTTP, as from GitHub.
    let address = serve(releases.clone());
    let checkout = user.checkout(&[
        ("longshore.yaml", "version: 1\nimages: { web: { build: ., tags: [one] } }\n"),
        ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n")),
    ]);
    let server = user.serve("data");
    let with = |more: &[(&str, &str)]| uses(&user, &checkout, Some(&server), more, &[("LONGSHORE_RELEASES", &address)]);
    let outcome = with(&[("command", "plan")]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.raw);
    assert_eq!(outcome.outputs["matrix"], "[\"web\"]");
    let installed = user.at("runner/tools/longshore").join(env!("CARGO_PKG_VERSION"));
    assert!(installed.exists(), "it is in the tool cache");

    // What is in the archive besides: the licences, and what there is to read.
    let listed = user.program("tar", &dist).args(&["-tzf", &name]).succeeds();
    assert!(listed.starts_with("longshore\nLICENSE-APACHE\nLICENSE-MIT\nREADME.md\nCHANGELOG.md\ndocs/\n"), "{listed}");
    assert!(listed.contains("docs/tags.md\n"), "the pages that the README leads to: {listed}");

    // An archive that is not what its checksum says is not installed, and not published.
    std::fs::remove_dir_all(user.at("runner")).unwrap();
    let mut bytes = std::fs::read(dist.join(&name)).unwrap();
    bytes.push(0);
    std::fs::write(dist.join(&name), bytes).unwrap();
    let refused = with(&[("command", "plan")]);
    assert_eq!(refused.code, Some(2), "{}", refused.raw);
    assert!(refused.raw.contains(&format!("`{name}` has the SHA-256 ")), "{}", refused.raw);
    std::fs::rename(&dist, releases.join("dist")).unwrap();
    assert_ne!(publish().run().code, Some(0));
}

#[test]
fn a_tag_that_is_not_the_version_is_refused() {
    let user = User::new();
    let script = root().join("scripts/archive.sh");
    let call = user.program("bash", root()).arg(&script).args(&["v999.0.0", "x86_64-unknown-linux-gnu"]);
    let refused = call.arg(user.at("dist")).run().with_code(1);
    assert!(refused.stderr.starts_with("error: the tag is v999.0.0, but Cargo.toml says v"), "{}", refused.stderr);
}
