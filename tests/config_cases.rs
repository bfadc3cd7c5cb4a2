//! Every folder of `tests/cases/config`: a pipeline file, and what it means or what is wrong with it.
//!
//! `longshore.yaml` is read with the variables of `env` (`KEY=value` lines, optional). The result is `expected.yaml`,
//! the file as resolved, or `errors.txt`; warnings are in `warnings.txt`. `UPDATE_CASES=1` writes the results anew.

#![allow(clippy::disallowed_methods, reason = "the cases are files")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use longshore::diagnostic::Diagnostics;
use longshore::pipeline;

const RESULTS: [&str; 3] = ["expected.yaml", "errors.txt", "warnings.txt"];

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/config");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn environment(case: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(case.join("env")).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect()
}

fn told<'d>(diagnostics: impl IntoIterator<Item = &'d (impl Display + 'd)>) -> String {
    let told: Vec<String> = diagnostics.into_iter().map(|diagnostic| format!("{diagnostic}\n")).collect();
    told.join("\n")
}

/// The contents of every file in [`RESULTS`]; `None` where there should be no such file.
fn results(case: &Path) -> [Option<String>; 3] {
    let environment = environment(case);
    let lookup = |name: &str| environment.get(name).cloned();
    let refused = |errors: Diagnostics| [None, Some(told(errors.iter())), None];
    let file = match pipeline::parse_bytes("longshore.yaml", fs::read(case.join("longshore.yaml")).unwrap()) {
        Ok(file) => file,
        Err(errors) => return refused(errors),
    };
    match file.resolve(&lookup) {
        Err(errors) => refused(errors),
        Ok((resolved, warnings)) => {
            let yaml = pipeline::to_yaml(&resolved).unwrap();
            let (again, _) = pipeline::parse("again", yaml.clone()).unwrap().resolve(&|_| None).unwrap();
            assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&resolved).unwrap(), "{case:?}");
            [Some(yaml), None, Some(told(&warnings)).filter(|told| !told.is_empty())]
        }
    }
}

#[test]
fn every_case() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let cases = cases();
    assert!(cases.len() >= 40, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        for (name, result) in RESULTS.iter().zip(results(case)) {
            let path = case.join(name);
            match (update, &result) {
                (true, Some(text)) => fs::write(&path, text).unwrap(),
                (true, None) => drop(fs::remove_file(&path)),
                (false, _) => {
                    let expected = fs::read_to_string(&path).ok();
                    if expected != result {
                        let show = |text: Option<String>| text.unwrap_or_else(|| "(no such file)\n".into());
                        wrong.push(format!(
                            "{}\n--- expected\n{}+++ found\n{}",
                            path.display(),
                            show(expected),
                            show(result)
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} results differ:\n\n{}", wrong.len(), wrong.join("\n"));
}
