//! `longshore scan`, and gates before release tags, against a small ECR whose scans go by a script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "it reads what the program wrote")]

#[path = "support/sarif.rs"]
mod sarif;
mod support;

use serde_json::{Value, json};
use support::{Bed, Program, images};

const LONGSHORE: &str = env!("CARGO_BIN_EXE_longshore");

fn finding(id: &str, severity: &str, package: &str) -> Value {
    json!({ "name": id, "severity": severity, "uri": format!("https://example.com/{id}"), "description": "a <bad> thing",
        "attributes": [
            { "key": "package_name", "value": package },
            { "key": "package_version", "value": "1.0" },
            { "key": "CVSS3_SCORE", "value": "9.8" },
        ] })
}

fn enhanced(id: &str, severity: &str, fixed: &str) -> Value {
    json!({ "severity": severity, "status": "ACTIVE", "score": 7.5, "title": format!("{id} - openssl"),
        "packageVulnerabilityDetails": { "vulnerabilityId": id, "sourceUrl": format!("https://example.com/{id}"),
            "vulnerablePackages": [{ "name": "openssl", "version": "3.0.1", "fixedInVersion": fixed, "packageManager": "OS" }] } })
}

fn complete(findings: &[Value]) -> Value {
    json!({ "status": "COMPLETE", "imageScanFindings": { "findings": findings } })
}

/// A small ECR with this script, and a pipeline of one image with this gate.
async fn bed(script: &Value, gate: &str) -> Bed {
    let bed = Bed::with_scans(&script.to_string()).await;
    bed.file(
        "longshore.yaml",
        format!("version: 1\nimages:\n  web:\n    build: .\n    repository: shop/web\n    gate: {gate}\n"),
    );
    bed.file("Dockerfile", "FROM scratch\n");
    let client = support::ecr_client(&bed.server);
    client.create_repository().repository_name("shop/web").send().await.unwrap();
    bed
}

async fn push(bed: &Bed, tag: &str) -> String {
    let client = support::ecr_client(&bed.server);
    images::image(&client, "shop/web", Some(tag), &[("COPY", tag.as_bytes())]).await
}

fn longshore(bed: &Bed, arguments: &[&str]) -> Program {
    bed.program(LONGSHORE, arguments)
}

