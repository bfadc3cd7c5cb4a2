//! What a run writes and prints.

use serde_json::{Value, json};

use crate::user::{Checkout, User, names};

fn checkout<'a>(user: &'a User, outputs: &str) -> Checkout<'a> {
    let pipeline = format!(
        "version: 1\nimages:\n  web: {{ build: ., repository: UNIQUE/web, tags: [one, two], container: front }}\n{outputs}"
    );
    user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))])
}

#[test]
fn image_detail_and_uris_by_tag() {
    let user = User::new();
    let outputs = "outputs: { image_definitions: out/defs.json, image_detail: imageDetail.json, image_uri: tag }\n";
    let checkout = checkout(&user, outputs);
    std::fs::create_dir(checkout.at("out")).unwrap();
    let server = user.serve("data");
    server.run(&checkout).succeeds();
    let uri = format!("{}/{}/web:one", server.host(), user.unique());
    let parsed = |name| -> Value { serde_json::from_str(&checkout.read(name)).unwrap() };
    assert_eq!(parsed("out/defs.json"), json!([{ "name": "front", "imageUri": uri }]));
    assert_eq!(parsed("imageDetail.json"), json!({ "ImageURI": uri }));
    let all = [".git", "Dockerfile", "imageDetail.json", "longshore.yaml", "out"];
    assert_eq!(names(checkout.root()), all, "and no other file");
}

#[test]
fn what_a_run_writes_does_not_change_what_the_next_one_builds() {
    let user = User::new();
    let checkout = checkout(&user, "");
    checkout.write("Dockerfile", &user.dockerfile("COPY . /everything/\n"));
    checkout.commit();
    let server = user.serve("data");
    let run = || server.run(&checkout).args(&["--report", "report.json"]).succeeds();
    let first = run();
    assert!(checkout.at("imageDefinitions.json").exists() && checkout.at("report.json").exists());
    assert_eq!(run(), first);
}

#[test]
fn the_report_is_the_same_on_stdout_and_in_the_file() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let ended = server.run(&checkout).args(&["--json", "--report", "report.json"]).run().with_code(0);
    assert_eq!(ended.stdout, checkout.read("report.json"));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["status"], &report["exit_code"]),
        (&json!(1), &json!("succeeded"), &json!(0))
    );
    assert_eq!(report["registry"], json!(server.host()));
    assert_eq!(report["repositories"], json!([{ "name": format!("{}/web", user.unique()), "state": "created" }]));
    assert_eq!(report["errors"], json!([]));
    let image = &report["images"][0];
    assert_eq!((&image["name"], &image["container"]), (&json!("web"), &json!("front")));
    assert_eq!((&image["status"], &image["action"]), (&json!("published"), &json!("build")));
    let reference = |tag| format!("{}/{}/web:{tag}", server.host(), user.unique());
    assert_eq!(image["references"], json!([reference("one"), reference("two")]));
    assert!(image["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(image["size_bytes"].as_u64().unwrap() > 100 && image["build_seconds"].is_number(), "{image}");
}

#[test]
fn the_report_is_written_also_where_the_pipeline_file_is_wrong() {
    let user = User::new();
    let folder =
        user.folder_of("source", &[("longshore.yaml", "version: 1\nimages:\n  web: { build: ., tagz: [a] }\n")]);
    let ended = folder.run_local(&["--report", "report.json", "--json"]).run().with_code(2);
    let error = "\
error: unknown field `tagz` in `images.web`
 --> longshore.yaml:3:20
  |
3 |   web: { build: ., tagz: [a] }
  |                    ^^^^
hint: did you mean `tags`?
";
    assert!(ended.err().starts_with(error), "{}", ended.err());
    assert_eq!(ended.stdout, folder.read("report.json"));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&report["status"], &report["exit_code"]), (&json!("failed"), &json!(2)));
    assert_eq!(report["images"], json!([]));
    let expected = json!({
        "message": "unknown field `tagz` in `images.web`",
        "exit_code": 2,
        "place": { "file": "longshore.yaml", "line": 3, "column": 20 },
        "caused_by": [],
        "hints": ["did you mean `tags`?"],
    });
    assert_eq!(report["errors"][0], expected);
}

#[test]
fn quiet_means_that_only_results_and_what_goes_wrong_are_told() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let ended = checkout.run_local(&["--progress", "quiet"]).run().with_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\nHOST/UNIQUE/web:two DIGEST\n");
    checkout.write("Dockerfile", &user.dockerfile("COPY missing /\n"));
    let ended = checkout.run_local(&["--progress", "quiet"]).run().with_code(1);
    assert!(ended.err().contains("error: image `web`: step `[1/1] COPY missing /` failed\n"), "{}", ended.err());
}
