//! `longshore images` and `longshore cost`, against a small ECR.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Bed, Program, images};

const LONGSHORE: &str = env!("CARGO_BIN_EXE_longshore");

fn longshore(bed: &Bed, arguments: &[&str]) -> Program {
    bed.program(LONGSHORE, arguments)
}

/// A repository with an index of two images that share a layer, and one untagged image.
async fn bed() -> (Bed, [String; 4]) {
    let bed = Bed::start().await;
    let client = support::ecr_client(&bed.server);
    client.create_repository().repository_name("shop/web").send().await.unwrap();
    let base = vec![b'b'; 3000];
    let layers = |own: &'static [u8]| -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("/bin/sh -c #(nop) ADD base / ", base.clone()),
            ("RUN /bin/sh -c apt-get install -y git # buildkit", own.to_vec()),
        ]
    };
    let mut pushed = Vec::new();
    for (tag, own) in [(Some("src-0123456789abcdef0123"), &b"amd"[..]), (Some("arm"), b"arm"), (None, b"none")] {
        let layers = layers(own);
        let layers: Vec<(&str, &[u8])> = layers.iter().map(|(command, bytes)| (*command, bytes.as_slice())).collect();
        pushed.push(images::image(&client, "shop/web", tag, &layers).await);
    }
    let listed = [("linux/amd64", pushed[0].as_str()), ("linux/arm64", pushed[1].as_str())];
    let index = images::index(&client, "shop/web", Some("1.0"), &listed).await;
    let [amd, arm, none] = <[String; 3]>::try_from(pushed).unwrap();
    (bed, [amd, arm, none, index])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing() {
    let (bed, [amd, _, none, index]) = bed().await;
    let all: Value = longshore(&bed, &["images", "ls", "shop/web", "--sort", "tag", "--json"]).json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!((&all[0]["digest"], &all[0]["tags"]), (&json!(index), &json!(["1.0"])));
    assert_eq!(all[0]["platforms"], json!(["linux/amd64", "linux/arm64"]));
    assert_eq!((&all[2]["digest"], &all[2]["key"]), (&json!(amd), &json!("0123456789abcdef0123")));
    assert_eq!((&all[2]["platforms"], &all[2]["part_of"]), (&json!(["linux/amd64"]), &json!([index])));
    assert_eq!(all[3]["digest"], json!(none));
    let text = longshore(&bed, &["images", "ls", "shop/web", "--limit", "2"]).succeeds();
    assert_eq!(text.lines().count(), 3, "{text}");
    // Page by page, the JSON is one list all the same.
    let streamed: Value = longshore(&bed, &["images", "ls", "shop/web", "--sort", "none", "--json"]).json();
    assert_eq!(streamed.as_array().unwrap().len(), 4);
    let nothing: Value = longshore(&bed, &["images", "ls", "shop/web", "--limit", "0", "--json"]).json();
    assert_eq!(nothing, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_asks_and_takes_along_what_belongs_to_it() {
    let (bed, [amd, arm, none, index]) = bed().await;
    let client = support::ecr_client(&bed.server);
    let left = async || {
        let described = client.describe_images().repository_name("shop/web").send().await.unwrap();
        let mut left: Vec<String> =
            described.image_details().iter().map(|image| image.image_digest().unwrap().to_owned()).collect();
        left.sort_unstable();
        left
    };
    let complaint = longshore(&bed, &["images", "rm", "shop/web", "--untagged"]).fails();
    let words = "error: nothing was removed: nobody is there to ask\n\
                 hint: pass --yes to remove them, or --dry-run to look only\n";
    assert!(complaint.ends_with(words), "{complaint}");
    let told = longshore(&bed, &["images", "rm", "shop/web", "--untagged", "--dry-run"]).succeeds();
    assert_eq!(told, format!("shop/web: 1 image to remove\n  image {none} without a tag\n"));
    assert_eq!(left().await.len(), 4);
    longshore(&bed, &["images", "rm", "shop/web", "--untagged", "--yes"]).succeeds();
    assert!(!left().await.contains(&none));

    bed.file("longshore.yaml", "version: 1\nenvironments: { \"1.0\": { branch: main } }\nimages: { web: . }\n");
    bed.file(
        "longshore.yaml",
        "version: 1\nenvironments: { \"1.0\": { branch: main } }\nimages: { web: { build: . } }\n",
    );
    let complaint = longshore(&bed, &["images", "rm", "shop/web", &index, "--yes"]).fails();
    assert!(complaint.contains(&format!("environment `1.0` needs {index} of `shop/web`")), "{complaint}");
    bed.file("longshore.yaml", "version: 1\nimages: { web: { build: . } }\n");
    let complaint = longshore(&bed, &["images", "rm", "shop/web", &amd, "--yes"]).fails();
    assert!(complaint.contains(&format!("`1.0` of `shop/web` lists {amd}")), "{complaint}");
    let told = longshore(&bed, &["images", "rm", "shop/web", &index, "--yes"]).succeeds();
    assert!(told.contains("1 image, 1 image that go along"), "{told}");
    assert_eq!(left().await, [arm], "a tag of somebody's keeps it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drawing() {
    let (bed, [amd, ..]) = bed().await;
    let shown = longshore(&bed, &["images", "show", "shop/web", "1.0", "--json"]).json();
    let image = &shown["images"][0];
    assert_eq!((&image["platform"], &image["digest"]), (&json!("linux/amd64"), &json!(amd)));
    assert_eq!(image["layers"][0]["command"], "ADD base /");
    assert_eq!(image["layers"][0]["other_images"], 1, "only the untagged one is no part of it");
    assert_eq!(image["layers"][1]["other_images"], 0);
    assert!(image["layers"][1]["hint"].as_str().unwrap().contains("apt"));
    let text = longshore(&bed, &["images", "show", "shop/web:1.0"]).succeeds();
    assert!(text.contains("  1   3.0 kB #################### ADD base / (in 1 other image) <- the largest"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill() {
    let (bed, _) = bed().await;
    let policy = json!({ "rules": [{ "rulePriority": 1,
        "selection": { "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1 },
        "action": { "type": "expire" }, "description": "long enough for ECR, which wants a hundred characters at least" }] });
    let client = support::ecr_client(&bed.server);
    let put = client.put_lifecycle_policy().repository_name("shop/web").lifecycle_policy_text(policy.to_string());
    put.send().await.unwrap();
    let cost = longshore(&bed, &["cost", "--json", "--price", "storage=1000000"]).json();
    let short = longshore(&bed, &["cost", "--json", "--price", "1000000"]).json();
    assert_eq!((&short["prices"], &short["usd"]), (&cost["prices"], &cost["usd"]));
    let web = &cost["repositories"][0];
    let (bytes, listed) = (web["bytes"].as_u64().unwrap(), web["listed_bytes"].as_u64().unwrap());
    assert!((3000..6000).contains(&bytes) && listed > 12_000, "the shared layer counts once: {cost}");
    assert_eq!(web["by_age"][0]["images"], 4);
    assert_eq!(web["lifecycle"]["expired"], 0);
    assert!((cost["usd"].as_f64().unwrap() - bytes as f64 / 1000.0).abs() < 1e-6);
    let text = longshore(&bed, &["cost", "shop/web"]).succeeds();
    assert!(text.ends_with("prices of us-east-1, March 2026; set yours with --price: 0.1 USD a GB-month; transfer and scans are not in it\n"), "{text}");
    let complaint = longshore(&bed, &["cost", "--price", "gold=1"]).fails();
    assert!(complaint.contains("there is no price `gold`"), "{complaint}");
}
