//! Documentation is executed: what the README and the examples say is compared with what the program does.
#![allow(clippy::disallowed_methods, reason = "it reads the documentation")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

mod engines;
mod fields;
mod links;
mod markdown;
mod pages;
mod shell;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use longshore::diagnostic::{Blame, Diagnostics};
use longshore::pipeline::{self, Pipeline};

fn at(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(at(name)).unwrap_or_else(|error| panic!("cannot read `{name}`: {error}"))
}

/// Every file below a folder, by its path from the project's root.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(at(folder)).unwrap() {
        let name = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
        if at(&name).is_dir() { found.extend(files(&name)) } else { found.push(name) }
    }
    found.sort();
    found
}

/// A file that is YAML.
fn parsed(name: &str) -> serde_json::Value {
    serde_yaml::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Diagnostics as they are printed.
fn told(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().map(|diagnostic| format!("error: {diagnostic}\n")).collect()
}

/// The pipeline that a text means, in an empty environment; a warning counts as a failure.
fn resolve(name: &str, text: String) -> Pipeline {
    let file = pipeline::parse(name, text).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    let (pipeline, warnings) = file.resolve(&|_| None).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    assert!(warnings.is_empty(), "warning: {}", warnings[0]);
    pipeline
}

#[test]
fn every_example_pipeline_resolves() {
    let examples: Vec<String> =
        files("examples").into_iter().filter(|name| name.ends_with("/longshore.yaml")).collect();
    assert!(examples.contains(&"examples/quickstart/longshore.yaml".to_owned()), "{examples:?}");
    for name in examples {
        for image in resolve(&name, read(&name)).images {
            let dockerfile =
                Path::new(&name).with_file_name("").join(image.build.context.folder().unwrap()).join("Dockerfile");
            assert!(at(&dockerfile.to_string_lossy()).exists(), "{name}: no `{}`", dockerfile.display());
        }
    }
}

#[test]
fn the_readmes_exit_codes_are_the_programs() {
    let readme = read("README.md");
    let mut rows =
        readme.lines().skip_while(|line| *line != "### Exit codes").skip_while(|line| !line.starts_with('|'));
    assert!(rows.next().is_some(), "the README has no table under `### Exit codes`");
    let codes = rows.skip(1).take_while(|line| line.starts_with('|'));
    let told: BTreeSet<String> =
        codes.filter_map(|row| Some(row.split('|').nth(1)?.trim().trim_matches('`').to_owned())).collect();
    let used = Blame::ALL.map(|blame| blame.exit_code().to_string());
    assert_eq!(told, used.into_iter().chain(["0".to_owned()]).collect());
}

#[test]
fn the_actions_flags_are_the_programs() {
    let help = |command: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_longshore")).args([command, "--help"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (run, plan, promote) = (help("run"), help("plan"), help("promote"));
    let script = read("scripts/action.sh");
    for flag in ["--file", "--env", "--registry", "--region", "--report"] {
        assert!(script.contains(&format!("+=({flag} ")), "`{flag}` is not used");
        for (command, help) in [("run", &run), ("plan", &plan), ("promote", &promote)] {
            let fits = help.contains(flag) || (command, flag) == ("plan", "--report");
            assert!(fits, "`longshore {command} --help` does not know `{flag}`\n{help}");
        }
    }
}

#[test]
fn a_release_has_the_archives_that_the_action_downloads() {
    let workflow = parsed(".github/workflows/release.yml");
    let matrix = workflow["jobs"]["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let built: BTreeSet<&str> = matrix.iter().map(|one| one["target"].as_str().unwrap()).collect();
    let script = read("scripts/action.sh");
    let asked = script.lines().filter_map(|line| line.trim().split_once(") echo ")?.1.strip_suffix(" ;;"));
    assert_eq!(asked.filter(|target| target.contains('-')).collect::<BTreeSet<_>>(), built);
    for file in files(".github/workflows") {
        for line in read(&file).lines().filter_map(|line| line.trim().strip_prefix("- uses: ")) {
            let pin = line.split_once('@').unwrap().1;
            assert!(pin.len() > 40 && pin[..40].chars().all(|c| c.is_ascii_hexdigit()), "{file}: `{line}` can change");
        }
    }
}

#[test]
fn the_examples_name_this_version() {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let mut found = 0;
    for name in files("examples").into_iter().filter(|name| !name.ends_with("/busybox")) {
        for line in read(&name).lines() {
            let named = line.split_once("/longshore@").or_else(|| line.split_once("LONGSHORE_VERSION: "));
            let Some((_, named)) = named else { continue };
            assert_eq!(named.trim(), version, "in {name}");
            found += 1;
        }
    }
    assert_eq!(found, 8, "the examples that name a version");
}
