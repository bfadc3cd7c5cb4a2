//! Replication between two registries of the small ECR, with the AWS CLI.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Bed, images};

const RULES: &str = r#"{"rules":[{"destinations":[{"region":"eu-west-1","registryId":"123456789012"}],
    "repositoryFilters":[{"filter":"shop","filterType":"PREFIX_MATCH"}]}]}"#;

async fn push(bed: &Bed, repository: &str, tag: &str, content: &str) -> String {
    let client = support::ecr_client(&bed.server);
    // Another image of the test may have made it.
    let _ = client.create_repository().repository_name(repository).send().await;
    images::image(&client, repository, Some(tag), &[("COPY", content.as_bytes())]).await
}

fn status(bed: &Bed, repository: &str, id: &str) -> Value {
    let all = ["describe-image-replication-status", "--repository-name", repository, "--image-id", id];
    bed.ecr(&all).json()["replicationStatuses"].clone()
}

/// The status at the one destination, when it is no longer under way.
fn ended(bed: &Bed, repository: &str, id: &str) -> Value {
    let mut looks = (0..100).map(|_| status(bed, repository, id));
    looks.find(|found| found[0]["status"] != "IN_PROGRESS").expect("it is on its way for ever")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_after_a_rule_comes_to_its_destination() {
    let bed = Bed::with_another("eu-west-1", "faults: [{ operation: ReplicateImage, nth: 1, hold: gate }]").await;
    let there = support::ecr_client(&bed.server.beside()[0]);
    push(&bed, "shop/web", "0", "old").await;
    let put = bed.ecr(&["put-replication-configuration", "--replication-configuration", RULES]).json();
    let registry = bed.ecr(&["describe-registry"]).json();
    assert_eq!(registry["replicationConfiguration"], put["replicationConfiguration"]);

    push(&bed, "tools", "1", "another").await;
    let digest = push(&bed, "shop/web", "1", "new").await;
    let way = |status: &str| json!([{ "region": "eu-west-1", "registryId": "123456789012", "status": status }]);
    assert_eq!(status(&bed, "shop/web", "imageTag=1"), way("IN_PROGRESS"));
    assert_eq!(status(&bed, "shop/web", "imageTag=0"), json!([]), "it was there before the rule");
    assert_eq!(status(&bed, "tools", "imageTag=1"), json!([]), "no rule is for it");
    bed.open_gate("gate");
    assert_eq!(ended(&bed, "shop/web", &format!("imageDigest={digest}")), way("COMPLETE"));
    let listed = there.describe_images().repository_name("shop/web").send().await.unwrap();
    let found: Vec<_> = listed.image_details().iter().map(|image| (image.image_digest(), image.image_tags())).collect();
    assert_eq!(found, [(Some(digest.as_str()), ["1".to_owned()].as_slice())]);
    assert!(there.describe_images().repository_name("tools").send().await.is_err());

    // A tag that is written later follows.
    let get = bed.ecr(&["batch-get-image", "--repository-name", "shop/web", "--image-ids", "imageTag=1"]).json();
    let manifest = bed.file("manifest", get["images"][0]["imageManifest"].as_str().unwrap());
    let manifest = format!("file://{}", manifest.display());
    let put = ["put-image", "--repository-name", "shop/web", "--image-tag", "stable", "--image-manifest", &manifest];
    bed.ecr(&put).succeeds();
    assert_eq!(ended(&bed, "shop/web", "imageTag=stable"), way("COMPLETE"));
    let listed = there.describe_images().repository_name("shop/web").send().await.unwrap();
    assert_eq!(listed.image_details()[0].image_tags(), ["1", "stable"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_replicated_has_failed() {
    let refusing = "faults: [{ operation: ReplicateImage, answer: { status: 403 } }]";
    let bed = Bed::with_another("eu-west-1", refusing).await;
    bed.ecr(&["put-replication-configuration", "--replication-configuration", RULES]).succeeds();
    push(&bed, "shop/web", "1", "refused").await;
    let refused = ended(&bed, "shop/web", "imageTag=1");
    assert_eq!((&refused[0]["status"], &refused[0]["failureCode"]), (&json!("FAILED"), &json!("ACCESS_DENIED")));
    let nowhere = RULES.replace("eu-west-1", "eu-north-1");
    bed.ecr(&["put-replication-configuration", "--replication-configuration", &nowhere]).succeeds();
    push(&bed, "shop/api", "1", "nowhere").await;
    assert_eq!(ended(&bed, "shop/api", "imageTag=1")[0]["failureCode"], "DESTINATION_NOT_SERVED");
    let own = RULES.replace("eu-west-1", "us-east-1");
    let complaint = bed.ecr(&["put-replication-configuration", "--replication-configuration", &own]).fails();
    assert!(complaint.contains("InvalidParameterException"), "{complaint}");
}
