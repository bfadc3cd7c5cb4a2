//! Every folder of `tests/cases/lifecycle`: a policy, and what is said of it and what it does.
//!
//! - `policy.json` or `policy.yaml`; `longshore.yaml`: a pipeline beside it, optional
//! - `images.json`: what `aws ecr describe-images` prints, and `at`: the time; `passes`: how many daily runs, optional
//!
//! The result is `lint.txt` with the linter's whole output, and where there are images `expected.json` with that of the
//! simulation; where the policy is not ECR's JSON also `shown.json`. `UPDATE_CASES=1` writes the results anew.
#![allow(clippy::disallowed_methods, reason = "the cases are files, and the program is run")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const RESULTS: [&str; 3] = ["lint.txt", "expected.json", "shown.json"];

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/lifecycle");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// Runs `longshore lifecycle` in a copy of the case, away from any pipeline file but its own.
fn lifecycle(case: &Path, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(case).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.current_dir(folder.path()).env_clear().arg("lifecycle").args(arguments).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The contents of every file in [`RESULTS`]; `None` where there should be no such file.
fn results(case: &Path) -> [Option<String>; 3] {
    let policy = ["policy.json", "policy.yaml"].into_iter().find(|name| case.join(name).exists()).unwrap();
    let linted = lifecycle(case, &["lint", "--policy", policy]);
    let code = linted.status.code();
    let lint = format!("{}{}exit code {}\n", text(linted.stderr), text(linted.stdout), code.unwrap());
    assert!(matches!(code, Some(0 | 2)), "{case:?}: {lint}");
    let shown = (policy == "policy.yaml" && code == Some(0)).then(|| {
        let shown = lifecycle(case, &["show", "--policy", policy]);
        assert!(shown.status.success(), "{case:?}");
        text(shown.stdout)
    });
    let simulated = case.join("images.json").exists().then(|| {
        let read = |name: &str| fs::read_to_string(case.join(name)).map(|text| text.trim().to_owned());
        let (at, passes) = (read("at").unwrap(), read("passes").unwrap_or("1".into()));
        let arguments =
            ["simulate", "--policy", policy, "--images", "images.json", "--json", "--at", &at, "--passes", &passes];
        let simulated = lifecycle(case, &arguments);
        assert!(simulated.status.success(), "{case:?}: {}", text(simulated.stderr));
        text(simulated.stdout)
    });
    [Some(lint), simulated, shown]
}

#[test]
fn every_case_comes_out_as_expected() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
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

/// What AWS documents, apart from what `UPDATE_CASES` may write: the images that go, each with its rule.
#[test]
fn the_guides_own_examples_come_out_as_documented() {
    for (case, documented) in [
        ("guide-multiple-rules-a", "A1"),
        ("guide-multiple-rules-b", "A1 B1"),
        ("guide-multiple-tags-a", "C1"),
        ("guide-multiple-tags-b", "A1 B1"),
        ("guide-all-images-a", "A1 B1 C1"),
        ("guide-all-images-b", "A1 B2 D3"),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/lifecycle").join(case);
        let [_, simulated, _] = results(&folder);
        let simulated: serde_json::Value = serde_json::from_str(&simulated.unwrap()).unwrap();
        let mut taken: Vec<String> = simulated["previewResults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| {
                let digest = result["imageDigest"].as_str().unwrap();
                // The digests of these cases are one letter, repeated.
                format!("{}{}", digest["sha256:".len()..][..1].to_ascii_uppercase(), result["appliedRulePriority"])
            })
            .collect();
        taken.sort();
        assert_eq!(taken.join(" "), documented, "{case}");
    }
}
