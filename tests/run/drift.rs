//! Repositories whose settings are not as the pipeline file states, against `longshore local` with the AWS CLI beside it.

use serde_json::{Value, json};

use crate::user::{Call, Checkout, Ended, LocalServer, User};

fn aws(user: &User, server: &LocalServer, arguments: &[&str]) -> Call {
    let endpoint = server.variable("AWS_ENDPOINT_URL_ECR");
    let all = [&["--endpoint-url", endpoint, "--output", "json", "ecr"], arguments].concat();
    server.env(user.program("aws", &user.at("home")).args(&all)).env("AWS_PAGER", "")
}

fn aws_json(user: &User, server: &LocalServer, arguments: &[&str]) -> Value {
    serde_json::from_str(&aws(user, server, arguments).succeeds()).unwrap()
}

fn repo(user: &User, server: &LocalServer, arguments: &[&str]) -> Ended {
    server.env(user.longshore(&user.at("home"), &[&["repo"], arguments].concat())).run()
}

fn create(user: &User, server: &LocalServer, name: &str, more: &[&str]) {
    aws(user, server, &[&["create-repository", "--repository-name", name], more].concat()).succeeds();
}

fn pipeline(user: &User, repository: &str) {
    let text = format!(
        "version: 1\nimages:\n  web:\n    build: .\n    tags: [sha]\n    repository: {{ name: web, {repository} }}\n"
    );
    user.write(&user.at("home/longshore.yaml"), &text);
}

const POLICY: &str = r#"{"Statement":{"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"],"Effect":"Allow","Principal":{"AWS":"123456789012"},"Sid":"pull"},"Version":"2012-10-17"}"#;

