//! The GitHub action: what is declared is what the script uses, and its two steps do what they should on a made-up
//! runner.
#![allow(clippy::disallowed_methods, reason = "it runs the action's script")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A `longshore` that writes down how it was called, and does as if it had pushed two images.
const RECORDER: &str = r#"#!/bin/bash
if [ "$1" = config ]; then echo '{"outputs":{"image_definitions":["out/images.json"]}}'; exit; fi
printf '%s\0' "$@" >"$RUNNER_TEMP/arguments"
while [ $# -gt 0 ]; do [ "$1" != --report ] || report=$2; shift; done
printf '{\n  "exit": %s\n}\n' "${EXIT:-0}" >"$report"
echo 'host/web:1.2.3 sha256:aaa'
echo 'host/worker:1.2.3 sha256:bbb'
exit "${EXIT:-0}"
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// A runner's folder for temporary files, and the files through which it hears from a step.
struct Runner(TempDir);

impl Runner {
    fn new() -> Self {
        let runner = Runner(tempfile::tempdir().unwrap());
        let recorder = runner.at("tools/longshore");
        std::fs::create_dir(runner.at("tools")).unwrap();
        std::fs::write(&recorder, RECORDER).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(recorder).status().unwrap().success());
        runner
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn step(&self, step: &str, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.at("tools").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(root().join("scripts/action.sh"));
        command.arg(step).current_dir(self.0.path()).env_clear().env("PATH", path);
        command.env("RUNNER_TEMP", self.0.path()).env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64");
        command.env("GITHUB_OUTPUT", self.at("output")).env("GITHUB_PATH", self.at("path"));
        command.envs(variables.iter().copied()).output().unwrap()
    }

    /// How `longshore` was called.
    fn arguments(&self) -> Vec<String> {
        read(self.at("arguments")).split_terminator('\0').map(str::to_owned).collect()
    }

    /// The outputs that were set, read as the runner reads them.
    fn outputs(&self) -> BTreeMap<String, String> {
        let text = read(self.at("output"));
        let mut lines = text.lines();
        let mut outputs = BTreeMap::new();
        while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        }
        outputs
    }
}

fn succeed(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// Whether the step was refused with this annotation.
fn refused(output: &Output, message: &str) {
    let expected = format!("::error title=longshore::{message}\n");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout)), (Some(2), expected.into()));
}

#[test]
fn each_input_has_its_place_on_the_command_line() {
    let runner = Runner::new();
    std::fs::create_dir(runner.at("app")).unwrap();
    let output = runner.step(
        "run",
        &[
            ("INPUT_FILE", "ci/longshore.yaml"),
            ("INPUT_IMAGES", "web\n worker"),
            ("INPUT_ENVIRONMENT", "prod"),
            ("INPUT_REGISTRY", "127.0.0.1:5010"),
            ("INPUT_REGION", "us-east-1"),
            ("INPUT_REPORT", "report.json"),
            ("INPUT_WORKING_DIRECTORY", "app"),
        ],
    );
    succeed(&output);
    let expected = "run --report report.json --progress plain -f ci/longshore.yaml --env prod \
                    --registry 127.0.0.1:5010 --region us-east-1 -- web worker";
    assert_eq!(runner.arguments().join(" "), expected);
    assert!(runner.at("app/report.json").exists());
}

#[test]
fn without_inputs_the_defaults_are_the_programs_own() {
    let runner = Runner::new();
    std::fs::write(runner.at("longshore.yaml"), "version: 1\n").unwrap();
    // An input that is not given arrives as an empty variable.
    let names = ["INPUT_FILE", "INPUT_IMAGES", "INPUT_ENVIRONMENT", "INPUT_REGISTRY", "INPUT_REGION", "INPUT_REPORT"];
    succeed(&runner.step("run", &names.map(|name| (name, ""))));
    let report = runner.at("longshore-report.json").display().to_string();
    assert_eq!(runner.arguments(), ["run", "--report", &report, "--progress", "plain"]);
    let outputs = runner.outputs();
    assert_eq!(outputs["references"], "host/web:1.2.3\nhost/worker:1.2.3");
    assert_eq!(outputs["digest"], "sha256:aaa");
    assert_eq!(outputs["report"], "{\n  \"exit\": 0\n}");
    assert_eq!(outputs["image-definitions"], runner.at("out/images.json").display().to_string());
}

