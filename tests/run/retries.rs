//! What is tried again is told in the same words and counted by every command that asks a service.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::user::{Call, Ended, LocalServer, User};

/// A server that answers the first of these operations only when it is asked again; it holds `shop/web:1.0`.
fn falters(user: &User, operation: &str, status: u16) -> LocalServer {
    let answer = format!("{{ status: {status}, retry_after: 1 }}");
    let server =
        user.serve_with_faults("data", &format!("faults: [{{ operation: '{operation}', nth: 1, answer: {answer} }}]"));
    server.ask("CreateRepository", &json!({ "repositoryName": "shop/web" }));
    // An index of nothing needs nothing.
    let index = "application/vnd.oci.image.index.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": index, "manifests": [] }).to_string();
    server.ask("PutImage", &json!({ "repositoryName": "shop/web", "imageTag": "1.0", "imageManifest": manifest }));
    server
}

/// It must have said once that it tries again, and what.
#[track_caller]
fn told_once(ended: &Ended, doing: &str) {
    let told: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("; trying again in 1.")).collect();
    assert_eq!(told.len(), 1, "{}", ended.stderr);
    assert!(told[0].starts_with(&format!("cannot {doing}")), "{doing} is not in {}", told[0]);
}

#[track_caller]
fn told_and_counted(ended: &Ended, doing: &str) -> Value {
    told_once(ended, doing);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let retries = &document["retries"];
    assert_eq!(retries["count"], 1, "{}", ended.stdout);
    // Documents in ECR's shape have ECR's way of naming.
    let waited = retries["waited_seconds"].as_f64().or_else(|| retries["waitedSeconds"].as_f64());
    assert!(waited.is_some_and(|waited| (1.0..2.0).contains(&waited)), "{}", ended.stdout);
    document
}

const PIPELINE: &str = "version: 1\nimages: { web: { build: ., repository: shop/web, tags: [x] } }\n";

fn in_checkout(operation: &str, arguments: &[&str], doing: &str) {
    let user = User::new();
    let server = falters(&user, operation, 503);
    let checkout = user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let ended = server.env(checkout.longshore(arguments)).run();
    assert!(ended.code == Some(0) || arguments[0] == "doctor", "{}", ended.stderr);
    told_and_counted(&ended, doing);
}

#[test]
fn plan() {
    in_checkout("DescribeRepositories", &["plan", "--json"], "describe repository `shop/web`");
}

#[test]
fn the_plan_of_repositories() {
    in_checkout("DescribeRepositories", &["repo", "plan", "--json"], "describe repository `shop/web`");
}

#[test]
fn doctor() {
    in_checkout("GetAuthorizationToken", &["doctor", "--json"], "get the registry's authorization token");
    in_checkout("InitiateLayerUpload", &["doctor", "--json"], "begin an upload to `shop/web`");
}

#[test]
fn what_a_repository_holds() {
    let at_home = |operation: &str, arguments: &[&str], doing: &str| {
        let user = User::new();
        let server = falters(&user, operation, 429);
        user.write(&user.at("home/policy.yaml"), "- keep_last: 3\n");
        told_and_counted(&server.env(user.longshore(&user.at("home"), arguments)).run().with_code(0), doing);
    };
    at_home("DescribeImages", &["cost", "--json"], "describe the images of `shop/web`");
    at_home("DescribeImages", &["images", "show", "shop/web:1.0", "--json"], "describe `1.0` of `shop/web`");
    let simulate = ["lifecycle", "simulate", "--policy", "policy.yaml", "shop/web", "--json"];
    at_home("DescribeImages", &simulate, "describe the images of `shop/web`");
    let preview = ["lifecycle", "preview", "--policy", "policy.yaml", "shop/web", "--json"];
    at_home("StartLifecyclePolicyPreview", &preview, "start the lifecycle policy preview of `shop/web`");
}

#[test]
fn the_digest_of_a_base_image() {
    let user = User::new();
    let server = falters(&user, "registry:HeadManifest", 503);
    let dockerfile = format!("FROM {}/shop/web:1.0\n", server.host());
    let pipeline = PIPELINE.replace("shop/web", "shop/other");
    let checkout = user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &dockerfile)]);
    let ended = server.env(checkout.longshore(&["key", "--json"])).run().with_code(0);
    let document = told_and_counted(&ended, &format!("look up {}/shop/web:1.0", server.host()));
    let key = &document["images"]["web"]["key"];
    assert!(key.is_string(), "{document}");
}

