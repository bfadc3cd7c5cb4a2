//! Where results and messages go, and what happens if they cannot go there.

use std::fs::File;
use std::process::Stdio;

use crate::user::{Checkout, User, names};

fn checkout<'a>(user: &'a User, outputs: &str) -> Checkout<'a> {
    let pipeline = format!(
        "version: 1\nimages:\n  web: {{ build: ., repository: UNIQUE/web, tags: [one] }}\noutputs: {outputs}\n"
    );
    user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))])
}

/// A file to which nothing can be written.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// The writing end of a pipe whose reader has gone away.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_result_that_cannot_be_printed_is_a_failure() {
    let user = User::new();
    let checkout = checkout(&user, "{}");
    let error = "error: cannot write to stdout\ncaused by: No space left on device (os error 28)\n";
    checkout.longshore(&["config"]).stdout(full()).run().with_code(2).says(error);
    let ended = checkout.run_local(&["--progress", "quiet"]).stdout(full()).run().with_code(2);
    ended.says(error);
    assert!(checkout.at("imageDefinitions.json").exists(), "the work was done");
}

#[test]
fn nobody_has_to_listen() {
    let user = User::new();
    let checkout = checkout(&user, "{}");
    checkout.longshore(&["config"]).stdout(closed()).run().with_code(0);
    for stderr in [closed(), full().into()] {
        let ended = checkout.run_local(&[]).stderr(stderr).run().with_code(0);
        assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\n");
    }
    checkout.longshore(&["run", "nothing"]).stderr(closed()).run().with_code(2);
}

#[test]
fn a_report_can_go_to_a_stream() {
    let user = User::new();
    let checkout = checkout(&user, "{}");
    // A fifo stands in for `/dev/stdout`, which no test should put at risk.
    user.program("mkfifo", checkout.root()).arg("fifo").succeeds();
    let fifo = checkout.at("fifo");
    let reader = std::thread::spawn(move || std::fs::read_to_string(fifo).unwrap());
    checkout.run_local(&["--report", "fifo"]).run().with_code(0);
    assert!(reader.join().unwrap().contains("\"status\": \"succeeded\""));
}

#[test]
fn files_that_cannot_be_written_are_found_before_anything_is_built() {
    let user = User::new();
    let pushed = checkout(&user, "{ image_definitions: [no/where.json, taken], image_detail: ok.json }");
    std::fs::create_dir(pushed.at("taken")).unwrap();
    let before = names(pushed.root());
    pushed.run_local(&[]).run().with_code(2).says(
        "\
error: cannot write `FOLDER/checkout/no/where.json`
caused by: No such file or directory (os error 2)
error: cannot write `FOLDER/checkout/taken`
caused by: is a directory
",
    );
    pushed.run_local(&["--report", "no/report.json"]).run().with_code(2).says(
        "\
error: cannot write `FOLDER/checkout/no/report.json`
caused by: No such file or directory (os error 2)
",
    );
    assert_eq!(names(pushed.root()), before);
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
}

#[test]
fn progress_for_a_terminal_is_shown_as_lines_where_there_is_none() {
    let user = User::new();
    let checkout = checkout(&user, "{}");
    let ended = checkout.run_local(&["--progress", "tty"]).run().with_code(0);
    assert!(ended.err().contains("web | pushed HOST/UNIQUE/web:src-KEY as DIGEST in TIME ("), "{}", ended.err());
}

#[test]
fn a_terminal_that_does_not_say_what_it_can_gets_lines() {
    let user = User::new();
    let checkout = checkout(&user, "{}");
    let command = format!("{} run --local --data {}", env!("CARGO_BIN_EXE_longshore"), user.at("data").display());
    let on_terminal = || user.program("script", checkout.root()).args(&["--quiet", "--command", &command, "/dev/null"]);
    for call in [on_terminal(), on_terminal().env("TERM", "dumb")] {
        // Nothing would be pushed of an image that is there already.
        let _ = std::fs::remove_dir_all(user.at("data"));
        let ended = call.run().with_code(0);
        assert!(ended.out().contains("web | pushed HOST/UNIQUE/web:src-KEY as DIGEST in TIME ("), "{}", ended.out());
        assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.out());
    }
    let _ = std::fs::remove_dir_all(user.at("data"));
    let moving = on_terminal().env("TERM", "xterm").run().with_code(0);
    assert!(
        moving.stdout.contains('\u{1b}') && moving.out().contains("pushed HOST/UNIQUE/web:src-KEY"),
        "{}",
        moving.out()
    );
}
