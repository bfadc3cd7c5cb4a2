//! For programs. Fields are only ever added.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Scanned, note};
use crate::scan::{End, ImageScan, Objection};

/// One image: its scans, its findings with what the gate makes of each, and the verdict.
pub fn json(scanned: &Scanned<'_>) -> Value {
    let judgement = scanned.judgement;
    let findings = judgement.findings.iter().map(|one| {
        let mut finding = serde_json::to_value(&one.finding).unwrap_or_default();
        finding["platforms"] = json!(one.platforms);
        if scanned.fail_on.is_some() {
            finding["blocks"] = one.judged.blocks().into();
        }
        let note = note(one, scanned.fail_on.is_some());
        if !note.is_empty() {
            finding["note"] = note.into();
        }
        finding
    });
    let counts = judgement.counts().into_iter().rev().map(|(severity, count)| (severity.to_string(), json!(count)));
    let mut value = json!({
        "name": scanned.name,
        "image": scanned.image.to_string(),
        "scans": scanned.scans.iter().map(scan).collect::<Vec<_>>(),
        "counts": counts.collect::<serde_json::Map<_, _>>(),
        "findings": findings.collect::<Vec<_>>(),
    });
    let unknown = judgement.objections.iter().filter(|one| !matches!(one, Objection::Finding { .. }));
    let told: Vec<String> = match scanned.fail_on {
        Some(_) => judgement.objections.iter().map(ToString::to_string).collect(),
        None => unknown.map(ToString::to_string).collect(),
    };
    if let Some(fail_on) = scanned.fail_on {
        value["gate"] = json!({
            "fail_on": fail_on,
            "open": judgement.is_open(),
            "notices": judgement.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
    }
    value["objections"] = json!(told);
    value
}

fn scan(scan: &ImageScan) -> Value {
    let mut value = json!({ "digest": scan.digest, "platform": scan.platform });
    let (status, description) = match &scan.end {
        End::Found(read) => {
            value["completed_at"] = json!(read.completed_at.and_then(|at| at.format(&Rfc3339).ok()));
            value["scanner"] = if read.enhanced { "ENHANCED" } else { "BASIC" }.into();
            (read.status.as_str().to_owned(), read.description.clone())
        }
        End::Unsupported(words) => ("UNSUPPORTED_IMAGE".to_owned(), words.clone()),
        End::NoResult { status, description } => (status.clone(), description.clone()),
        End::NeverScanned(why) => ("NOT_SCANNED".to_owned(), Some(why.to_string())),
        End::TimedOut { after, waiting } => {
            ("TIMED_OUT".to_owned(), Some(format!("after {} s there was still {waiting}", after.as_secs())))
        }
    };
    value["status"] = status.into();
    value["description"] = json!(description);
    value
}
