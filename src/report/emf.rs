//! Metrics in the log: lines that CloudWatch Logs turns into metrics, where the log goes there as CodeBuild's does.

use serde_json::{Map, Value, json};

use super::spans::Spans;
use crate::execute::report::{ImageReport, Outcome, Report};
use crate::plan::{ImageAction, ImagePlan, Plan};

const NAMESPACE: &str = "Longshore";

/// One line for each image, by its repository, and one for the run. `now` is in milliseconds since 1970.
///
/// Source: CloudWatch user guide, "Specification: Embedded metric format".
pub fn lines(plan: &Plan, report: &Report, spans: &Spans, now: i64) -> Vec<String> {
    let images = plan.images.iter().zip(&report.images);
    let mut lines: Vec<String> = images.clone().map(|(image, done)| of_image(image, done, spans, now)).collect();
    let built = |image: &ImagePlan| image.action.builds();
    let count = |wanted: fn(&Outcome) -> bool| report.images.iter().filter(|done| wanted(&done.outcome)).count();
    let metrics = [
        ("RunSeconds", "Seconds", json!(seconds(report.took))),
        ("ImagesBuilt", "Count", json!(plan.images.iter().filter(|image| built(image)).count())),
        ("ImagesReused", "Count", json!(plan.images.iter().filter(|image| is_reused(image)).count())),
        ("ImagesFailed", "Count", json!(count(|outcome| matches!(outcome, Outcome::Failed(_))))),
        ("BytesPushed", "Bytes", json!(plan.images.iter().map(|image| spans.sent(&image.name)).sum::<u64>())),
    ];
    lines.push(line(&[], &metrics, now));
    lines
}

fn of_image(image: &ImagePlan, done: &ImageReport, spans: &Spans, now: i64) -> String {
    let mut metrics = vec![("Reused", "Count", json!(u8::from(is_reused(image))))];
    metrics.extend(done.build_took.map(|took| ("BuildSeconds", "Seconds", json!(seconds(took)))));
    metrics.extend(done.push_took.map(|took| ("PushSeconds", "Seconds", json!(seconds(took)))));
    metrics.push(("BytesPushed", "Bytes", json!(spans.sent(&image.name))));
    if let Outcome::Published(published) = &done.outcome {
        metrics.extend(published.size.map(|size| ("ImageBytes", "Bytes", json!(size))));
    }
    metrics.extend(findings(done).map(|count| ("Findings", "Count", json!(count))));
    metrics.push(("Failed", "Count", json!(u8::from(matches!(done.outcome, Outcome::Failed(_))))));
    line(&[("Repository", image.repository.as_str())], &metrics, now)
}

fn line(dimensions: &[(&str, &str)], metrics: &[(&str, &str, Value)], now: i64) -> String {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let definitions: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions });
    let mut root = Map::new();
    root.insert("_aws".to_owned(), json!({ "Timestamp": now, "CloudWatchMetrics": [directive] }));
    root.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    root.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())));
    Value::Object(root).to_string()
}

/// How many findings its gate has heard of, if it has one and got there.
fn findings(done: &ImageReport) -> Option<usize> {
    done.gate.as_ref().map(|gate| gate.judgement.findings.len())
}

fn is_reused(image: &ImagePlan) -> bool {
    matches!(image.action, ImageAction::Reuse { .. })
}

/// To the millisecond.
fn seconds(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_for_word() {
        let metrics = [("Reused", "Count", json!(1)), ("BuildSeconds", "Seconds", json!(1.5))];
        let expected = r#"{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Longshore","Dimensions":[["Repository"]],"Metrics":[{"Name":"Reused","Unit":"Count"},{"Name":"BuildSeconds","Unit":"Seconds"}]}]},"Repository":"shop/web","Reused":1,"BuildSeconds":1.5}"#;
        assert_eq!(line(&[("Repository", "shop/web")], &metrics, 1_700_000_000_000), expected);
        let run = line(&[], &metrics[..1], 0);
        assert!(run.contains(r#""Dimensions":[[]]"#) && run.ends_with(r#","Reused":1}"#), "{run}");
    }
}
