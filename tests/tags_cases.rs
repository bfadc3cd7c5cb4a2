//! Every folder of `tests/cases/tags`: an environment and rules, and the tags that come of them.
//!
//! - `rules`, one a line, or `longshore.yaml`; with the rules also `flavor`, `labels` and `annotations`
//! - `env`: the whole environment, as `KEY=value` lines
//! - `event.json`: the webhook event that `GITHUB_EVENT_PATH` then names
//! - `git`: what to make a repository with, one command a line; every commit is the same everywhere
//! - `args`: further arguments, one a line; `command`: another command in place of `tags --json`
//!
//! The result is `expected.json`, `expected.txt` where it is not JSON, or `errors.txt` with exit code 2.
//! `UPDATE_CASES=1` writes the results anew.
#![allow(clippy::disallowed_methods, reason = "the cases are files, and the program is run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RESULTS: [&str; 3] = ["expected.json", "expected.txt", "errors.txt"];

/// The time of every run that states none of its own.
const AT: &str = "2024-05-06T07:08:09.123Z";

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/tags");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn lines(case: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(case.join(name)).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn run(case: &Path) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for line in lines(case, "git") {
        git(folder.path(), &line);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.current_dir(folder.path()).env_clear();
    let words = lines(case, "command").pop().unwrap_or_else(|| "tags --json".to_owned());
    command.args(words.split(' ')).args(lines(case, "args"));
    if !lines(case, "args").contains(&"--at".to_owned()) {
        command.args(["--at", AT]);
    }
    for (flag, name) in
        [("--rule", "rules"), ("--flavor", "flavor"), ("--label", "labels"), ("--annotation", "annotations")]
    {
        if let Ok(text) = fs::read_to_string(case.join(name)) {
            command.arg(format!("{flag}={text}"));
        }
    }
    if case.join("longshore.yaml").exists() {
        fs::copy(case.join("longshore.yaml"), folder.path().join("longshore.yaml")).unwrap();
    }
    if case.join("event.json").exists() {
        command.env("GITHUB_EVENT_PATH", case.join("event.json"));
    }
    let variables = lines(case, "env");
    command.envs(variables.iter().map(|line| line.split_once('=').unwrap_or_else(|| panic!("{case:?}: {line}"))));
    command.output().unwrap()
}

/// Runs git with nothing of this machine's configuration and always at the same time.
fn git(folder: &Path, line: &str) {
    let output = Command::new("git")
        .args(line.split(' '))
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
        .envs([("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z"), ("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The contents of every file in [`RESULTS`]; `None` where there should be no such file.
fn results(case: &Path) -> [Option<String>; 3] {
    let output = run(case);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    match output.status.code() {
        Some(0) if stdout.starts_with('{') => [Some(stdout), None, None],
        Some(0) => [None, Some(stdout), None],
        Some(2) => [None, None, Some(without_commands(&stderr))],
        code => panic!("{case:?}: exit code {code:?}\n{stderr}"),
    }
}

/// The text without the lines that speak to GitHub's runner, which cases in its environment have, with a token of their own.
fn without_commands(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("::")).fold(String::new(), |kept, line| kept + line + "\n")
}

#[test]
fn every_case_comes_out_as_expected() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        for (name, result) in RESULTS.into_iter().zip(results(&case)) {
            let path = case.join(name);
            let expected = fs::read_to_string(&path).ok();
            if result == expected {
                continue;
            }
            match (&result, update) {
                (Some(text), true) => fs::write(&path, text).unwrap(),
                (None, true) => fs::remove_file(&path).unwrap(),
                (_, false) => wrong.push(format!("{}:\n{}", path.display(), result.unwrap_or_default())),
            }
        }
    }
    assert!(wrong.is_empty(), "UPDATE_CASES=1 would write:\n{}", wrong.join("\n"));
}

#[test]
fn there_are_cases_of_every_kind() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let with = |name: &str| cases.iter().filter(|case| case.join(name).exists()).count();
    for name in
        ["rules", "longshore.yaml", "event.json", "git", "flavor", "expected.json", "expected.txt", "errors.txt"]
    {
        assert!(with(name) > 0, "no case has `{name}`");
    }
}
