//! Lifecycle policies, from the pipeline file and by hand, against `longshore local` and with the AWS CLI beside it.

use serde_json::{Value, json};

use crate::user::{Call, Ended, LocalServer, User};

fn aws<'a>(user: &'a User, server: &'a LocalServer, arguments: &[&str]) -> Call {
    let endpoint = server.variable("AWS_ENDPOINT_URL_ECR");
    let all = [&["--endpoint-url", endpoint, "--output", "json", "ecr"], arguments].concat();
    server.env(user.program("aws", &user.at("home")).args(&all)).env("AWS_PAGER", "")
}

fn aws_json(user: &User, server: &LocalServer, arguments: &[&str]) -> Value {
    serde_json::from_str(&aws(user, server, arguments).succeeds()).unwrap()
}

fn lifecycle(user: &User, server: &LocalServer, arguments: &[&str]) -> Ended {
    server.env(user.longshore(&user.at("home"), &[&["lifecycle"], arguments].concat())).run()
}

/// An index that lists these images, pushed under a tag; without any it is the smallest image that there is.
fn push(user: &User, server: &LocalServer, tag: Option<&str>, name: &str, children: &[&str]) -> String {
    push_to(user, server, "web", tag, name, children)
}

fn push_to(
    user: &User,
    server: &LocalServer,
    repository: &str,
    tag: Option<&str>,
    name: &str,
    children: &[&str],
) -> String {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let manifests: Vec<Value> =
        children.iter().map(|digest| json!({ "mediaType": media_type, "digest": digest, "size": 1 })).collect();
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests, "annotations": { "name": name } });
    let text = manifest.to_string();
    let mut put = vec!["put-image", "--repository-name", repository, "--image-manifest", &text];
    put.extend(tag.into_iter().flat_map(|tag| ["--image-tag", tag]));
    let pushed = aws_json(user, server, &put);
    pushed["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
}

const KEEP_TWO: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}"#;

#[test]
fn simulate_preview_and_apply_on_a_repository() {
    let user = User::new();
    let server = user.serve("data");
    aws(&user, &server, &["create-repository", "--repository-name", "web"]).succeeds();
    let child = push(&user, &server, None, "child", &[]);
    let oldest = push(&user, &server, Some("prod"), "index", &[&child]);
    for tag in ["v1", "v2"] {
        push(&user, &server, Some(tag), tag, &[]);
    }
    user.write(&user.at("home/policy.json"), KEEP_TWO);

    let simulated = lifecycle(&user, &server, &["simulate", "web", "--policy", "policy.json", "--json"]).with_code(0);
    let simulated: Value = serde_json::from_str(&simulated.stdout).unwrap();
    let results = simulated["previewResults"].as_array().unwrap();
    assert_eq!(results.len(), 1, "{simulated:#}");
    assert_eq!(results[0]["imageDigest"], json!(oldest), "its child is as old, but protected and not ranked");
    let kept = simulated["kept"].to_string();
    assert!(kept.contains("an index lists them"), "{kept}");

    // The same from what the AWS CLI prints; it does not tell of children.
    let described = aws(&user, &server, &["describe-images", "--repository-name", "web"]).succeeds();
    user.write(&user.at("home/images.json"), &described);
    let offline = ["simulate", "--images", "images.json", "--policy", "policy.json"];
    let told = lifecycle(&user, &server, &offline).with_code(0).stdout;
    assert!(told.contains("2 expire, 0 archived, 2 stay"), "{told}");
    assert!(told.contains("rule 1: expire all images but the newest 2"), "{told}");

    let none = lifecycle(&user, &server, &["preview", "web"]).with_code(2);
    assert!(none.stderr.starts_with("error: repository `web` has no lifecycle policy\n"), "{}", none.stderr);
    let preview = lifecycle(&user, &server, &["preview", "web", "--policy", "policy.json"]).with_code(0);
    assert!(preview.stdout.ends_with("ECR's preview and the simulation agree\n"), "{}", preview.stdout);
    let theirs = aws_json(&user, &server, &["get-lifecycle-policy-preview", "--repository-name", "web"]);
    assert_eq!(theirs["summary"], simulated["summary"]);
    assert_eq!(theirs["previewResults"][0]["imageDigest"], json!(oldest));
    assert_eq!(theirs["previewResults"][0]["action"], json!({ "type": "EXPIRE" }));

    user.write(
        &user.at("home/longshore.yaml"),
        "version: 1\nenvironments:\n  prod: { branch: main }\nimages:\n  web: { build: . }\n",
    );
    let apply = ["apply", "web", "--policy", "policy.json"];
    let refused = lifecycle(&user, &server, &apply).with_code(2);
    refused.says(
        "\
error: the policy would delete `web:prod`, which is the image of environment `prod`
caused by: DIGEST
hint: put a rule above the others that matches `prod` and keeps it, or pass --yes
error: the policy would delete 2 of the 4 images in `web`, which is more than 20 %
hint: see which with `longshore lifecycle simulate`; then raise --max-expire, or pass --yes
",
    );
    assert!(aws(&user, &server, &["get-lifecycle-policy", "--repository-name", "web"]).run().code != Some(0));
    lifecycle(&user, &server, &[&apply[..], &["--yes"]].concat()).with_code(0);
    let put = aws_json(&user, &server, &["get-lifecycle-policy", "--repository-name", "web"]);
    assert_eq!(put["lifecyclePolicyText"], json!(KEEP_TWO));
    let stored = lifecycle(&user, &server, &["preview", "web", "--json"]).with_code(0);
    assert_eq!(serde_json::from_str::<Value>(&stored.stdout).unwrap()["agree"], json!(true));
}

