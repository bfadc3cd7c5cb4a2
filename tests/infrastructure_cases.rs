//! Every folder of `tests/cases/infrastructure`: a pipeline, and what is printed to be set up around it.
//!
//! `command` has the arguments, one a line; beside it stand the pipeline file and what it needs. The result is
//! `expected.txt`: stdout, stderr and the exit code. `UPDATE_CASES=1` writes the results anew.
#![allow(clippy::disallowed_methods, reason = "the cases are files, and the program is run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn result(case: &Path) -> String {
    let arguments = fs::read_to_string(case.join("command")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    let ended = command.current_dir(case).env_clear().args(arguments.lines()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    format!("{}---\n{}exit code {}\n", text(ended.stdout), text(ended.stderr), ended.status.code().unwrap())
}

#[test]
fn every_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/infrastructure");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let (path, found) = (case.join("expected.txt"), result(&case));
        if std::env::var_os("UPDATE_CASES").is_some() {
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            wrong.push(format!("{}\n--- expected\n{expected}+++ found\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} results differ:\n\n{}", wrong.len(), wrong.join("\n"));
}
