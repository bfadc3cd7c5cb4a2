//! Images for several platforms: one index, each part with a key of its own, in one run or in several.

use serde_json::Value;

use crate::user::{Checkout, User};

const PIPELINE: &str = "\
version: 1
images:
  web:
    build: { context: app, platforms: [linux/amd64, linux/arm64] }
    repository: UNIQUE-web
    tags: [v1]
";

/// Each platform takes a file of its own, so that nothing is run that another machine would have to run.
fn checkout<'a>(user: &'a User, pipeline: &str) -> Checkout<'a> {
    let dockerfile = user.dockerfile("ARG TARGETARCH\nCOPY app-$TARGETARCH /app\n");
    let app = [("app/Dockerfile", dockerfile.as_str()), ("app/app-amd64", "amd"), ("app/app-arm64", "arm")];
    let files = [&[("longshore.yaml", pipeline)], app.as_slice()].concat();
    user.checkout(&files)
}

fn platforms(index: &Value) -> Vec<String> {
    let entries = index["manifests"].as_array().unwrap_or_else(|| panic!("no index: {index}")).iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries.map(|one| format!("{}/{}", text(&one["platform"]["os"]), text(&one["platform"]["architecture"]))).collect()
}

/// What a plan does for each platform of its first image.
fn actions(plan: &str) -> Vec<String> {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let parts = plan["images"][0]["parts"].as_array().unwrap().iter();
    parts.map(|part| format!("{} {}", part["action"].as_str().unwrap(), part["platform"].as_str().unwrap())).collect()
}

#[test]
fn one_index_of_all_platforms() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = checkout(&user, PIPELINE);
    let plan = server.env(checkout.longshore(&["plan", "--json"])).succeeds();
    assert_eq!(actions(&plan), ["build linux/amd64", "build linux/arm64"]);

    let ended = server.run(&checkout).args(&["--report", "report.json"]).run().with_code(0);
    assert!(ended.stderr.contains("no builder builds linux/arm64 natively"), "{}", ended.stderr);
    let index = server.raw(&user, "-web:v1");
    assert_eq!(platforms(&index), ["linux/amd64", "linux/arm64"]);
    let report: Value = serde_json::from_str(&checkout.read("report.json")).unwrap();
    let parts = report["images"][0]["parts"].as_array().unwrap();
    assert_eq!(parts[1]["digest"], index["manifests"][1]["digest"]);
    let digest = report["images"][0]["digest"].as_str().unwrap();
    assert!(checkout.read("imagedefinitions.json").contains(digest), "the index is what is deployed");
    for (platform, content) in [("amd64", "amd"), ("arm64", "arm")] {
        assert_eq!(server.file_of(&user, &format!("-web@{digest}"), platform, "app"), content);
    }

    let again = server.run(&checkout).run().with_code(0);
    assert!(again.stderr.contains("web: not built: its content did not change"), "{}", again.stderr);
    let key = server.env(checkout.longshore(&["key", "--json"])).succeeds();
    let key: Value = serde_json::from_str(&key).unwrap();
    let keys = &key["images"]["web"];
    assert_ne!(keys["key"], keys["platforms"]["linux/arm64"]["key"]);
    for platform in ["linux/amd64", "linux/arm64"] {
        let tag = keys["platforms"][platform]["tag"].as_str().unwrap();
        assert!(server.raw(&user, &format!("-web:{tag}"))["layers"].is_array(), "each part has a tag of its own");
    }
}