#[test]
fn the_token_for_base_images() {
    let user = User::new();
    let server = falters(&user, "GetAuthorizationToken", 503);
    let dockerfile = format!("FROM {}/shop/web:1.0\n", server.host());
    let pipeline = PIPELINE.replace("shop/web", "shop/other");
    let checkout = user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &dockerfile)]);
    let ended = server.env(checkout.longshore(&["key", "--json"])).run().with_code(0);
    told_and_counted(&ended, "get the registry's authorization token");
}

#[test]
fn copy_and_promote() {
    let user = User::new();
    let server = falters(&user, "registry:PutManifest", 503);
    let goal = format!("{}/mirror:1.0", server.host());
    let copy = ["copy", &format!("{}/shop/web:1.0", server.host()), &goal, "--create", "--json"];
    let ended = server.env(user.longshore(&user.at("home"), &copy)).run().with_code(0);
    told_and_counted(&ended, &format!("put the tag {}/mirror@", server.host()));

    let user = User::new();
    let server = falters(&user, "registry:PutManifest", 429);
    let checkout = user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", "FROM scratch\n")]);
    let promote = ["promote", "1.0", "--to", "stable", "--json"];
    let ended = server.env(checkout.longshore(&promote)).run().with_code(0);
    told_and_counted(&ended, &format!("put the tag {}/shop/web:stable", server.host()));
}

/// Docker reads the answer from stdout; what comes on stderr it passes on to whoever waits.
#[test]
fn login_and_what_docker_asks() {
    let doing = "get the registry's authorization token";
    let user = User::new();
    let server = falters(&user, "GetAuthorizationToken", 503);
    let ended = server.env(user.longshore(&user.at("home"), &["login", "--print"])).run().with_code(0);
    told_once(&ended, doing);
    assert_eq!(ended.stdout.lines().count(), 1, "nothing but the password: {}", ended.stdout);

    let user = User::new();
    let server = falters(&user, "GetAuthorizationToken", 429);
    let program = user.at("docker-credential-longshore");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longshore"), &program).unwrap();
    user.write(&user.at("asked"), server.host());
    let asked = std::fs::File::open(user.at("asked")).unwrap();
    let call = server.env(user.program(program.to_str().unwrap(), &user.at("home")));
    let ended = call.arg("get").stdin(asked).run().with_code(0);
    told_once(&ended, doing);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(answer["Secret"].is_string() && answer["retries"].is_null(), "docker's own protocol: {answer}");
}

/// What a service says of itself goes to the terminal, and says nothing to it.
#[test]
fn a_cause_is_shown_as_text() {
    let user = User::new();
    let said = "x\\n::set-output name=a::b\\u001b]0;owned\\u0007";
    let answer = format!("{{ status: 503, code: ServerException, message: \"{said}\", retry_after: 1 }}");
    let fault = format!("faults: [{{ operation: GetAuthorizationToken, nth: 1, answer: {answer} }}]");
    let server = user.serve_with_faults("data", &fault);
    let ended = server.env(user.longshore(&user.at("home"), &["login", "--print"])).run().with_code(0);
    told_once(&ended, "get the registry's authorization token");
    assert!(ended.stderr.contains("set-output") && !ended.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", ended.stderr);
}

/// An STS that is in trouble once, as the SDK's own requests for credentials find it.
#[test]
fn what_gives_the_credentials() {
    let sts = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", sts.local_addr().unwrap());
    std::thread::spawn(move || {
        let given = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>\
             <SessionToken>c</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        let answers = [("503 Service Unavailable\r\nx-amz-retry-after: 1000", ""), ("200 OK", given)];
        for (connection, (status, body)) in sts.incoming().zip(answers) {
            let mut connection = connection.unwrap();
            // Of the request it matters only that it has come.
            let _ = connection.read(&mut [0; 16 * 1024]).unwrap();
            let length = body.len();
            write!(connection, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                .unwrap();
        }
    });
    let user = User::new();
    let server = user.serve("data");
    user.write(&user.at("token"), "a token of the CI system's");
    let identity = |call: Call| {
        call.env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", user.at("token").to_str().unwrap())
            .env("AWS_ENDPOINT_URL_STS", &address)
    };
    let call = server.env(user.longshore(&user.at("home"), &["cost", "--json"]));
    let ended = identity(call).run().with_code(0);
    told_and_counted(&ended, &format!("get an answer from {}: 503", address.trim_start_matches("http://")));
}
