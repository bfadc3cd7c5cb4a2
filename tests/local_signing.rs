//! Managed signing of the small ECR, with the AWS CLI.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Bed, images};

const PROFILE: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release";

fn rules() -> String {
    let filters = json!([{ "filter": "shop/*", "filterType": "WILDCARD_MATCH" }]);
    json!({ "rules": [{ "signingProfileArn": PROFILE, "repositoryFilters": filters }] }).to_string()
}

async fn push(bed: &Bed, repository: &str, tag: &str, content: &str) {
    let client = support::ecr_client(&bed.server);
    // Another image of the test may have made it.
    let _ = client.create_repository().repository_name(repository).send().await;
    images::image(&client, repository, Some(tag), &[("COPY", content.as_bytes())]).await;
}

fn status(bed: &Bed, repository: &str, tag: &str) -> Value {
    let id = format!("imageTag={tag}");
    let all = ["describe-image-signing-status", "--repository-name", repository, "--image-id", &id];
    bed.ecr(&all).json()["signingStatuses"].clone()
}

/// The status when it is no longer under way.
fn ended(bed: &Bed, repository: &str, tag: &str) -> Value {
    let mut looks = (0..100).map(|_| status(bed, repository, tag));
    looks.find(|found| found[0]["status"] != "IN_PROGRESS").expect("it is under way for ever")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_after_a_rule_is_signed() {
    let bed = Bed::with_faults("faults: [{ operation: 'signer:SignPayload', nth: 1, hold: gate }]").await;
    let none = bed.ecr(&["get-signing-configuration"]).fails();
    assert!(none.contains("SigningConfigurationNotFoundException"), "{none}");
    push(&bed, "shop/web", "0", "old").await;
    bed.ecr(&["put-signing-configuration", "--signing-configuration", &rules()]).succeeds();
    let kept = bed.ecr(&["get-signing-configuration"]).json();
    assert_eq!(kept["signingConfiguration"], serde_json::from_str::<Value>(&rules()).unwrap());

    push(&bed, "shop/web", "1", "new").await;
    push(&bed, "tools", "1", "another").await;
    let by = |status: &str| json!([{ "signingProfileArn": PROFILE, "status": status }]);
    assert_eq!(status(&bed, "shop/web", "1"), by("IN_PROGRESS"));
    assert_eq!(status(&bed, "shop/web", "0"), json!([]), "it was there before the rule");
    assert_eq!(status(&bed, "tools", "1"), json!([]), "no rule is for it");
    bed.open_gate("gate");
    assert_eq!(ended(&bed, "shop/web", "1"), by("COMPLETE"));
    let missing = ["describe-image-signing-status", "--repository-name", "tools", "--image-id", "imageTag=9"];
    assert!(bed.ecr(&missing).fails().contains("ImageNotFoundException"));

    bed.ecr(&["delete-signing-configuration"]).succeeds();
    push(&bed, "shop/web", "2", "newest").await;
    assert_eq!(status(&bed, "shop/web", "2"), json!([]));
    assert!(bed.ecr(&["delete-signing-configuration"]).fails().contains("SigningConfigurationNotFoundException"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_sign_has_an_image_without_a_signature() {
    let bed = Bed::with_faults("faults: [{ operation: 'signer:SignPayload', answer: { status: 403 } }]").await;
    bed.ecr(&["put-signing-configuration", "--signing-configuration", &rules()]).succeeds();
    push(&bed, "shop/web", "1", "refused").await;
    let refused = ended(&bed, "shop/web", "1");
    assert_eq!(
        (&refused[0]["status"], &refused[0]["failureCode"]),
        (&json!("FAILED"), &json!("AccessDeniedException"))
    );
    let wrong = rules().replace("signing-profiles", "profiles");
    let complaint = bed.ecr(&["put-signing-configuration", "--signing-configuration", &wrong]).fails();
    assert!(complaint.contains("signingProfileArn"), "{complaint}");
}