#[test]
fn plan_says_what_differs_and_apply_sets_it() {
    let user = User::new();
    let server = user.serve("data");
    create(&user, &server, "web", &["--tags", "Key=team,Value=old", "Key=who,Value=me"]);
    create(&user, &server, "other", &["--tags", "Key=who,Value=me"]);
    pipeline(
        &user,
        "tag_mutability: { mode: IMMUTABLE, except: [latest, 'src-*'] }, resource_tags: { team: shop }, \
         lifecycle: [{ expire_untagged_after: 1d }], policy: { pull: ['123456789012'] }",
    );
    let expected = "\
registry HOST
~ repository web
  ~ tag_mutability is MUTABLE, and should be IMMUTABLE except latest, src-*
  ~ lifecycle is missing
      + {\"rulePriority\":1,\"description\":\"expire after 1d: untagged\",\"selection\":{\"tagStatus\":\"untagged\",\
         \"countType\":\"sinceImagePushed\",\"countUnit\":\"days\",\"countNumber\":1},\"action\":{\"type\":\"expire\"}}
  ~ policy is missing
      + {\"Sid\":\"pull\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"123456789012\"]},\"Action\":\
         [\"ecr:BatchGetImage\",\"ecr:GetDownloadUrlForLayer\"]}
  ~ resource_tags lack team=shop
";
    let planned = repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(2);
    assert_eq!(planned.out(), expected);
    let json: Value = serde_json::from_str(&repo(&user, &server, &["plan", "--json"]).with_code(0).stdout).unwrap();
    let changes = &json["registries"][0]["repositories"][0]["changes"];
    let settings: Vec<&Value> = changes.as_array().unwrap().iter().map(|change| &change["setting"]).collect();
    assert_eq!(settings, ["tag_mutability", "lifecycle", "policy", "resource_tags"]);
    assert_eq!(changes[3]["there"], json!({ "team": "old" }), "what is not stated is left alone");

    let applied = repo(&user, &server, &["apply"]).with_code(0);
    let set: Vec<String> = ["tag_mutability", "lifecycle", "policy", "resource_tags"]
        .map(|setting| format!("set {setting} of repository web\n"))
        .to_vec();
    assert_eq!(applied.err(), set.concat());
    assert_eq!(
        repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(0).out(),
        "registry HOST\n= repository web\n\nnothing to do\n"
    );
    assert_eq!(repo(&user, &server, &["apply"]).with_code(0).err(), "", "what is as it should be is not set again");

    let tags = |name: &str| {
        let arn = format!("arn:aws:ecr:us-east-1:123456789012:repository/{name}");
        aws_json(&user, &server, &["list-tags-for-resource", "--resource-arn", &arn])["tags"].clone()
    };
    let who = json!({ "Key": "who", "Value": "me" });
    assert_eq!(tags("web"), json!([{ "Key": "team", "Value": "shop" }, who]));
    repo(&user, &server, &["apply", "--prune-tags"]).with_code(0);
    assert_eq!(tags("web"), json!([{ "Key": "team", "Value": "shop" }]));
    assert_eq!(tags("other"), json!([who]), "a repository that is not in the file is not touched");

    // The same policy in another spelling is no drift.
    aws(&user, &server, &["set-repository-policy", "--repository-name", "web", "--policy-text", POLICY]).succeeds();
    repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(0);
    let other = POLICY.replace("123456789012", "210987654321");
    aws(&user, &server, &["set-repository-policy", "--repository-name", "web", "--policy-text", &other]).succeeds();
    let planned = repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(2);
    assert!(planned.out().contains("  ~ policy is another\n      - {\"Action\":"), "{}", planned.out());
}

#[test]
fn encryption_cannot_be_changed() {
    let user = User::new();
    let server = user.serve("data");
    create(&user, &server, "web", &[]);
    pipeline(&user, "encryption: KMS, tag_mutability: IMMUTABLE");
    let planned = repo(&user, &server, &["plan"]).with_code(2);
    // Before it stands that a tag moves, which is told first because it is a warning.
    let expected = "\
error: the encryption of repository `web` is not the stated one, and cannot be changed
 --> longshore.yaml:6:25
  |
6 |     repository: { name: web, encryption: KMS, tag_mutability: IMMUTABLE }
  |                         ^^^
caused by: encryption is AES256, and should be KMS
hint: making it anew deletes its images, tags and scan results: copy them to another repository with `longshore copy`, \
         delete `web`, run again, and copy them back; until then nobody can pull them
hint: or state the encryption that it has
";
    assert!(planned.err().ends_with(expected), "{}", planned.err());
    let applied = repo(&user, &server, &["apply"]).with_code(2);
    assert_eq!(applied.err(), expected);
    let described = aws_json(&user, &server, &["describe-repositories"]);
    assert_eq!(described["repositories"][0]["imageTagMutability"], json!("MUTABLE"), "nothing was changed");
}

#[test]
fn scans_count_as_they_are_in_effect() {
    let user = User::new();
    let server = user.serve("data");
    create(&user, &server, "web", &[]);
    pipeline(&user, "scan_on_push: true");
    let planned = repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(2);
    assert!(planned.out().contains("  ~ scan_on_push should be true, and scans are MANUAL\n"), "{}", planned.out());
    repo(&user, &server, &["apply"]).with_code(0);
    repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(0);

    // Inspector does not look at a repository's own switch.
    let rule = "scanFrequency=CONTINUOUS_SCAN,repositoryFilters=[{filter=other,filterType=WILDCARD}]";
    let put = ["put-registry-scanning-configuration", "--scan-type", "ENHANCED", "--rules", rule];
    aws(&user, &server, &put).succeeds();
    repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(2);
    let stuck = repo(&user, &server, &["apply"]).with_code(2);
    assert!(stuck.err().contains("error: repository `web` stays as it is\n"), "{}", stuck.err());
    repo(&user, &server, &["apply", "--registry-wide"]).with_code(0);
    let now = aws_json(&user, &server, &["get-registry-scanning-configuration"]);
    let frequencies: Vec<&str> = now["scanningConfiguration"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["scanFrequency"].as_str().unwrap())
        .collect();
    assert_eq!(frequencies, ["CONTINUOUS_SCAN", "SCAN_ON_PUSH"], "the rule of others stays: {now:#}");
    repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(0);
}

#[test]
fn tags_that_move_in_an_immutable_repository_are_found() {
    let user = User::new();
    let server = user.serve("data");
    create(&user, &server, "web", &["--image-tag-mutability", "IMMUTABLE"]);
    let text = "version: 1\nimages:\n  web:\n    build: .\n    tags: [semver, latest]\n    repository: { name: web, tag_mutability: IMMUTABLE }\n";
    user.write(&user.at("home/longshore.yaml"), text);
    let planned = repo(&user, &server, &["plan", "--detailed-exitcode"]).with_code(0);
    assert_eq!(
        planned.err(),
        "\
warning: tags of image `web` move by their rules, and the tags of `web` are immutable
 --> longshore.yaml:5:12
  |
5 |     tags: [semver, latest]
  |            ^^^^^^
caused by: `1.2` by `semver`: no filter lets it move that does not let `1.2.3` by `semver` move as well
caused by: `1` by `semver`: no filter lets it move that does not let `1.2.3` by `semver` move as well
caused by: `latest` by `latest`
caused by: `src-KEY` by `reuse`
hint: write `tag_mutability: { mode: IMMUTABLE, except: [latest, \"src-*\"] }`, or `except: auto`, which means the same
hint: what no filter can tell apart needs another rule, as `type=semver,pattern={{version}}` alone, or a prefix of its \
         own, as in `type=semver,pattern={{major}},prefix=v`
"
    );
}

#[test]
fn a_lifecycle_policy_is_guarded() {
    let user = User::new();
    let server = user.serve("data");
    create(&user, &server, "web", &[]);
    let manifest = |name: &str| {
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
                "annotations": { "name": name } })
        .to_string()
    };
    for tag in ["1", "2", "3"] {
        let text = manifest(tag);
        let put = ["put-image", "--repository-name", "web", "--image-tag", tag, "--image-manifest", &text];
        aws(&user, &server, &put).succeeds();
    }
    pipeline(&user, "lifecycle: [{ keep_last: 1 }]");
    let refused = repo(&user, &server, &["apply"]).with_code(2);
    let message = "error: the policy would delete 2 of the 3 images in `web`, which is more than 20 %\n";
    assert!(refused.err().starts_with(message), "{}", refused.err());
    repo(&user, &server, &["apply", "--max-expire", "70"]).with_code(0);
    aws(&user, &server, &["delete-lifecycle-policy", "--repository-name", "web"]).succeeds();
    repo(&user, &server, &["apply", "--yes"]).with_code(0);
}

