//! Replicas that ECR itself replicates to: two registries of one small ECR.

use serde_json::{Value, json};

use crate::user::{Checkout, LocalServer, User};

fn served(user: &User, faults: &str) -> LocalServer {
    user.write(&user.at("faults.yaml"), faults);
    let (faults, log) = (user.at("faults.yaml"), user.at("log"));
    let arguments = ["--beside", "eu-west-1", "--faults", faults.to_str().unwrap(), "--log", log.to_str().unwrap()];
    user.serve_with("data", &arguments)
}

fn checkout<'u>(user: &'u User, server: &LocalServer) -> Checkout<'u> {
    let pipeline = format!(
        "version: 1\nregistry: {{ account: '123456789012', replicas: [{{ host: '{}', region: eu-west-1, wait: true }}] }}\n\
         defaults: {{ tags: [sha] }}\nimages:\n  web: {{ build: web, repository: UNIQUE/web }}\n",
        server.variable("LONGSHORE_BESIDE")
    );
    let dockerfile = user.dockerfile("COPY file /\n");
    user.checkout(&[("longshore.yaml", &pipeline), ("web/Dockerfile", &dockerfile), ("web/file", "web")])
}

fn rule(user: &User, server: &LocalServer, region: &str) {
    let destinations = json!([{ "region": region, "registryId": "123456789012" }]);
    let filters = json!([{ "filter": user.unique(), "filterType": "PREFIX_MATCH" }]);
    let rules = json!({ "rules": [{ "destinations": destinations, "repositoryFilters": filters }] });
    let endpoint = server.variable("AWS_ENDPOINT_URL_ECR");
    let call = server.env(user.program("aws", &user.at("home"))).args(&["ecr", "put-replication-configuration"]);
    call.args(&["--endpoint-url", endpoint, "--replication-configuration", &rules.to_string()]).succeeds();
}

/// The operations, with the repository's own and the destination's registry where it has one.
fn operations(user: &User) -> Vec<(String, Option<String>, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |line: &Value| {
        (text(&line["operation"]).unwrap(), text(&line["registry"]), text(&line["reference"]).unwrap_or_default())
    };
    user.logged().iter().map(one).collect()
}

#[test]
fn a_run_waits_for_ecr_and_sends_nothing_itself() {
    let user = User::new();
    let server = served(&user, "faults: []");
    let checkout = checkout(&user, &server);
    let refused = server.run(&checkout).run().with_code(2);
    assert!(
        refused.err().starts_with("error: ECR does not replicate `UNIQUE/web` to eu-west-1 of 123456789012"),
        "{}",
        refused.err()
    );
    assert!(refused.err().contains("--> longshore.yaml:2:"), "{}", refused.err());
    rule(&user, &server, "eu-west-1");
    let done = server.run(&checkout).run().with_code(0);
    assert!(done.err().contains("waiting for ECR to replicate it to HOST"), "{}", done.err());
    assert!(done.err().contains("replicated to HOST"), "{}", done.err());
    let all = operations(&user);
    let is_there = |registry: &Option<String>| registry.as_deref() == Some("123456789012/eu-west-1");
    assert!(
        !all.iter().any(|(name, registry, _)| is_there(registry) && name.contains("Upload")),
        "no layer is sent there: {all:?}"
    );
    let tag = &checkout.head()[..7];
    let mut names = all.iter().map(|(name, _, reference)| (name.as_str(), reference.as_str()));
    let arrived = names.clone().position(|(name, of)| name == "ReplicateImage" && of.starts_with("src-"));
    let released = names.position(|one| one == ("registry:PutManifest", tag));
    assert!(arrived.is_some() && arrived < released, "{all:?}");
    // And once more, with nothing to do.
    let again = server.run(&checkout).run().with_code(0);
    assert!(again.err().contains("names it already in HOST"), "{}", again.err());
}

#[test]
fn a_replication_that_fails_releases_nothing_and_the_next_run_copies() {
    let user = User::new();
    let server = served(&user, "faults: [{ operation: ReplicateImage, answer: { status: 403 } }]");
    rule(&user, &server, "eu-west-1");
    let checkout = checkout(&user, &server);
    let failed = server.run(&checkout).run().with_code(1);
    assert!(
        failed.err().contains("error: image `web`: ECR failed to replicate `UNIQUE/web` to eu-west-1 of 123456789012"),
        "{}",
        failed.err()
    );
    assert!(server.tags(&format!("{}/web", user.unique())).keys().all(|tag| tag.starts_with("src-")));
    let mended = server.run(&checkout).run().with_code(0);
    assert!(mended.err().contains("its replication by ECR failed before with ACCESS_DENIED"), "{}", mended.err());
    let tags = server.tags(&format!("{}/web", user.unique()));
    assert!(tags.contains_key(&checkout.head()[..7]), "{tags:?}");
}