#[test]
fn the_small_ecr_refuses_what_ecr_refuses() {
    let user = User::new();
    let server = user.serve("data");
    aws(&user, &server, &["create-repository", "--repository-name", "web"]).succeeds();
    let broken = KEEP_TWO.replace("\"any\"", "\"tagged\"");
    let put = ["put-lifecycle-policy", "--repository-name", "web", "--lifecycle-policy-text", &broken];
    let refused = aws(&user, &server, &put).run();
    let words = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation \
                 failure: Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'";
    assert!(
        refused.stderr.contains("InvalidParameterException") && refused.stderr.contains(words),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_new_repository_gets_the_policy_of_the_pipeline() {
    let user = User::new();
    let server = user.serve("data");
    let pipeline = "version: 1\nimages:\n  web:\n    build: .\n    repository:\n      name: UNIQUE/web\n      lifecycle: \
                    policies/web.yaml\n    tags: [one]\n";
    let checkout = user.checkout(&[
        ("longshore.yaml", pipeline),
        ("policies/web.yaml", "- keep_last: 5\n  tag_prefix: [v]\n- expire_untagged_after: 1d\n"),
        ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n")),
    ]);
    server.run(&checkout).succeeds();
    let name = format!("{}/web", user.unique());
    let put = aws_json(&user, &server, &["get-lifecycle-policy", "--repository-name", &name]);
    let policy: Value = serde_json::from_str(put["lifecyclePolicyText"].as_str().unwrap()).unwrap();
    assert_eq!(policy["rules"][0]["selection"]["tagPrefixList"], json!(["v"]));
    assert_eq!(policy["rules"][1]["selection"]["tagStatus"], json!("untagged"));
}

#[test]
fn copies_in_other_registries_are_told_of() {
    let user = User::new();
    let server = user.serve("data");
    aws(&user, &server, &["create-repository", "--repository-name", "shop/web"]).succeeds();
    for tag in ["v1", "v2", "v3"] {
        push_to(&user, &server, "shop/web", Some(tag), tag, &[]);
    }
    user.write(&user.at("home/policy.json"), KEEP_TWO);
    let simulate = ["simulate", "shop/web", "--policy", "policy.json"];
    let told = |arguments: &[&str]| lifecycle(&user, &server, arguments).with_code(0).stdout;
    let alone = told(&simulate);
    assert!(alone.ends_with("the registry replicates this repository nowhere: no copy is touched\n"), "{alone}");

    let to = |region: &str| json!({ "region": region, "registryId": "210987654321" });
    let filter = |prefix: &str| json!([{ "filter": prefix, "filterType": "PREFIX_MATCH" }]);
    let rules = json!({ "rules": [
        { "destinations": [to("eu-west-1")], "repositoryFilters": filter("shop/"), "deleteReplication": { "enabled": true } },
        { "destinations": [to("us-west-2")], "deleteReplication": { "enabled": false } },
        { "destinations": [to("sa-east-1")], "repositoryFilters": filter("web"), "deleteReplication": { "enabled": true } },
    ] });
    server.ask("PutReplicationConfiguration", &json!({ "replicationConfiguration": rules }));
    let told_now = told(&simulate);
    let expected = "each image that expires is deleted in 210987654321/eu-west-1 too: deleteReplication is on\n\
        the copies in 210987654321/us-west-2 stay: deleteReplication is off, and a policy acts in its own registry and region only\n";
    assert!(told_now.ends_with(expected), "{told_now}");
    let json: Value = serde_json::from_str(&told(&[&simulate[..], &["--json"]].concat())).unwrap();
    let destination = |region: &str, deletes: bool| json!({ "registryId": "210987654321", "region": region, "deleteReplication": deletes });
    let both = json!([destination("eu-west-1", true), destination("us-west-2", false)]);
    assert_eq!(json["replication"], json!({ "destinations": both }));
    let preview = told(&["preview", "shop/web", "--policy", "policy.json"]);
    assert!(preview.contains(expected), "{preview}");
    let refused = lifecycle(&user, &server, &["apply", "shop/web", "--policy", "policy.json"]).with_code(2);
    assert!(refused.stderr.contains(" is deleted in 210987654321/eu-west-1 too"), "{}", refused.stderr);
    let removed = server.env(user.longshore(&user.at("home"), &["images", "rm", "shop/web", "v1", "--yes"])).run();
    assert!(removed.with_code(0).stderr.contains("they go in 210987654321/eu-west-1 too"));

    let described = aws(&user, &server, &["describe-images", "--repository-name", "shop/web"]).succeeds();
    user.write(&user.at("home/images.json"), &described);
    let keep_one = KEEP_TWO.replace("\"countNumber\":2", "\"countNumber\":1");
    user.write(&user.at("home/one.json"), &keep_one);
    let offline = told(&["simulate", "--images", "images.json", "--policy", "one.json"]);
    assert!(offline.contains("replication was not asked about, since the images come from a file: "), "{offline}");
}

#[test]
fn a_role_that_may_not_see_the_registry_is_told_so() {
    let user = User::new();
    let denied =
        "faults: [{ operation: DescribeRegistry, answer: { status: 400, code: AccessDeniedException, message: no } }]";
    let server = user.serve_with_faults("data", denied);
    aws(&user, &server, &["create-repository", "--repository-name", "web"]).succeeds();
    for tag in ["v1", "v2", "v3"] {
        push(&user, &server, Some(tag), tag, &[]);
    }
    user.write(&user.at("home/policy.json"), KEEP_TWO);
    let told = lifecycle(&user, &server, &["simulate", "web", "--policy", "policy.json"]).with_code(0).stdout;
    let words = "cannot get the replication rules of the registry: AccessDeniedException: no; where a replication rule has \
                 deleteReplication on, each image that expires is deleted at every destination too\n";
    assert!(told.ends_with(words), "{told}");
}

/// Without its children a simulation would delete what ECR protects.
#[test]
fn an_index_that_cannot_be_read_is_no_index_of_nothing() {
    let user = User::new();
    let empty =
        r#"faults: [{ operation: BatchGetImage, answer: { status: 200, body: '{"images":[],"failures":[]}' } }]"#;
    let server = user.serve_with_faults("data", empty);
    aws(&user, &server, &["create-repository", "--repository-name", "web"]).succeeds();
    push(&user, &server, Some("v1"), "v1", &[]);
    user.write(&user.at("home/policy.json"), KEEP_TWO);
    let failed = lifecycle(&user, &server, &["simulate", "web", "--policy", "policy.json"]).stderr;
    assert!(failed.contains("ECR did not give the manifest of sha256:"), "{failed}");
}
