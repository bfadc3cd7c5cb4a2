//! `longshore doctor`, and the failures that the troubleshooting chapters of ECR's guides are about.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use crate::user::{Checkout, Ended, LocalServer, Proxy, User};

const PIPELINE: &str = "\
version: 1
environments: { prod: { branch: main } }
images:
  web: { build: ., repository: UNIQUE/web, tags: [env, sha] }
";

fn checkout(user: &User) -> Checkout<'_> {
    user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", &user.dockerfile("COPY longshore.yaml /\n"))])
}

fn doctor(server: &LocalServer, checkout: &Checkout<'_>) -> Ended {
    server.env(checkout.longshore(&["doctor"])).run()
}

/// What is said of one thing: its lines, without the columns before them.
fn said(ended: &Ended, state: &str, about: &str) -> String {
    let out = ended.out();
    let mut lines = out.lines().skip_while(|line| !(line.starts_with(state) && line[9..].starts_with(about)));
    let first = lines.next().unwrap_or_else(|| panic!("no `{state}` of `{about}` in\n{out}"));
    let column = first.len() - first[9 + about.len()..].trim_start().len();
    let rest = lines.take_while(|line| line.starts_with("         ")).map(str::trim_start);
    std::iter::once(&first[column..]).chain(rest).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_is_well() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let ended = doctor(&server, &checkout).with_code(0);
    assert_eq!(ended.stderr, "");
    assert!(said(&ended, "ok", "docker").starts_with("Docker "), "{}", ended.out());
    assert_eq!(said(&ended, "ok", "network"), "127.0.0.1 is this machine");
    assert_eq!(said(&ended, "ok", "clock"), "agrees with the registry's");
    assert!(said(&ended, "ok", "token").starts_with("HOST takes it, good until "));
    let missing = "does not exist yet; a run creates it, which needs ecr:CreateRepository";
    let about = format!("repository {}/web", user.unique()).replace(user.unique(), "UNIQUE");
    assert_eq!(said(&ended, "ok", &about), missing);
    assert!(ended.out().ends_with("\nall is well\n"), "{}", ended.out());

    server.run(&checkout).succeeds();
    let ended = doctor(&server, &checkout).with_code(0);
    assert_eq!(said(&ended, "ok", &about), "exists, takes a push; its tags are mutable");

    let json = server.env(checkout.longshore(&["doctor", "--json"])).succeeds();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["version"], &json["status"]), (&json!(1), &json!("ok")));
    assert!(json["checks"].as_array().unwrap().iter().all(|check| check["state"] == "ok"), "{json}");
}

#[test]
fn tags_that_move_in_a_repository_that_holds_them() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let name = format!("{}/web", user.unique());
    let url = server.variable("AWS_ENDPOINT_URL_ECR").to_owned();
    let aws = ["--endpoint-url", &url, "ecr", "create-repository", "--repository-name", &name];
    let create = server.env(user.program("aws", checkout.root())).args(&aws);
    create.args(&["--image-tag-mutability", "IMMUTABLE"]).succeeds();
    let ended = doctor(&server, &checkout).with_code(0);
    let expected = "\
its tags are immutable, but the pipeline moves `prod`
hint: aws ecr put-image-tag-mutability --repository-name UNIQUE/web --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \
--image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=prod
hint: or do not move them: leave `prod` out of `tags`";
    assert_eq!(said(&ended, "warning", "repository UNIQUE/web"), expected);
    assert!(ended.out().ends_with("\n1 warning\n"), "{}", ended.out());
}

#[test]
fn a_missing_repository_and_a_run_in_the_same_words() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let pipeline = PIPELINE.replace("repository: UNIQUE/web", "repository: { name: UNIQUE/web, create: false }");
    checkout.write("longshore.yaml", &pipeline);
    let ended = doctor(&server, &checkout).with_code(2);
    let told = said(&ended, "problem", "repository UNIQUE/web");
    assert!(told.starts_with("repository `UNIQUE/web` does not exist in the registry\n"), "{told}");
    let run = server.run(&checkout).run().with_code(2);
    assert!(run.err().contains("`UNIQUE/web` does not exist"), "{}", run.err());
}

#[test]
fn permissions_are_probed_and_leave_nothing_behind() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    server.run(&checkout).succeeds();
    let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:InitiateLayerUpload on \
                   resource: arn:aws:ecr:us-east-1:123456789012:repository/web";
    let denied = json!({ "__type": "AccessDeniedException", "message": message }).to_string();
    let proxy = Proxy::start(server.variable("AWS_ENDPOINT_URL_ECR"), move |action| {
        (action == "InitiateLayerUpload").then(|| (400, denied.clone()))
    });
    let ended =
        server.env(checkout.longshore(&["doctor"])).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).run().with_code(3);
    let expected = format!(
        "\
cannot begin an upload to `UNIQUE/web`: permission denied
caused by: AccessDeniedException: {message}
hint: allow `ecr:InitiateLayerUpload` in the IAM policy of the role that runs this job"
    );
    assert_eq!(said(&ended, "problem", "repository UNIQUE/web"), expected);
}

