//! The schema of the pipeline file: checked in, and held against every case of `tests/cases/config` by a validator that
//! is not ours.
#![allow(clippy::disallowed_methods, reason = "it reads the cases and starts the validator")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "this is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use longshore::pipeline;
use serde_json::{Value, json};

/// Cases whose mistake is one of structure, which an editor has to underline.
const REFUSED: [&str; 21] = [
    "all-problems-at-once",
    "args-wrong",
    "booleans-wrong",
    "build-limits-wrong",
    "build-out-of-place",
    "empty-file",
    "environments-list",
    "image-is-a-text",
    "images-list",
    "null-values",
    "outputs-not-a-map",
    "registry-wrong",
    "repository-encryption-wrong",
    "repository-mutability-wrong",
    "root-is-a-list",
    "unknown-fields",
    "unsupported-fields",
    "version-2",
    "version-and-images-missing",
    "version-missing",
    "wrong-kinds",
];

/// Prints the first problem of each document, or null.
const VALIDATE: &str = "
import json, sys, jsonschema
schema, documents = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
def told(document):
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return error and '/'.join(map(str, error.absolute_path)) + ': ' + error.message[:300]
print(json.dumps([told(document) for document in documents]))
";

fn at(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The Python that `make test` installed the validator for: beside what else came from PyPI.
fn python() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::iter::once(at(".venv/bin")).chain(std::env::split_paths(&path));
    let found = folders.find(|folder| folder.join("jsonschema").exists() && folder.join("python3").exists());
    found.expect("no jsonschema from PyPI: run `make test`, which installs it").join("python3")
}

/// What is wrong with each of these documents, if anything.
fn validate(documents: &[Value]) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path
    };
    let (schema, documents) = (write("schema", &pipeline::json_schema()), write("documents", &json!(documents)));
    let output = Command::new(python()).args(["-c", VALIDATE]).arg(schema).arg(documents).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The documents of all cases that are YAML, by their names; and whether the reader takes them.
fn cases() -> Vec<(String, Value, bool)> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(at("tests/cases/config")).unwrap() {
        let case = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(case.join("longshore.yaml")) else { continue };
        let Ok(document) = serde_yaml::from_str::<Value>(&text) else { continue };
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        // Compose files are read as well, and have a schema of their own.
        if document.get("services").is_some() {
            continue;
        }
        cases.push((name, document, case.join("expected.yaml").exists()));
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

#[test]
fn what_is_checked_in_is_what_the_program_prints() {
    let printed = serde_json::to_string_pretty(&pipeline::json_schema()).unwrap() + "\n";
    let path = at("longshore.schema.json");
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == printed, "longshore.schema.json is not up to date: UPDATE_CASES=1 cargo test --test schema");
}

#[test]
fn every_case_that_is_taken_is_valid_and_mistakes_of_structure_are_not() {
    let cases = cases();
    let documents: Vec<Value> = cases.iter().map(|(_, document, _)| document.clone()).collect();
    let mut wrong = Vec::new();
    for ((name, _, is_taken), told) in cases.iter().zip(validate(&documents)) {
        match told {
            Some(told) if *is_taken => wrong.push(format!("{name} is taken, but not valid: {told}")),
            None if REFUSED.contains(&name.as_str()) => wrong.push(format!("{name} is valid, but not taken")),
            _ => {}
        }
    }
    let missing = REFUSED.iter().filter(|name| !cases.iter().any(|(known, ..)| known == *name));
    wrong.extend(missing.map(|name| format!("there is no case {name}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.iter().filter(|(_, _, is_taken)| *is_taken).count() >= 25);
}

#[test]
fn the_examples_are_valid_and_name_the_schema() {
    let examples: Vec<PathBuf> = fs::read_dir(at("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("longshore.yaml"))
        .filter(|path| path.exists())
        .collect();
    assert!(!examples.is_empty());
    let texts: Vec<String> = examples.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let documents: Vec<Value> = texts.iter().map(|text| serde_yaml::from_str(text).unwrap()).collect();
    assert_eq!(validate(&documents), vec![None; documents.len()]);
    for (path, text) in examples.iter().zip(&texts) {
        let line = "# yaml-language-server: $schema=../../longshore.schema.json";
        assert!(text.lines().any(|known| known == line), "{} does not say\n{line}", path.display());
    }
}
