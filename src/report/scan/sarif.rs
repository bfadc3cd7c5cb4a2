//! SARIF 2.1.0, for code scanning. Sources: OASIS SARIF 2.1.0; GitHub, "SARIF support for code scanning".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scanned, note, package};
use crate::names::Digest;
use crate::scan::{Finding, Judged, JudgedFinding, Objection, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// All images in one run, because code scanning takes one of a tool and category.
pub fn sarif(images: &[Scanned<'_>]) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut results = Vec::new();
    for scanned in images {
        for one in &scanned.judgement.findings {
            let number = *numbers.entry(one.finding.id.clone()).or_insert_with(|| {
                rules.push(rule(&one.finding));
                rules.len() - 1
            });
            results.push(result(scanned, one, number));
        }
    }
    let unknown = images.iter().flat_map(|scanned| {
        let objections = scanned.judgement.objections.iter();
        let unknown = objections.filter(|objection| !matches!(objection, Objection::Finding { .. }));
        unknown.map(move |objection| {
            json!({ "level": "error", "message": { "text": format!("{}: {objection}", scanned.name) } })
        })
    });
    let unknown: Vec<Value> = unknown.collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Longshore",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": unknown.is_empty(),
                "toolExecutionNotifications": unknown,
            }],
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    let title = finding.title.clone().unwrap_or_else(|| finding.id.clone());
    let mut rule = json!({
        "id": finding.id,
        "name": finding.id,
        "shortDescription": { "text": shortened(&title, 1000) },
        "fullDescription": { "text": shortened(&title, 1000) },
        "help": { "text": help(finding) },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": {
            "tags": ["security", "vulnerability", finding.severity.as_str()],
            "precision": "very-high",
            "security-severity": security_severity(finding),
        },
    });
    // A URI must be one, and services leave it empty where there is none.
    if let Some(uri) = finding.uri.as_deref().filter(|uri| uri.starts_with("https://") || uri.starts_with("http://")) {
        rule["helpUri"] = uri.into();
    }
    rule
}

fn help(finding: &Finding) -> String {
    let fixes = finding.packages.iter().filter_map(|it| Some(format!("{} {}", it.name, it.fixed_in.as_ref()?)));
    let fixes: Vec<String> = fixes.collect();
    let what = match fixes.is_empty() {
        true => "No fix is known.".to_owned(),
        false => format!("Fixed in {}.", fixes.join(", ")),
    };
    match &finding.uri {
        Some(uri) => format!("{what} See {uri}"),
        None => what,
    }
}

fn result(scanned: &Scanned<'_>, one: &JudgedFinding, rule: usize) -> Value {
    let finding = &one.finding;
    let packages: Vec<String> = finding.packages.iter().map(package).collect();
    let fixed = finding.packages.iter().find_map(|package| package.fixed_in.as_ref());
    let mut text = format!("{} ({})", finding.id, finding.severity);
    if !packages.is_empty() {
        text.push_str(&format!(" in {}", packages.join(", ")));
    }
    text.push_str(&format!(" of {}", scanned.image.repository));
    if !one.platforms.is_empty() {
        text.push_str(&format!(" for {}", one.platforms.join(", ")));
    }
    text.push_str(&fixed.map_or(". No fix is known.".to_owned(), |version| format!(". Fixed in {version}.")));
    let uri = scanned.file.clone().unwrap_or_else(|| scanned.image.repository.to_string());
    let names = finding.packages.iter().map(|package| {
        let name = match &package.path {
            Some(path) => format!("{}: {} ({path})", scanned.image, package.name),
            None => format!("{}: {}", scanned.image, package.name),
        };
        json!({ "fullyQualifiedName": name, "kind": "module" })
    });
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": escaped(&uri) },
                "region": { "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1 },
            },
            "logicalLocations": names.collect::<Vec<_>>(),
        }],
        "partialFingerprints": { "longshoreFinding/v1": fingerprint(scanned, finding) },
        "properties": { "image": scanned.image.to_string(), "blocks": one.judged.blocks() && scanned.fail_on.is_some() },
    });
    if matches!(one.judged, Judged::Ignored(_) | Judged::Quiet(_)) {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": note(one, scanned.fail_on.is_some()),
        }]);
    }
    result
}

/// The same for the same weakness of the same package in the same repository, whatever build, tag or version.
fn fingerprint(scanned: &Scanned<'_>, finding: &Finding) -> String {
    let mut names: Vec<&str> = finding.packages.iter().map(|package| package.name.as_str()).collect();
    names.dedup();
    Digest::of(format!("{}\n{}\n{}", scanned.image.repository, finding.id, names.join(",")).as_bytes()).hex().to_owned()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational | Severity::Undefined => "note",
    }
}

/// The CVSS score, or one in the middle of the severity's range. GitHub: over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9
/// medium, 0.1 to 3.9 low. The severity is the service's own, so a score may not contradict it.
fn security_severity(finding: &Finding) -> String {
    let (low, usual, high) = match finding.severity {
        Severity::Critical => (9.1, 9.5, 10.0),
        Severity::High => (7.0, 8.0, 9.0),
        Severity::Medium => (4.0, 5.5, 6.9),
        Severity::Low => (0.1, 2.5, 3.9),
        Severity::Informational | Severity::Undefined => (0.0, 0.0, 0.0),
    };
    let score: f64 = finding.score.map_or(usual, |score| score.clamp(low, high));
    format!("{score:.1}")
}

/// At most so many characters, as GitHub allows.
fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A path as a relative URI.
fn escaped(path: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if legal(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