#[test]
fn a_platform_that_did_not_change_is_not_built_again() {
    let user = User::new();
    let server = user.serve("data");
    let bases = "version: 1\nimages:\n  amd64: { build: amd64, repository: UNIQUE-base-amd64, tags: [v1] }\n  \
                 arm64: { build: arm64, repository: UNIQUE-base-arm64, tags: [v1] }\n";
    let dockerfile = user.dockerfile("COPY file /\n");
    let files =
        ["amd64", "arm64"].map(|name| [(format!("{name}/Dockerfile"), &*dockerfile), (format!("{name}/file"), name)]);
    let files: Vec<_> = files.iter().flatten().map(|(name, text)| (name.as_str(), *text)).collect();
    let base = user.folder_of("base", &[&[("longshore.yaml", bases)], files.as_slice()].concat());
    server.run(&base).succeeds();
    let checkout = checkout(&user, PIPELINE);
    let from =
        format!("FROM {}/UNIQUE-base-$TARGETARCH:v1\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n", server.host());
    checkout.write("app/Dockerfile", &from);
    checkout.commit();
    server.run(&checkout).succeeds();
    base.write("arm64/file", "another");
    server.run(&base).succeeds();
    let plan = server.env(checkout.longshore(&["plan", "--json"])).succeeds();
    assert_eq!(actions(&plan), ["reuse linux/amd64", "build linux/arm64"]);
    let ended = server.run(&checkout).run().with_code(0);
    assert!(ended.stderr.contains("web linux/amd64: not built"), "{}", ended.stderr);
    assert_eq!(platforms(&server.raw(&user, "-web:v1")), ["linux/amd64", "linux/arm64"]);
}

#[test]
fn runs_for_one_platform_each_are_merged() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = checkout(&user, PIPELINE);
    let run = |platform: &str| server.run(&checkout).args(&["--platform", platform, "--stage-only"]);
    let merge = || server.env(checkout.longshore(&["merge"])).env("DOCKER_HOST", "unix:///nowhere.sock");

    let halved = server.run(&checkout).args(&["--platform", "linux/amd64"]).run().with_code(2);
    assert!(halved.err().starts_with("error: `--platform` leaves images"), "{}", halved.stderr);
    run("linux/amd64").run().with_code(0);
    let missing = merge().run().with_code(1);
    let expected = "\
error: the image of `web` for linux/arm64 is not in `UNIQUE-web` yet
caused by: no image in the repository has this content
caused by: it is looked for as `src-KEY`
hint: run `longshore run --platform linux/arm64 --stage-only web` from the same commit first, on a machine for it
";
    assert!(missing.err().ends_with(expected), "{}", missing.stderr);
    let tags = server.tags(&format!("{}-web", user.unique()));
    assert!(tags.keys().all(|tag| tag.starts_with("src-")), "nothing is released by halves");

    run("linux/arm64").run().with_code(0);
    let ended = merge().args(&["--timeline", "timeline.html", "--no-gate", "--jobs", "1"]).run().with_code(0);
    let page = checkout.read("timeline.html");
    assert!(page.contains("index of 2 images") && page.contains("assembled"), "{page}");
    assert!(ended.stderr.contains("assembled 2 images"), "{}", ended.stderr);
    assert_eq!(platforms(&server.raw(&user, "-web:v1")), ["linux/amd64", "linux/arm64"]);
    assert!(checkout.read("imagedefinitions.json").contains("-web@sha256:"));
    merge().run().with_code(0);
}

#[test]
fn one_manifest_or_an_index_as_it_is_wished() {
    let user = User::new();
    let server = user.serve("data");
    let of_kind = |kind: &str| {
        PIPELINE
            .replace("[linux/amd64, linux/arm64]", "linux/amd64")
            .replace("    tags", &format!("    manifest: {kind}\n    tags"))
    };
    let checkout = checkout(&user, &of_kind("single"));
    server.run(&checkout).succeeds();
    assert!(server.raw(&user, "-web:v1")["layers"].is_array());
    checkout.write("longshore.yaml", &of_kind("index"));
    let ended = server.run(&checkout).run().with_code(0);
    assert!(ended.stderr.contains("web linux/amd64: not built"), "{}", ended.stderr);
    assert_eq!(platforms(&server.raw(&user, "-web:v1")), ["linux/amd64"]);
}