#[test]
fn inputs_are_never_code_or_flags() {
    let runner = Runner::new();
    let hostile = "$(touch broken);`touch broken`\" '* ${x}";
    succeed(&runner.step("run", &[("INPUT_ENVIRONMENT", hostile), ("INPUT_IMAGES", "--json -x")]));
    assert_eq!(&runner.arguments()[5..], ["--env", hostile, "--", "--json", "-x"]);
    assert!(!runner.at("broken").exists());
}

#[test]
fn a_failure_keeps_its_exit_code_and_its_report() {
    let runner = Runner::new();
    let output = runner.step("run", &[("EXIT", "3")]);
    assert_eq!(output.status.code(), Some(3));
    let outputs = runner.outputs();
    assert_eq!(outputs["report"], "{\n  \"exit\": 3\n}");
    assert!(!outputs.contains_key("image-definitions"), "there may be none after a failure");
}

#[test]
fn a_release_is_downloaded_and_checked() {
    let runner = Runner::new();
    let folder = runner.at("releases/v1.2.3");
    std::fs::create_dir_all(&folder).unwrap();
    let name = "longshore-v1.2.3-x86_64-unknown-linux-gnu.tar.gz";
    let pack = "tar -czf \"$1\" -C ../../tools longshore && sha256sum \"$1\" >\"$1.sha256\"";
    let packed = Command::new("sh").current_dir(&folder).args(["-euc", pack, "sh", name]).status().unwrap();
    assert!(packed.success());
    let releases = format!("file://{}", runner.at("releases").display());
    let from = [("LONGSHORE_RELEASES", releases.as_str())];
    let install = |more: &[(&str, &str)]| runner.step("install", &[&from, more].concat());

    let bad = "0".repeat(64);
    let actual = read(folder.join(format!("{name}.sha256")))[..64].to_owned();
    refused(
        &install(&[("INPUT_VERSION", "v1.2.3"), ("INPUT_CHECKSUM", &bad)]),
        &format!("`{name}` has the SHA-256 {actual}, not {bad}"),
    );
    refused(
        &install(&[("INPUT_VERSION", "../v1.2.3")]),
        "`../v1.2.3` is not a version of Longshore; write `vX.Y.Z` or `source`",
    );
    refused(
        &install(&[("INPUT_VERSION", "v1.2.3"), ("RUNNER_OS", "Windows")]),
        "no release of Longshore for Windows on X64; use `version: source`",
    );
    assert!(!runner.at("path").exists(), "nothing is put on PATH that was not checked");

    // The tag by which the action is used is the release that it installs.
    succeed(&install(&[("ACTION_REF", "v1.2.3")]));
    assert_eq!(read(runner.at("path")).trim(), runner.at("longshore/bin").display().to_string());
    assert_eq!(read(runner.at("longshore/bin/longshore")), RECORDER);
}

#[test]
fn what_is_declared_is_what_the_script_uses() {
    let action: Value = serde_yaml::from_str(&read(root().join("action.yml"))).unwrap();
    let script = read(root().join("scripts/action.sh"));
    let names = |field: &str| -> BTreeSet<String> { action[field].as_object().unwrap().keys().cloned().collect() };

    let mut mapped = BTreeSet::new();
    for step in action["runs"]["steps"].as_array().unwrap() {
        let text = step["run"].as_str().unwrap();
        assert!(!text.contains("${{"), "an expression in `{text}` would be code");
        for (variable, value) in step["env"].as_object().unwrap() {
            let Some(input) = variable.strip_prefix("INPUT_") else { continue };
            let input = input.to_lowercase().replace('_', "-");
            assert_eq!(value.as_str(), Some(format!("${{{{ inputs.{input} }}}}").as_str()));
            mapped.insert(input);
        }
    }
    assert_eq!(mapped, names("inputs"));

    let after = |text: &str, mark: &str| -> BTreeSet<String> {
        let word =
            |rest: &str| rest.split(|c: char| !(c.is_alphanumeric() || "-_".contains(c))).next().map(str::to_owned);
        text.split(mark).skip(1).filter_map(word).collect()
    };
    let used = after(&script, "INPUT_").iter().map(|name| name.to_lowercase().replace('_', "-")).collect();
    assert_eq!(names("inputs"), used);
    assert_eq!(after(&script, " set_output "), names("outputs"));
}
