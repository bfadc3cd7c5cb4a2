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
    assert_eq!(ended.err(), "");
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\nHOST/UNIQUE/web:two DIGEST\n");
    checkout.write("Dockerfile", &user.dockerfile("COPY missing /\n"));
    let ended = checkout.run_local(&["--progress", "quiet"]).run().with_code(1);
    assert!(ended.err().contains("error: image `web`: step `[1/1] COPY missing /` failed\n"), "{}", ended.err());
}

#[test]
fn variables_for_what_comes_next_are_written_and_gone_after_a_failure() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let files = ["--env-file", "out.env", "--properties", "out.properties"];
    server.run(&checkout).args(&files).succeeds();
    let sourced =
        user.program("sh", checkout.root()).args(&["-euc", ". ./out.env; echo \"$IMAGE_WEB_TAGS $IMAGE_URI\""]);
    let definitions: Value = serde_json::from_str(&checkout.read("imageDefinitions.json")).unwrap();
    assert_eq!(sourced.succeeds(), format!("one,two {}\n", definitions[0]["imageUri"].as_str().unwrap()));
    assert_eq!(checkout.read("out.env"), checkout.read("out.properties"), "no value here needs escaping");

    checkout.write("Dockerfile", &user.dockerfile("COPY missing /\n"));
    server.run(&checkout).args(&files).run().with_code(1);
    for name in ["out.env", "out.properties", "imageDefinitions.json", "imagedefinitions.json"] {
        assert!(!checkout.at(name).exists(), "{name} would pass for this run's");
    }
}

#[test]
fn images_whose_variables_would_have_one_name_are_refused_before_the_build() {
    let user = User::new();
    let pipeline = "version: 1\nimages:\n  web-a: { build: ., repository: UNIQUE/a, tags: [x] }\n  web_a: { build: ., \
                    repository: UNIQUE/b, tags: [x] }\n";
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile(""))]);
    checkout.run_local(&["--env-file", "out.env", "--progress", "quiet"]).run().with_code(2).says(
        "\
error: images `web-a` and `web_a` would both be IMAGE_WEB_A_URI in the file of variables
hint: rename one of them, or take the names from `--report`
",
    );
}

#[test]
fn after_a_failed_phase_of_codebuild_there_is_no_deploy_file() {
    let user = User::new();
    let checkout = checkout(&user, "");
    checkout.write("imagedefinitions.json", "[]");
    let codebuild = [("CODEBUILD_BUILD_ID", "shop:1"), ("CODEBUILD_BUILD_SUCCEEDING", "0")];
    let ended = checkout.run_local(&[]).envs(&codebuild).run().with_code(0);
    let told = "CODEBUILD_BUILD_SUCCEEDING is 0: an earlier phase failed, so no deploy file is written\n";
    assert!(ended.err().ends_with(told), "{}", ended.err());
    assert!(!checkout.at("imagedefinitions.json").exists() && !checkout.at("imageDefinitions.json").exists());
    let privileged = checkout.run_local(&["--force"]).env("DOCKER_HOST", "unix:///no.sock").envs(&codebuild);
    let hint = "hint: turn on privileged mode for the CodeBuild project; without it there is no Docker daemon\n";
    assert!(privileged.run().with_code(4).err().ends_with(hint));
}

#[test]
fn a_pipeline_can_come_on_standard_input() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let pipeline = std::fs::File::open(checkout.at("longshore.yaml")).unwrap();
    let ended = checkout.longshore(&["tags", "--file", "-"]).stdin(pipeline).run().with_code(0);
    assert_eq!(ended.stdout, "one\ntwo\n");
    let wrong = user.at("wrong.yaml");
    user.write(&wrong, "version: 1\n");
    let ended = checkout.longshore(&["tags", "-f", "-"]).stdin(std::fs::File::open(wrong).unwrap()).run().with_code(2);
    assert!(ended.err().starts_with("error: `standard input` has no `images`\n"), "{}", ended.err());
}

#[test]
fn a_task_definition_is_written_with_the_images_of_the_run() {
    let user = User::new();
    let outputs = "outputs: { task_definition: { template: taskdef.json, file: taskdef.rendered.json } }\n";
    let checkout = checkout(&user, outputs);
    checkout.write("taskdef.json", r#"{"family": "shop", "containerDefinitions": [{"name": "front", "image": "x"}]}"#);
    checkout.commit();
    let server = user.serve("data");
    server.run(&checkout).succeeds();
    let parsed = |name: &str| -> Value { serde_json::from_str(&checkout.read(name)).unwrap() };
    let expected = json!([{ "name": "front", "image": parsed("imageDefinitions.json")[0]["imageUri"] }]);
    assert_eq!(parsed("taskdef.rendered.json"), json!({ "family": "shop", "containerDefinitions": expected }));

    // A container that the task definition does not have is found before the build.
    checkout.write("taskdef.json", r#"{"containerDefinitions": [{"name": "web", "image": "x"}]}"#);
    let ended = server.run(&checkout).args(&["--force", "--progress", "quiet"]).run().with_code(2);
    let error = "error: `taskdef.json` has no container `front`\nhint: it has `web`; set the image's `container` to one of them\n";
    assert!(ended.err().ends_with(error), "{}", ended.err());
    assert!(!checkout.at("taskdef.rendered.json").exists(), "that of the earlier run is gone");
}

#[test]
fn metrics_are_printed_into_the_log() {
    let user = User::new();
    let checkout = checkout(&user, "");
    let server = user.serve("data");
    let metrics = |code| -> Vec<Value> {
        let ended = server.run(&checkout).args(&["--emf"]).run().with_code(code);
        ended
            .stderr
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let [image, run] = metrics(0).try_into().unwrap();
    assert_eq!((&image["Repository"], &image["Reused"]), (&json!(format!("{}/web", user.unique())), &json!(0)));
    assert!(image["BytesPushed"].as_u64().unwrap() > 0 && image["BuildSeconds"].is_number(), "{image}");
    assert_eq!(
        (&run["ImagesBuilt"], &run["ImagesReused"], &run["BytesPushed"]),
        (&json!(1), &json!(0), &image["BytesPushed"])
    );
    // Each name that is declared is there, as the format demands.
    for line in [&image, &run] {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{line}");
        }
    }
    let [image, run] = metrics(0).try_into().unwrap();
    assert_eq!((&image["Reused"], &image["BytesPushed"], &run["ImagesReused"]), (&json!(1), &json!(0), &json!(1)));
    checkout.write("Dockerfile", &user.dockerfile("COPY missing /\n"));
    assert_eq!(metrics(1)[0]["Failed"], json!(1));
}
