//! The faults of `longshore local`, as clients see them.

#![allow(clippy::disallowed_methods, reason = "it times requests and opens gates")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_ecr::config::retry::RetryConfig;
use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use longshore::local::Fault;
use reqwest::{Client, RequestBuilder, Response};
use support::{Bed, credential, ecr_client};

/// A server with these faults, a client without retries, and the registry's credential.
struct World {
    bed: Bed,
    http: Client,
    token: String,
}

impl World {
    async fn new(faults: &str) -> Self {
        longshore_tls();
        let bed = Bed::start().await;
        let sdk = ecr_client(&bed.server);
        sdk.create_repository().repository_name("web").send().await.unwrap();
        let token = credential(&sdk).await;
        let folder = bed.file("here", "");
        bed.server.set_faults(Fault::parse(faults, folder.parent().unwrap()).unwrap());
        World { bed, http: Client::new(), token }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.signed(self.http.get(format!("{}/v2/{path}", self.bed.server.endpoint())))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("Authorization", format!("Basic {}", self.token))
    }

    async fn put_blob(&self, bytes: &'static [u8]) -> Response {
        let endpoint = self.bed.server.endpoint();
        let begun = self.signed(self.http.post(format!("{endpoint}/v2/web/blobs/uploads/"))).send().await.unwrap();
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let location = if location.starts_with('/') { format!("{endpoint}{location}") } else { location };
        let digest = longshore::names::Digest::of(bytes);
        let url = format!("{location}?digest={digest}");
        self.signed(self.http.put(url)).body(bytes).send().await.unwrap()
    }
}

fn longshore_tls() {
    longshore::effects::tls::install_provider();
}

fn once(sdk: &aws_sdk_ecr::Client) -> aws_sdk_ecr::Client {
    let config = sdk.config().to_builder().retry_config(RetryConfig::disabled());
    aws_sdk_ecr::Client::from_conf(config.build())
}

#[tokio::test]
async fn answers_have_the_form_of_their_door() {
    let world = World::new(
        "faults: [{ operation: 'registry:ListTags', nth: 1, answer: { status: 503, retry_after: 7 } },
                  { operation: DescribeRepositories, answer: { status: 400, code: ThrottleException } }]",
    )
    .await;
    let refused = world.get("web/tags/list").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert!(refused.text().await.unwrap().contains(r#"{"errors":[{"code":"UNKNOWN""#));
    assert_eq!(world.get("web/tags/list").send().await.unwrap().status(), 200, "only the first");

    let error = once(&ecr_client(&world.bed.server)).describe_repositories().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottleException"));
}

#[tokio::test]
async fn a_reset_before_and_after_the_effect() {
    let world = World::new(
        "faults: [{ operation: CreateRepository, nth: 1, reset: true },
                  { operation: CreateRepository, nth: 2, reset: true, when: after }]",
    )
    .await;
    let sdk = once(&ecr_client(&world.bed.server));
    let create = || sdk.create_repository().repository_name("made").send();
    create().await.unwrap_err();
    let described = || sdk.describe_repositories().repository_names("made").send();
    assert_eq!(described().await.unwrap_err().code(), Some("RepositoryNotFoundException"));
    create().await.unwrap_err();
    assert_eq!(described().await.unwrap().repositories().len(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let world = World::new("faults: [{ operation: 'registry:ListTags', truncate: 5 }]").await;
    let mut response = world.get("web/tags/list").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.chunk().await.unwrap().unwrap().len(), 5);
    assert!(response.chunk().await.is_err(), "the rest never comes");
}

#[tokio::test]
async fn lies() {
    let world = World::new(
        "faults: [{ operation: 'registry:FinishUpload', lie: digest }, { operation: 'registry:ListTags', lie: body }]",
    )
    .await;
    let put = world.put_blob(b"content").await;
    assert_eq!(put.status(), 201);
    assert!(put.headers()["docker-content-digest"].to_str().unwrap().starts_with("sha256:bad0"));
    let listed = world.get("web/tags/list").send().await.unwrap().text().await.unwrap();
    assert!(listed.starts_with("z\"name\""), "{listed}");
}

#[tokio::test]
async fn a_token_expires_for_good() {
    let world = World::new("faults: [{ operation: 'registry:*', nth: 2, token: expired }]").await;
    let status = async |world: &World| world.get("web/tags/list").send().await.unwrap().status().as_u16();
    assert_eq!((status(&world).await, status(&world).await, status(&world).await), (200, 403, 403));
    let renewed = World { token: credential(&ecr_client(&world.bed.server)).await, ..world };
    assert_eq!(status(&renewed).await, 200);
}

#[tokio::test]
async fn delays_and_gates() {
    let world = World::new(
        "faults: [{ operation: 'registry:ListTags', nth: 1, delay: 200ms },
                  { operation: 'registry:ListTags', nth: 2, hold: gate }]",
    )
    .await;
    let began = Instant::now();
    world.get("web/tags/list").send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
    let gate = world.bed.file("here", "").with_file_name("gate");
    let held = gate.with_file_name("gate.held");
    let request = tokio::spawn(world.get("web/tags/list").send());
    while !held.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!request.is_finished());
    std::fs::write(&gate, "").unwrap();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn throttling_as_ecr_does() {
    let world = World::new("quotas: ecr").await;
    let sdk = once(&ecr_client(&world.bed.server));
    let put = || sdk.put_image().repository_name("web").image_manifest("{}").send();
    let mut codes = Vec::new();
    for _ in 0..15 {
        codes.push(put().await.unwrap_err().code().unwrap().to_owned());
    }
    let throttled = codes.iter().filter(|code| *code == "ThrottlingException").count();
    assert!((1..=5).contains(&throttled) && codes[..10].iter().all(|code| code != "ThrottlingException"), "{codes:?}");
}

#[test]
fn files_are_found_from_the_folder_of_the_faults() {
    let faults = Fault::parse("faults: [{ operation: x, hold: a/b }]", Path::new("/here")).unwrap();
    assert_eq!(faults[0].hold.as_deref(), Some(Path::new("/here/a/b")));
}
