//! `longshore audit`: what it prints is run, by the real AWS CLI, against a CloudTrail that answers what it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::user::User;

/// The body of one request, read to its end.
fn body(stream: &mut TcpStream) -> Option<Value> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            return serde_json::from_str(body).ok();
        }
    }
}

/// A CloudTrail with these events by their names. It ends with the test.
fn cloudtrail(events: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(asked) = body(&mut stream) else { continue };
            let wanted = &asked["LookupAttributes"][0]["AttributeValue"];
            let found = events.iter().filter(|event| event["eventName"] == *wanted);
            let found: Vec<Value> = found.map(|event| json!({ "CloudTrailEvent": event.to_string() })).collect();
            let answer = json!({ "Events": found }).to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        }
    });
    url
}

#[test]
fn the_commands_print_who_pushed_and_who_deleted() {
    let user = User::new();
    let who = json!({ "arn": "arn:aws:sts::123456789012:assumed-role/ci/run" });
    // The forms are those of the ECR user guide, "Example: Image push action" and what follows it.
    let image = |digest: &str| json!({ "image": { "imageId": { "imageDigest": digest } } });
    let url = cloudtrail(vec![
        json!({ "eventTime": "2026-01-02T00:00:00Z", "eventName": "PutImage", "userIdentity": who,
            "requestParameters": { "repositoryName": "shop/web", "imageTag": "1.2.3" }, "responseElements": image("sha256:aa") }),
        json!({ "eventTime": "2026-01-02T00:00:01Z", "eventName": "PutImage", "userIdentity": who,
            "requestParameters": { "repositoryName": "shop/webhook", "imageTag": "x" }, "responseElements": image("sha256:bb") }),
        json!({ "eventTime": "2026-01-01T00:00:00Z", "eventName": "BatchDeleteImage", "userIdentity": who,
            "requestParameters": { "repositoryName": "shop/web", "imageIds": [{ "imageTag": "old" }, { "imageDigest": "sha256:cc" }] } }),
        json!({ "eventTime": "2026-01-03T00:00:00Z", "eventName": "PolicyExecutionEvent", "userIdentity": { "invokedBy": "AWS Internal" },
            "requestParameters": null, "serviceEventDetails": { "repositoryName": "shop/web", "lifecycleEventImageActions": [
                { "lifecycleEventImage": { "digest": "sha256:dd", "tagList": ["a", "b"] }, "rulePriority": 1 } ] } }),
        json!({ "eventTime": "2026-01-04T00:00:00Z", "eventName": "DeleteRepository", "userIdentity": who,
            "requestParameters": { "repositoryName": "shop/web", "force": true } }),
    ]);
    let commands = user.longshore(&user.at("home"), &["audit", "shop/web", "--region", "eu-west-1"]).succeeds();
    let printed = user
        .program("sh", &user.at("home"))
        .args(&["-euc", &commands])
        .envs(&[("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_ENDPOINT_URL_CLOUDTRAIL", &url)])
        .succeeds();
    let ci = "arn:aws:sts::123456789012:assumed-role/ci/run";
    let expected = format!(
        "2026-01-01T00:00:00Z\tBatchDeleteImage\t{ci}\t-\tsha256:cc\n\
         2026-01-01T00:00:00Z\tBatchDeleteImage\t{ci}\told\t-\n\
         2026-01-02T00:00:00Z\tPutImage\t{ci}\t1.2.3\tsha256:aa\n\
         2026-01-03T00:00:00Z\tPolicyExecutionEvent\tAWS Internal\ta,b\tsha256:dd\n\
         2026-01-04T00:00:00Z\tDeleteRepository\t{ci}\t-\t-\n"
    );
    assert_eq!(printed, expected);
}

#[test]
fn a_repository_must_have_a_name_of_ecr() {
    let user = User::new();
    let ended = user.longshore(&user.at("home"), &["audit", "Shop/Web"]).run().with_code(2);
    assert!(ended.stderr.contains("Shop/Web"), "{}", ended.stderr);
}
