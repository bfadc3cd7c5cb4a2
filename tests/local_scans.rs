//! Scans of the small ECR, with the AWS CLI.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::{Value, json};
use support::{Bed, Program, images};

/// A repository with one small image under a tag.
async fn push(bed: &Bed, repository: &str, tag: &str) -> String {
    let client = support::ecr_client(&bed.server);
    // Another image of the test may have made it.
    let _ = client.create_repository().repository_name(repository).send().await;
    images::image(&client, repository, Some(tag), &[("COPY", tag.as_bytes())]).await
}

fn describe(bed: &Bed, repository: &str, id: &str, more: &[&str]) -> Program {
    let all = ["describe-image-scan-findings", "--repository-name", repository, "--image-id", id];
    bed.ecr(&[&all[..], more].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manual_scan_once_a_day() {
    let bed = Bed::start().await;
    let digest = push(&bed, "manual", "1").await;
    let complaint = describe(&bed, "manual", "imageTag=1", &[]).fails();
    let words = "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'1'}' in the repository with name 'manual'";
    assert!(complaint.contains("ScanNotFoundException") && complaint.contains(words), "{complaint}");

    let start = ["start-image-scan", "--repository-name", "manual", "--image-id", "imageTag=1"];
    let started = bed.ecr(&start).json();
    assert_eq!(started["imageScanStatus"]["status"], "IN_PROGRESS");
    assert_eq!(started["imageId"]["imageDigest"], json!(digest));
    let complaint = bed.ecr(&start).fails();
    assert!(complaint.contains("LimitExceededException"), "{complaint}");
    bed.server.advance(std::time::Duration::from_secs(1));
    let described = describe(&bed, "manual", &format!("imageDigest={digest}"), &[]).json();
    assert_eq!(described["imageScanStatus"]["status"], "COMPLETE");
    assert_eq!(described["imageScanFindings"]["findings"], json!([]));
    bed.server.advance(std::time::Duration::from_secs(24 * 60 * 60));
    bed.ecr(&start).succeeds();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_decides() {
    let bed = Bed::start().await;
    push(&bed, "shop/prod", "1").await;
    push(&bed, "tools", "1").await;
    let effective = || {
        let names = ["batch-get-repository-scanning-configuration", "--repository-names", "shop/prod", "tools", "gone"];
        bed.ecr(&names).json()
    };
    let before = effective();
    assert_eq!(before["scanningConfigurations"][0]["scanFrequency"], "MANUAL");
    assert_eq!(before["failures"][0]["failureCode"], "REPOSITORY_NOT_FOUND");

    let flag = ["put-image-scanning-configuration", "--repository-name", "tools", "--image-scanning-configuration"];
    bed.ecr(&[&flag[..], &["scanOnPush=true"]].concat()).succeeds();
    let rules =
        r#"[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[{"filter":"prod","filterType":"WILDCARD"}]}]"#;
    let put = |kind, rules| bed.ecr(&["put-registry-scanning-configuration", "--scan-type", kind, "--rules", rules]);
    assert!(put("BASIC", rules).fails().contains("InvalidParameterException"));
    assert_eq!(effective()["scanningConfigurations"][1]["scanFrequency"], "SCAN_ON_PUSH");

    put("ENHANCED", rules).succeeds();
    let now = effective();
    assert_eq!(now["scanningConfigurations"][0]["scanFrequency"], "CONTINUOUS_SCAN");
    assert_eq!(now["scanningConfigurations"][0]["appliedScanFilters"][0]["filter"], "prod");
    assert_eq!(now["scanningConfigurations"][1]["scanFrequency"], "MANUAL", "the flag is ECR's own");
    let start = ["start-image-scan", "--repository-name", "tools", "--image-id", "imageTag=1"];
    assert!(bed.ecr(&start).fails().contains("ValidationException"));

    let bed = bed.restart().await;
    let kept = bed.ecr(&["get-registry-scanning-configuration"]).json();
    assert_eq!(kept["scanningConfiguration"]["scanType"], "ENHANCED");
    assert_eq!(kept["scanningConfiguration"]["rules"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_says_what_is_found() {
    let finding = |number: usize| json!({ "name": format!("CVE-2024-{number:04}"), "severity": if number == 0 { "HIGH" } else { "LOW" } });
    let all: Vec<Value> = (0..25).map(finding).collect();
    let script = json!([
        { "repository": "scripted", "tag": "1*", "answers": [
            "ScanNotFoundException",
            { "status": "IN_PROGRESS", "times": 2 },
            { "status": "COMPLETE", "imageScanFindings": { "imageScanCompletedAt": "2026-01-02T03:04:05Z", "findings": all } },
        ]},
        { "repository": "scripted", "start": "LimitExceeded", "answers": ["UNSUPPORTED_IMAGE"] },
    ]);
    let bed = Bed::with_scans(&script.to_string()).await;
    push(&bed, "scripted", "1.0").await;
    let other = push(&bed, "scripted", "2.0").await;
    assert!(describe(&bed, "scripted", "imageTag=1.0", &[]).fails().contains("ScanNotFoundException"));
    let status = || describe(&bed, "scripted", "imageTag=1.0", &[]).json()["imageScanStatus"]["status"].clone();
    assert_eq!([status(), status()], ["IN_PROGRESS", "IN_PROGRESS"]);

    // The CLI fetches all pages.
    let described = describe(&bed, "scripted", "imageTag=1.0", &["--page-size", "10"]).json();
    assert_eq!(described["imageScanFindings"]["findings"], json!(all));
    assert_eq!(described["imageScanFindings"]["findingSeverityCounts"], json!({ "HIGH": 1, "LOW": 24 }));
    let client = support::ecr_client(&bed.server);
    let id = ImageIdentifier::builder().image_tag("1.0").build();
    let heard = client.describe_image_scan_findings().repository_name("scripted").image_id(id).send().await.unwrap();
    let completed = heard.image_scan_findings().unwrap().image_scan_completed_at().unwrap();
    assert_eq!(completed.secs(), 1_767_323_045);

    assert_eq!(
        describe(&bed, "scripted", "imageTag=2.0", &[]).json()["imageScanStatus"]["status"],
        "UNSUPPORTED_IMAGE"
    );
    let id = format!("imageDigest={other}");
    let complaint = bed.ecr(&["start-image-scan", "--repository-name", "scripted", "--image-id", &id]).fails();
    assert!(complaint.contains("LimitExceededException"), "{complaint}");
}
