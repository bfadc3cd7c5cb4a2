//! How long a policy takes on a full repository: `make bench` says it.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "it measures, and tells")]

use std::time::Instant;

use longshore::lifecycle::{Images, Moment, evaluate, read_json};
use serde_json::{Value, json};

fn main() {
    let rules: Vec<Value> = (1..=50)
        .map(|number| {
            let selection = if number % 2 == 0 {
                json!({ "tagStatus": "tagged", "tagPatternList": [format!("*a*{number}*"), "v*"], "countType": "imageCountMoreThan", "countNumber": 10 })
            } else {
                json!({ "tagStatus": "tagged", "tagPatternList": [format!("v{number}*b*")], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 9 })
            };
            json!({ "rulePriority": number, "selection": selection, "action": { "type": "expire" } })
        })
        .collect();
    let policy = read_json(&json!({ "rules": rules }).to_string()).unwrap().policy;
    let images: Vec<String> = (0..100_000)
        .map(|number| {
            format!(
                r#"{{"imageDigest": "sha256:{number:064x}", "imageTags": ["v{}-b{number}", "src-{number:020x}", "main-a-{number}"], "imagePushedAt": "2024-01-{:02}T{:02}:00:00+09:00", "imageSizeInBytes": 1000000}}"#,
                number % 60,
                number % 28 + 1,
                number % 24
            )
        })
        .collect();
    let text = format!("{{\"imageDetails\": [{}]}}", images.join(","));
    let began = Instant::now();
    let images = Images::parse(&text).unwrap().0;
    let read = began.elapsed().as_secs_f64();
    let outcome = evaluate(&policy, &images, Moment::parse("2024-06-01T00:00:00Z").unwrap());
    let all = began.elapsed().as_secs_f64();
    println!(
        "50 rules take {} of 100,000 images in {:.2} s, {read:.2} s of it to read {} MB",
        outcome.taken.len(),
        all,
        text.len() / 1_000_000
    );
}
