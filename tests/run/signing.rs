//! Runs whose images ECR signs.

use serde_json::{Value, json};

use crate::user::{Call, Checkout, LocalServer, User};

const PROFILE: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release";

fn checkout<'u>(user: &'u User, signing: &str) -> Checkout<'u> {
    let pipeline = format!(
        "version: 1\ndefaults: {{ tags: [one] }}\nimages:\n  web: {{ build: web, repository: UNIQUE/web, signing: {signing} }}\n"
    );
    let dockerfile = user.dockerfile("COPY file /\n");
    user.checkout(&[("longshore.yaml", &pipeline), ("web/Dockerfile", &dockerfile), ("web/file", "web")])
}

fn aws(user: &User, server: &LocalServer, arguments: &[&str]) -> Call {
    let endpoint = server.variable("AWS_ENDPOINT_URL_ECR");
    server.env(user.program("aws", &user.at("home"))).args(&["ecr", "--endpoint-url", endpoint]).args(arguments)
}

fn rule(user: &User, server: &LocalServer) {
    let filters = json!([{ "filter": format!("{}/*", user.unique()), "filterType": "WILDCARD_MATCH" }]);
    let rules = json!({ "rules": [{ "signingProfileArn": PROFILE, "repositoryFilters": filters }] }).to_string();
    aws(user, server, &["put-signing-configuration", "--signing-configuration", &rules]).succeeds();
}

#[test]
fn an_image_is_released_when_ecr_has_signed_it() {
    let user = User::new();
    let server = user.serve_with_faults("data", "faults: []");
    rule(&user, &server);
    let checkout = checkout(&user, "require");
    let planned = server.env(checkout.longshore(&["plan"])).succeeds();
    assert!(planned.contains("    signing: released only when ECR has signed it\n"), "{planned}");
    let done = server.env(checkout.longshore(&["run", "--report", "report.json"])).run().with_code(0);
    assert!(done.err().contains("waiting for ECR to sign it"), "{}", done.err());
    assert!(done.err().contains("signed by release, waited for "), "{}", done.err());
    let report: Value = serde_json::from_str(&checkout.read("report.json")).unwrap();
    assert_eq!(report["images"][0]["signing"], json!([{ "profile": PROFILE, "status": "complete" }]));
    let logged = user.logged();
    let at = |name: &str, reference: Option<&str>| {
        let is = |line: &Value| line["operation"] == name && reference.is_none_or(|it| line["reference"] == it);
        logged.iter().position(is)
    };
    assert!(at("signer:SignPayload", None) < at("registry:PutManifest", Some("one")), "{logged:?}");

    let shown = server.env(checkout.longshore(&["images", "show", &format!("{}/web:one", user.unique())])).succeeds();
    assert!(shown.contains("\nsigning: signed by release\n"), "{shown}");
}

#[test]
fn an_image_that_ecr_cannot_sign_or_does_not_sign_stays_without_release_tags() {
    let user = User::new();
    let server = user
        .serve_with_faults("data", "faults: [{ operation: 'signer:SignPayload', nth: 1, answer: { status: 403 } }]");
    let repository = format!("{}/web", user.unique());
    rule(&user, &server);
    let checkout = checkout(&user, "require");
    let failed = server.env(checkout.longshore(&["run"])).run().with_code(1);
    let told = failed.err();
    assert!(
        told.contains(&format!("error: image `web`: ECR failed to sign it in `UNIQUE/web`, with {PROFILE}")),
        "{told}"
    );
    assert!(told.contains("caused by: AccessDeniedException: "), "{told}");
    assert!(told.contains("hint: whoever pushes needs `signer:SignPayload`"), "{told}");
    assert!(!server.tags(&repository).contains_key("one"));

    // The permission is there now; what is pushed anew is signed, and nothing that is there.
    let told = server.env(checkout.longshore(&["run"])).run().with_code(1);
    assert!(told.err().contains("ECR failed to sign it"), "{}", told.err());
    let staged = server.tags(&repository).into_keys().next().unwrap();
    server.env(checkout.longshore(&["images", "rm", &repository, &staged, "--yes"])).succeeds();
    server.env(checkout.longshore(&["run"])).run().with_code(0);
    assert!(server.tags(&repository).contains_key("one"));
}

#[test]
fn what_is_only_reported_holds_nothing_up() {
    let user = User::new();
    let server = user.serve_with_faults("data", "faults: [{ operation: 'signer:SignPayload', hold: gate }]");
    let checkout = checkout(&user, "report");
    let run = || server.env(checkout.longshore(&["run", "--json"])).run().with_code(0);
    let of = |json: &str| serde_json::from_str::<Value>(json).unwrap()["images"][0]["signing"].clone();
    let nobody = run();
    assert!(nobody.err().contains("ECR does not sign it"), "{}", nobody.err());
    assert_eq!(of(&nobody.stdout), json!([]));

    rule(&user, &server);
    checkout.write("web/file", "changed");
    let under_way = run();
    assert!(under_way.err().contains("being signed by release"), "{}", under_way.err());
    assert_eq!(of(&under_way.stdout), json!([{ "profile": PROFILE, "status": "in_progress" }]));
}