async fn tag_of(bed: &Bed, tag: &str) -> Option<String> {
    let client = support::ecr_client(&bed.server);
    let id = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag(tag).build();
    let found = client.batch_get_image().repository_name("shop/web").image_ids(id).send().await.unwrap();
    Some(found.images().first()?.image_id()?.image_digest()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manual_scan_is_started_and_told_in_every_form() {
    let all = [finding("CVE-2024-2", "LOW", "zlib"), finding("CVE-2024-1", "CRITICAL", "openssl")];
    let script = json!([{ "answers": ["ScanNotFound", "IN_PROGRESS", complete(&all)] }]);
    let bed = bed(&script, "{ ignore: [{ id: CVE-2024-9, until: 2099-01-01, reason: none }] }").await;
    let digest = push(&bed, "1.0").await;
    let complaint = longshore(&bed, &["scan", "web:1.0", "--sarif", "scan.sarif", "--junit", "scan.xml"]).fails();
    assert!(complaint.contains("started a scan"), "{complaint}");
    let expected = "error: the image does not pass: its scan found 1 CRITICAL\n\
                    caused by: CRITICAL CVE-2024-1 in openssl 1.0\n\
                    hint: what can be borne for a time goes into `gate.ignore`, with `id`, `until` and `reason`; `gate.fail_on` is HIGH\n";
    assert!(complaint.ends_with(expected), "{complaint}");

    let sarif: Value =
        serde_json::from_slice(&std::fs::read(bed.file("x", "").with_file_name("scan.sarif")).unwrap()).unwrap();
    assert_eq!(sarif::problems(&sarif), [""; 0]);
    assert_eq!(sarif["runs"].as_array().unwrap().len(), 1);
    let run = &sarif["runs"][0];
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!(rule["id"], "CVE-2024-1");
    assert_eq!(rule["helpUri"], "https://example.com/CVE-2024-1");
    assert_eq!(rule["properties"]["security-severity"], "9.8");
    let result = &run["results"][0];
    assert_eq!((result["ruleId"].as_str(), result["level"].as_str()), (Some("CVE-2024-1"), Some("error")));
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "Dockerfile");
    assert_eq!(result["partialFingerprints"]["longshoreFinding/v1"].as_str().unwrap().len(), 64);
    assert_eq!(run["results"][1]["level"], "note");

    let xml = std::fs::read_to_string(bed.file("x", "").with_file_name("scan.xml")).unwrap();
    assert!(
        xml.contains("<testsuite name=\"web:1.0\" tests=\"3\" failures=\"1\" skipped=\"0\" errors=\"0\">"),
        "{xml}"
    );
    assert!(xml.contains("a &lt;bad&gt; thing"), "{xml}");

    // Read once more, with a gate that lets it through.
    let told = longshore(&bed, &["scan", &format!("shop/web@{digest}"), "--fail-on", "UNDEFINED"]).fails();
    assert!(told.contains("1 CRITICAL, 1 LOW"), "{told}");
    bed.file("longshore.yaml", "version: 1\nimages: { web: { build: ., repository: shop/web } }\n");
    let table = longshore(&bed, &["scan", "shop/web:1.0"]).succeeds();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], format!("{}@{digest}: 1 CRITICAL, 1 LOW", bed.uri("shop/web")));
    assert_eq!(lines[2], "SEVERITY  FINDING     PACKAGE      FIXED IN");
    assert_eq!(lines[3], "CRITICAL  CVE-2024-1  openssl 1.0  -");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_keeps_release_tags_as_they_are() {
    let script = json!([
        { "tag": "old", "answers": [complete(&[])] },
        { "answers": ["IN_PROGRESS", complete(&[finding("CVE-2024-1", "HIGH", "openssl")])] },
    ]);
    let bed = bed(&script, "{ scan: never }").await;
    let old = push(&bed, "old").await;
    let _new = push(&bed, "new").await;
    longshore(&bed, &["promote", "old", "--to", "prod"]).succeeds();
    assert_eq!(tag_of(&bed, "prod").await.as_ref(), Some(&old));
    let promote = ["promote", "new", "--to", "prod", "--sarif", "gate.sarif", "--report", "report.json"];
    let complaint = longshore(&bed, &promote).fails();
    let words =
        "error: image `web` is not released: its scan found 1 HIGH\ncaused by: HIGH CVE-2024-1 in openssl 1.0\n";
    assert!(complaint.contains(words), "{complaint}");
    assert!(complaint.contains("web | waiting for the scan to end"), "{complaint}");
    assert_eq!(tag_of(&bed, "prod").await.as_ref(), Some(&old));
    let folder = bed.file("x", "");
    let report: Value = serde_json::from_slice(&std::fs::read(folder.with_file_name("report.json")).unwrap()).unwrap();
    assert_eq!((&report["exit_code"], &report["images"][0]["gate"]["gate"]["open"]), (&json!(1), &json!(false)));
    assert!(folder.with_file_name("gate.sarif").exists());

    longshore(&bed, &["promote", "new", "--to", "prod", "--no-gate"]).succeeds();
    assert_ne!(tag_of(&bed, "prod").await.as_ref(), Some(&old));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_scanned_platform_by_platform_and_inspector_must_stand_still() {
    let active = |found: &[Value]| json!({ "status": "ACTIVE", "imageScanFindings": { "enhancedFindings": found } });
    let one = enhanced("CVE-2024-1", "MEDIUM", "NotAvailable");
    let two = enhanced("CVE-2024-2", "HIGH", "3.0.2");
    let script = json!([
        { "tag": "amd", "answers": ["ACTIVE", active(std::slice::from_ref(&one)), active(&[one.clone(), two])] },
        { "tag": "arm", "answers": [active(&[one])] },
        { "answers": ["FAILED"] },
    ]);
    let bed = bed(&script, "{ settle: 1s }").await;
    let client = support::ecr_client(&bed.server);
    let rules = r#"[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[{"filter":"*","filterType":"WILDCARD"}]}]"#;
    bed.ecr(&["put-registry-scanning-configuration", "--scan-type", "ENHANCED", "--rules", rules]).succeeds();
    let (amd, arm, attested) = (push(&bed, "amd").await, push(&bed, "arm").await, push(&bed, "attested").await);
    let listed = [("linux/amd64", amd.as_str()), ("linux/arm64", arm.as_str()), ("unknown/unknown", attested.as_str())];
    images::index(&client, "shop/web", Some("1.0"), &listed).await;
    let (complaint, printed) = longshore(&bed, &["scan", "web:1.0", "--json"]).fails_printing();
    assert!(complaint.contains("HIGH CVE-2024-2 in openssl 3.0.1, fixed in 3.0.2"), "{complaint}");
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["counts"], json!({ "HIGH": 1, "MEDIUM": 1 }));
    assert_eq!(printed["findings"][0]["platforms"], json!(["linux/amd64"]));
    assert_eq!(printed["findings"][1]["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(printed["findings"][1]["packages"][0].get("fixed_in"), None);
    assert_eq!(printed["scans"].as_array().unwrap().len(), 2, "the attestation is left out");

    bed.ecr(&["put-registry-scanning-configuration", "--scan-type", "ENHANCED", "--rules", "[]"]).succeeds();
    let complaint = longshore(&bed, &["scan", "web:1.0"]).fails();
    assert!(
        complaint.contains("Inspector never scans it: no filter of the registry matches its repository"),
        "{complaint}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_end_of_a_scan_is_a_pass() {
    let ends = [
        "FAILED",
        "SCAN_ELIGIBILITY_EXPIRED",
        "FINDINGS_UNAVAILABLE",
        "LIMIT_EXCEEDED",
        "IMAGE_ARCHIVED",
        "UNSUPPORTED_IMAGE",
    ];
    let script: Vec<Value> =
        ends.iter().map(|end| json!({ "tag": end.to_lowercase(), "answers": ["PENDING", end] })).collect();
    let bed = bed(&Value::Array(script), "{ unsupported: fail }").await;
    for end in ends {
        let tag = end.to_lowercase();
        push(&bed, &tag).await;
        let complaint = longshore(&bed, &["scan", &format!("web:{tag}")]).fails();
        let words = if end == "UNSUPPORTED_IMAGE" { "it cannot be scanned" } else { end };
        assert!(
            complaint.contains("it is not known what a scan finds in it") && complaint.contains(words),
            "{complaint}"
        );
    }
    bed.file(
        "longshore.yaml",
        "version: 1\nimages: { web: { build: ., repository: shop/web, gate: { unsupported: warn } } }\n",
    );
    let told = longshore(&bed, &["scan", "web:unsupported_image"]).succeeds();
    assert!(told.contains("cannot be scanned, and the gate lets it through"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there() {
    let bed = bed(&json!([]), "HIGH").await;
    let complaint = longshore(&bed, &["scan", "web:9"]).fails();
    assert!(complaint.contains("there is no image `web:9`"), "{complaint}");
    let complaint = longshore(&bed, &["scan", "wbe"]).fails();
    assert!(
        complaint.contains("`wbe` names no image") && complaint.contains("the images of the pipeline are `web`"),
        "{complaint}"
    );
}
