//! `longshore local`

use std::net::TcpListener;

use serde_json::Value;

use crate::user::{Signal, User};

#[test]
fn a_command_gets_the_variables_and_its_exit_code_is_passed_on() {
    let user = User::new();
    let script = "echo \"$AWS_ENDPOINT_URL_ECR $LONGSHORE_REGISTRY $AWS_REGION $AWS_ACCESS_KEY_ID\"; exit 7";
    let local = ["local", "--port", "0", "--data", "data", "--", "sh", "-c", script];
    let ended = user.longshore(&user.at("home"), &local).run().with_code(7);
    assert_eq!(ended.out(), "http://HOST HOST us-east-1 local\n");
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_command_that_a_signal_ended_has_the_shells_exit_code() {
    let user = User::new();
    let local = ["local", "--port", "0", "--data", "data", "--", "sh", "-c", "kill -KILL $$"];
    user.longshore(&user.at("home"), &local).run().with_code(128 + 9);
}

#[test]
fn a_command_is_asked_to_end_when_the_server_is() {
    let user = User::new();
    let script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done";
    let local = ["local", "--port", "0", "--data", "data", "--", "sh", "-c", script];
    let mut running = user.longshore(&user.at("home"), &local).start();
    running.wait_for("the command", |running| (running.stdout() == "ready\n").then_some(()));
    running.signal(Signal::TERM);
    running.end().with_code(5);
}

#[test]
fn a_data_folder_that_is_a_file() {
    let user = User::new();
    user.write(&user.at("home/data"), "");
    user.longshore(&user.at("home"), &["local", "--data", "data"]).run().with_code(2).says(
        "\
error: longshore local cannot start
caused by: the data folder `FOLDER/home/data` cannot be used
caused by: File exists (os error 17)
hint: name a folder that can be written to with `--data`
",
    );
}

#[test]
fn a_command_that_is_not_there() {
    let user = User::new();
    let local = ["local", "--port", "0", "--data", "data", "--", "no-such-program"];
    user.longshore(&user.at("home"), &local).run().with_code(2).says(
        "\
error: cannot run `no-such-program`
caused by: No such file or directory (os error 2)
",
    );
}

#[test]
fn a_second_server_on_the_same_folder_is_told_where_the_first_answers() {
    let user = User::new();
    let server = user.serve("data");
    let second = user.longshore(&user.at("home"), &["local", "--data"]).arg(user.at("data"));
    let ended = second.run().with_code(4);
    ended.says(
        "\
error: longshore local cannot start
caused by: the data folder `FOLDER/data` is in use by the server at http://HOST
hint: use that server: export the variables that it printed, and leave out `--local`
",
    );
    assert!(ended.stderr.contains(&format!("at http://{}\n", server.host())), "{}", ended.stderr);
}

#[test]
fn a_port_that_is_taken() {
    let user = User::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = user.longshore(&user.at("home"), &["local", "--data", "data", "--port", &port]).run().with_code(2);
    ended.says(&format!(
        "\
error: longshore local cannot start
caused by: port `{port}` of 127.0.0.1 is taken by another program
hint: name another port with `--port`, or 0 for any that is free
"
    ));
}

#[test]
fn it_ends_cleanly_when_it_is_asked_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let user = User::new();
        let ended = user.serve("data").end_with(signal).with_code(0);
        assert_eq!(ended.err(), "longshore local answers at http://HOST; end it with Ctrl-C\n");
        // The folder is free again, and the images are still there.
        drop(user.serve("data"));
    }
}

#[test]
fn the_log_has_a_line_for_each_operation() {
    let user = User::new();
    let pipeline = "version: 1\nimages:\n  web: { build: ., repository: UNIQUE/web, tags: [one] }\n";
    let checkout =
        user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    let local = checkout.longshore(&["local", "--port", "0", "--log", "../log", "--data"]).arg(user.at("data"));
    local.args(&["--", env!("CARGO_BIN_EXE_longshore"), "run"]).succeeds();
    let log = std::fs::read_to_string(user.at("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| -> Vec<&Value> { lines.iter().filter(|line| line["operation"] == name).collect() };
    let name = format!("{}/web", user.unique());
    assert_eq!(
        (&of("CreateRepository")[0]["repository"], &of("CreateRepository")[0]["status"]),
        (&name.into(), &200.into())
    );
    assert!(of("GetAuthorizationToken")[0]["sent_bytes"].as_u64().is_some_and(|bytes| bytes > 50), "{log}");
    let put: Vec<&str> = of("registry:PutManifest").iter().filter_map(|line| line["reference"].as_str()).collect();
    assert!(put[0].starts_with("src-") && put.last() == Some(&"one"), "staged first, released last: {put:?}");
    assert!(of("registry:unknown").is_empty() && of("unknown").is_empty(), "{log}");
}

#[test]
fn faults_that_mean_nothing() {
    let user = User::new();
    user.write(&user.at("home/faults.yaml"), "faults:\n  - operation: PutImage\n    explode: true\n");
    let local = || user.longshore(&user.at("home"), &["local", "--data", "data", "--faults", "faults.yaml"]);
    let ended = local().run().with_code(2);
    let error = "\
error: the faults of `faults.yaml` mean nothing
 --> faults.yaml:3:5
  |
3 |     explode: true
  |     ^
caused by: ";
    assert!(ended.err().starts_with(error) && ended.err().contains("explode"), "{}", ended.err());
    user.write(&user.at("home/faults.yaml"), "faults: [{ operation: PutImage }]\n");
    let ended = local().run().with_code(2);
    assert!(ended.err().contains("caused by: `faults[0]`: it does nothing; say `delay`"), "{}", ended.err());
    user.longshore(&user.at("home"), &["local", "--data", "data", "--faults", "none"]).run().with_code(2).says(
        "\
error: cannot read `FOLDER/home/none`
caused by: No such file or directory (os error 2)
",
    );
}

#[test]
fn a_log_that_cannot_be_written() {
    let user = User::new();
    user.longshore(&user.at("home"), &["local", "--data", "data", "--log", "no/log"]).run().with_code(2).says(
        "\
error: longshore local cannot start
caused by: the log `FOLDER/home/no/log` cannot be written
caused by: No such file or directory (os error 2)
hint: name a file that can be written to with `--log`
",
    );
}