#[test]
fn credentials_that_are_over_in_the_words_of_a_run() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let expired = json!({ "__type": "ExpiredTokenException", "message": "it is expired" }).to_string();
    let proxy = Proxy::start("", move |_| Some((400, expired.clone())));
    let with = |arguments: &[&str]| {
        server.env(checkout.longshore(arguments)).env("AWS_ENDPOINT_URL_ECR", &proxy.endpoint).run().with_code(3)
    };
    let told = said(&with(&["doctor"]), "problem", "credentials");
    assert!(told.starts_with("the AWS credentials have expired\n"), "{told}");
    assert_eq!(with(&["run"]).err(), format!("error: {told}\n"));
}

#[test]
fn a_dead_daemon_does_not_keep_the_rest_from_being_looked_at() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let socket = format!("unix://{}", user.at("no.sock").display());
    let ended = server.env(checkout.longshore(&["doctor"])).env("DOCKER_HOST", &socket).run().with_code(4);
    assert!(
        said(&ended, "problem", "docker").starts_with("the Docker daemon does not answer at unix://FOLDER/no.sock\n")
    );
    assert!(said(&ended, "ok", "token").starts_with("HOST takes it"));
    assert!(ended.out().ends_with("\n1 problem\n"), "{}", ended.out());
}

#[test]
fn a_clock_that_is_off() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let ended = server.env(checkout.longshore(&["doctor", "--registry", &host])).run().with_code(3);
    let told = said(&ended, "problem", "clock");
    assert!(
        told.starts_with("this machine's clock is ")
            && told.contains(" s ahead of the registry's\nhint: set the clock"),
        "{told}"
    );
}

#[test]
fn traps_in_dockers_configuration() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let config = r#"{"credsStore": "no-such-store", "auths": {"public.ecr.aws": {"auth": "QVdTOng="}}}"#;
    user.write(&user.at("docker/config.json"), config);
    let ended = doctor(&server, &checkout).with_code(3);
    let told = said(&ended, "problem", "docker login");
    assert!(told.starts_with("`credsStore` names docker-credential-no-such-store, which is not on PATH"), "{told}");
    let told = said(&ended, "warning", "docker login");
    assert!(told.ends_with("\nhint: docker logout public.ecr.aws"), "{told}");
}

#[test]
fn without_a_pipeline_and_without_credentials() {
    let user = User::new();
    let folder = user.folder_of("empty", &[]);
    let ended = folder.longshore(&["doctor"]).env("AWS_REGION", "us-east-1").run().with_code(3);
    let told = said(&ended, "warning", "pipeline");
    assert!(told.ends_with("\nhint: write one with `longshore init`"), "{told}");
    assert!(said(&ended, "problem", "registry").starts_with("no AWS credentials were found\n"));
}

#[test]
fn what_the_engine_lacks_in_the_words_of_a_run() {
    let user = User::new();
    let (server, checkout) = (user.serve("data"), checkout(&user));
    let asking = "\
version: 1
images:
  web:
    build: { context: ., cache_from: ['type=local,src=cache'], ssh: [default] }
    repository: UNIQUE/web
    tags: [one]
";
    checkout.write("longshore.yaml", asking);
    let with = |arguments: &[&str], code: i32| {
        server.env(checkout.longshore(arguments)).env("DOCKER_BUILDKIT", "0").run().with_code(code)
    };
    let doctor = with(&["doctor"], 2);
    let engine = said(&doctor, "ok", "docker");
    assert!(engine.contains(", with the classic builder\n"), "{engine}");
    let lacks = "it lacks context, additional_contexts, secrets, ssh, no_cache_filter, entitlements, cache_from, cache_to, cache: \
                 use BuildKit, which Docker 20.10 and later have";
    assert!(engine.contains(lacks), "{engine}");
    let warning = said(&doctor, "warning", "image web");
    assert!(
        warning.contains(" does not know `cache_from`; it is left out\nhint: use BuildKit, which Docker"),
        "{warning}"
    );
    let problem = said(&doctor, "problem", "image web");
    assert!(problem.contains(" cannot do what `ssh` asks for\nhint: use BuildKit, which Docker 20.10"), "{problem}");
    let run = with(&["run"], 2).err();
    assert!(run.ends_with(&format!("error: image `web`: {problem}\n")), "{run}\n{problem}");
}