fn checkout<'a>(user: &'a User, folder: &str, on_drift: &str) -> Checkout<'a> {
    let pipeline = format!(
        "version: 1\nimages:\n  web:\n    build: .\n    repository: {{ name: UNIQUE/web, resource_tags: {{ team: shop }}{on_drift} }}\n    tags: [one]\n"
    );
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    user.folder_of(folder, &[("longshore.yaml", &pipeline), ("Dockerfile", &dockerfile)])
}

#[test]
fn a_run_reports_fixes_or_fails() {
    let user = User::new();
    let server = user.serve("data");
    let name = format!("{}/web", user.unique());
    create(&user, &server, &name, &[]);
    let told = |label: &str, on_drift: &str| {
        format!(
            "\
{label}: repository `UNIQUE/web` is not as the pipeline file states
 --> longshore.yaml:5:25
  |
5 |     repository: {{ name: UNIQUE/web, resource_tags: {{ team: shop }}{on_drift} }}
  |                         {}
caused by: resource_tags lack team=shop
hint: `longshore repo apply UNIQUE/web` sets it, and so does `on_drift: fix`
",
            "^".repeat(name.len())
        )
    };
    let failed = server.run(&checkout(&user, "a", ", on_drift: fail")).run().with_code(2);
    assert_eq!(failed.err(), told("error", ", on_drift: fail"));
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");

    let reported = server.run(&checkout(&user, "b", "")).run().with_code(0);
    assert!(reported.err().starts_with(&told("warning", "")), "{}", reported.err());
    let fixed = server.run(&checkout(&user, "c", ", on_drift: fix")).run().with_code(0);
    assert!(fixed.err().contains("set resource_tags of repository UNIQUE/web\n"), "{}", fixed.err());
    let again = server.run(&checkout(&user, "d", ", on_drift: fail")).run().with_code(0);
    assert!(!again.err().contains("resource_tags"), "{}", again.err());
}

#[test]
fn what_a_role_may_not_see_is_no_failure() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = checkout(&user, "a", "");
    server.run(&checkout).succeeds();
    let denied = r#"{"__type":"AccessDeniedException","message":"not authorized to perform: ecr:ListTagsForResource"}"#;
    let proxy = crate::user::Proxy::start(server.variable("AWS_ENDPOINT_URL_ECR"), move |action| {
        (action == "ListTagsForResource").then(|| (400, denied.to_owned()))
    });
    let ended = server.run(&checkout).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).run().with_code(0);
    let warning = "warning: some settings of repository `UNIQUE/web` could not be compared\n";
    assert!(ended.err().starts_with(warning), "{}", ended.err());
    assert!(ended.err().contains("hint: allow `ecr:ListTagsForResource` in the IAM policy"), "{}", ended.err());
}

#[test]
fn a_push_creates_what_a_template_is_for() {
    let user = User::new();
    let server = user.serve("data");
    let template =
        ["create-repository-creation-template", "--applied-for", "CREATE_ON_PUSH", "--prefix", user.unique()];
    aws(&user, &server, &[&template[..], &["--image-tag-mutability", "IMMUTABLE"]].concat()).succeeds();
    let pipeline = "version: 1\nimages:\n  web:\n    build: .\n    repository: { name: UNIQUE/web, tag_mutability: IMMUTABLE }\n    tags: [1.0.0]\n  \
                    own:\n    build: .\n    repository: { name: UNIQUE/own, tag_mutability: MUTABLE }\n    tags: [one]\n";
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &dockerfile)]);
    let planned = server.env(checkout.longshore(&["plan"])).run().with_code(0);
    let expected = "= repository UNIQUE/web: ECR creates it at the first push, by the template `UNIQUE`\n+ repository UNIQUE/own\n";
    assert!(planned.out().contains(expected), "{}", planned.out());
    let ended = server.run(&checkout).run().with_code(0);
    assert!(ended.err().contains("created repository UNIQUE/own\n"), "{}", ended.err());
    assert!(!ended.err().contains("created repository UNIQUE/web\n"), "{}", ended.err());
    let name = format!("{}/web", user.unique());
    let described = aws_json(&user, &server, &["describe-repositories", "--repository-names", &name]);
    assert_eq!(described["repositories"][0]["imageTagMutability"], json!("IMMUTABLE"));
}
