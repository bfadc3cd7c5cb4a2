//! Gates of real runs: what is built is pushed, scanned, and released only if the scan says so.

use serde_json::{Value, json};

use crate::sarif;
use crate::user::{LocalServer, User};

const SCANS: &str = "
- answers:
    - ScanNotFoundException
    - IN_PROGRESS
    - status: COMPLETE
      imageScanFindings:
        findings:
          - { name: CVE-2024-3094, severity: CRITICAL, uri: 'https://example.com/CVE-2024-3094', description: a backdoor,
              attributes: [{ key: package_name, value: xz-utils }, { key: package_version, value: 5.6.0 }] }
          - { name: CVE-2024-1, severity: LOW }
";

/// The pipeline is not at the top of the checkout.
fn pipeline(gate: &str) -> String {
    format!(
        "version: 1\nimages:\n  web:\n    build: {{ context: web, dockerfile: docker/web app.Dockerfile }}\n    \
         repository: UNIQUE/web\n    tags: [one]\n    gate: {gate}\n"
    )
}

fn serve(user: &User) -> LocalServer {
    user.serve_with_scans("data", SCANS)
}

#[test]
fn a_finding_closes_the_gate_and_bearing_it_opens_it() {
    let user = User::new();
    let server = serve(&user);
    let dockerfile = user.dockerfile("COPY hello /\n");
    let checkout = user.checkout(&[
        ("deploy/longshore.yaml", &pipeline("{ fail_on: HIGH }")),
        ("deploy/web/docker/web app.Dockerfile", &dockerfile),
        ("deploy/web/hello", "hello\n"),
    ]);
    let longshore = |arguments: &[&str]| {
        let file = ["--file", "deploy/longshore.yaml"];
        server.env(checkout.longshore(&[arguments, &file].concat()))
    };
    let run = || longshore(&["run", "--sarif", "scan.sarif", "--junit", "scan.xml"]).run();
    let repository = format!("{}/web", user.unique());

    let planned = longshore(&["plan"]).succeeds();
    assert!(planned.contains("    gate: released only if its scan finds nothing as bad as HIGH\n"), "{planned}");

    let closed = run().with_code(1);
    assert!(
        closed.stderr.contains("error: image `web` is not released: its scan found 1 CRITICAL"),
        "{}",
        closed.err()
    );
    assert!(closed.stderr.contains("caused by: CRITICAL CVE-2024-3094 in xz-utils 5.6.0"), "{}", closed.err());
    let tags: Vec<String> = server.tags(&repository).into_keys().collect();
    assert!(tags.len() == 1 && tags[0].starts_with("src-"), "it is staged and nothing more: {tags:?}");
    assert!(!checkout.at("deploy/imageDefinitions.json").exists(), "nothing may be deployed");

    let sarif: Value = serde_json::from_str(&checkout.read("scan.sarif")).unwrap();
    assert_eq!(sarif::problems(&sarif), [""; 0]);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let place = |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(results.iter().map(place).collect::<Vec<_>>(), ["deploy/web/docker/web%20app.Dockerfile"; 2]);
    assert_eq!(results[0]["properties"]["blocks"], true);
    let junit = checkout.read("scan.xml");
    assert!(junit.contains("tests=\"3\" failures=\"1\""), "{junit}");

    let borne = "{ fail_on: HIGH, ignore: [{ id: CVE-2024-3094, until: 2099-12-31, reason: 'it is never loaded' }] }";
    checkout.write("deploy/longshore.yaml", &pipeline(borne));
    let planned: Value = serde_json::from_str(&longshore(&["plan", "--json"]).succeeds()).unwrap();
    let ignore = json!([{ "id": "CVE-2024-3094", "until": "2099-12-31", "reason": "it is never loaded" }]);
    assert_eq!(planned["images"][0]["gate"]["ignore"], ignore);
    assert_eq!(planned["images"][0]["action"], "reuse", "what was staged is not built again");
    let told = longshore(&["plan"]).succeeds();
    assert!(told.contains(", CVE-2024-3094 is ignored until 2099-12-31\n"), "{told}");
    run().with_code(0);
    assert!(server.tags(&repository).contains_key("one"));
    let sarif: Value = serde_json::from_str(&checkout.read("scan.sarif")).unwrap();
    assert_eq!(sarif::problems(&sarif), [""; 0]);
    let suppressions = &sarif["runs"][0]["results"][0]["suppressions"];
    assert_eq!(suppressions[0]["justification"], "ignored until 2099-12-31: it is never loaded");

    let over = "{ ignore: [{ id: CVE-2024-3094, until: 2024-12-31, reason: 'it is never loaded' }] }";
    checkout.write("deploy/longshore.yaml", &pipeline(over));
    let told = longshore(&["plan"]).succeeds();
    assert!(told.contains(", CVE-2024-3094 was ignored until 2024-12-31 only\n"), "{told}");
    run().with_code(1);
}
