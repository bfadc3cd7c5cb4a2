//! What fails in the work itself, and what is left afterwards.

use serde_json::{Value, json};

use crate::user::User;

const TWO_IMAGES: &str = "\
version: 1
defaults: { tags: [sha] }
images:
  good: { build: good, repository: UNIQUE/good }
  bad: { build: bad, repository: UNIQUE/bad }
";

#[test]
fn a_step_that_fails_lets_no_image_be_released() {
    let user = User::new();
    let failing = user.dockerfile("COPY busybox /bin/sh\nRUN echo one && echo two && exit 3\nCOPY never /never\n");
    let checkout = user.checkout(&[
        ("longshore.yaml", TWO_IMAGES),
        ("good/Dockerfile", &user.dockerfile("COPY Dockerfile /\n")),
        ("bad/Dockerfile", &failing),
        ("bad/never", ""),
    ]);
    checkout.add_busybox("bad");
    checkout.commit();
    let server = user.serve("data");
    let ended = server.run(&checkout).args(&["--report", "report.json"]).run().with_code(1);
    assert_eq!(ended.stdout, "");
    let error = "\
error: image `bad`: step `[2/3] RUN echo one && echo two && exit 3` failed
 --> bad/Dockerfile:4:1
  |
4 | RUN echo one && echo two && exit 3
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
caused by: one
           two
caused by: executor failed running [/bin/sh -c echo one && echo two && exit 3]: exit code: 3
";
    assert!(ended.err().ends_with(error), "the failing step comes last:\n{}", ended.err());

    for name in ["imageDefinitions.json", "imagedefinitions.json"] {
        assert!(!checkout.at(name).exists(), "{name} must not be written");
    }
    let report: Value = serde_json::from_str(&checkout.read("report.json")).unwrap();
    assert_eq!((&report["status"], &report["exit_code"]), (&json!("failed"), &json!(1)));
    let statuses: Vec<&Value> = report["images"].as_array().unwrap().iter().map(|image| &image["status"]).collect();
    assert_eq!(statuses, [&json!("staged"), &json!("failed")]);
    assert_eq!(report["images"][0]["references"], json!([]));

    // The other image waits under its staging tag.
    let host = server.host();
    let url = format!("http://{host}/v2/{}/good/tags/list", user.unique());
    let password = server.env(checkout.longshore(&["login", "--print"])).succeeds();
    let credential = format!("AWS:{}", password.trim());
    let listed = user.program("curl", checkout.root()).args(&["--silent", "--user", &credential, &url]).succeeds();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let tags = listed["tags"].as_array().unwrap();
    assert!(tags.len() == 1 && tags[0].as_str().unwrap().starts_with("src-"), "{listed}");
}

#[test]
fn a_dead_daemon_is_found_in_the_first_second() {
    let user = User::new();
    let checkout = user.checkout(&[("longshore.yaml", TWO_IMAGES), ("good/Dockerfile", ""), ("bad/Dockerfile", "")]);
    let socket = user.at("no.sock");
    let host = format!("unix://{}", socket.display());
    checkout.run_local(&[]).env("DOCKER_HOST", &host).run().with_code(4).says(
        "\
error: the Docker daemon does not answer at unix://FOLDER/no.sock
caused by: there is no socket at `FOLDER/no.sock`
hint: start Docker, or point `DOCKER_HOST` at a running daemon
",
    );
    // A socket that nobody listens on any more, as a killed daemon leaves it.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    checkout.run_local(&[]).env("DOCKER_HOST", &host).run().with_code(4).says(
        "\
error: the Docker daemon does not answer at unix://FOLDER/no.sock
caused by: Connection refused (os error 111)
hint: start Docker, or point `DOCKER_HOST` at a running daemon
",
    );
}

#[test]
fn an_address_that_leads_to_no_daemon_is_a_mistake_and_not_worth_another_try() {
    let user = User::new();
    let checkout = user.checkout(&[("longshore.yaml", TWO_IMAGES), ("good/Dockerfile", ""), ("bad/Dockerfile", "")]);
    checkout.run_local(&[]).env("DOCKER_HOST", "/var/run/docker.sock").run().with_code(2).says(
        "\
error: `/var/run/docker.sock` does not lead to a Docker daemon
caused by: it has no scheme such as `unix://` or `tcp://`
hint: check DOCKER_HOST and DOCKER_CONTEXT; an address looks like `unix:///var/run/docker.sock`
",
    );
}

#[test]
fn a_missing_dockerfile_is_found_before_anything_is_made() {
    let user = User::new();
    let checkout = user.checkout(&[("longshore.yaml", TWO_IMAGES), ("good/Dockerfile", "FROM scratch"), ("bad/x", "")]);
    checkout.run_local(&[]).run().with_code(2).says(
        "\
error: image `bad`: cannot read `FOLDER/checkout/bad/Dockerfile`
 --> longshore.yaml:5:10
  |
5 |   bad: { build: bad, repository: UNIQUE/bad }
  |          ^^^^^
caused by: No such file or directory (os error 2)
hint: `context` starts from the pipeline file's folder, and `dockerfile` from the context
",
    );
}

#[test]
fn a_registry_that_does_not_answer_is_found_before_the_build() {
    let user = User::new();
    let checkout = user.checkout(&[
        ("longshore.yaml", TWO_IMAGES),
        ("good/Dockerfile", &user.dockerfile("")),
        ("bad/Dockerfile", &user.dockerfile("")),
    ]);
    let server = user.serve("data");
    let ended = server.run(&checkout).args(&["--registry", "127.0.0.1:1"]).run().with_code(4);
    assert!(ended.err().starts_with("error: cannot log in to HOST: HOST does not answer\n"), "{}", ended.err());
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
}
