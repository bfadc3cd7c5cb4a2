//! The action's script on a made-up runner, with a `longshore` that only writes down how it was called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::runner::{declared, root};

/// A `longshore` that writes down how it was called, and what it was given on standard input.
const RECORDER: &str = r#"#!/bin/bash
if [ "$1" = --version ]; then echo "longshore ${ON_PATH:-9.9.9}"; exit; fi
printf '%s\0' "$@" >"$RUNNER_TEMP/arguments"
case " $* " in *' --file - '*) cat >"$RUNNER_TEMP/stdin" ;; esac
exit "${EXIT:-0}"
"#;

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
            ("INPUT_COMMAND", "run"),
            ("INPUT_PIPELINE", "ci/longshore.yaml"),
            ("INPUT_IMAGES", "web\n worker"),
            ("INPUT_ENVIRONMENT", "prod"),
            ("INPUT_REGISTRY", "127.0.0.1:5010"),
            ("INPUT_REGION", "us-east-1"),
            ("INPUT_REPORT", "report.json"),
            ("INPUT_ARGUMENTS", "--jobs\n4\n"),
            ("INPUT_WORKING_DIRECTORY", "app"),
        ],
    );
    succeed(&output);
    let expected = "run --file ci/longshore.yaml --report report.json --env prod \
                    --registry 127.0.0.1:5010 --region us-east-1 --jobs 4 -- web worker";
    assert_eq!(runner.arguments().join(" "), expected);
}

#[test]
fn without_inputs_the_defaults_are_the_programs_own() {
    let runner = Runner::new();
    // An input that is not given arrives as an empty variable.
    let names = ["INPUT_PIPELINE", "INPUT_IMAGES", "INPUT_ENVIRONMENT", "INPUT_REGISTRY", "INPUT_REGION", "INPUT_TAGS"];
    succeed(&runner.step("run", &names.map(|name| (name, ""))));
    let report = runner.at("longshore-report.json").display().to_string();
    assert_eq!(runner.arguments(), ["run", "--report", &report]);
    succeed(&runner.step("run", &[("INPUT_COMMAND", "plan")]));
    assert_eq!(runner.arguments(), ["plan"], "a plan has no report");
}

#[test]
fn inputs_are_never_code_or_flags() {
    let runner = Runner::new();
    let hostile = "$(touch broken);`touch broken`\" '* ${x}";
    succeed(&runner.step("run", &[("INPUT_ENVIRONMENT", hostile), ("INPUT_IMAGES", "--json -x")]));
    assert_eq!(&runner.arguments()[3..], ["--env", hostile, "--", "--json", "-x"]);
    let build = [("INPUT_REPOSITORY", "a/web"), ("INPUT_BUILD_ARGS", hostile), ("INPUT_SECRETS", "id=$(touch broken)")];
    succeed(&runner.step("run", &build));
    let pipeline: Value = serde_json::from_str(&read(runner.at("stdin"))).unwrap();
    assert_eq!(pipeline["images"]["web"]["build"]["args"][0], hostile.replace('$', "$$"));
    assert_eq!(pipeline["images"]["web"]["build"]["secret_envs"][0], "id=LONGSHORE_SECRET_1");
    assert!(!runner.at("broken").exists());
}

#[test]
fn inputs_that_do_not_go_together_are_refused() {
    let runner = Runner::new();
    let refuse = |inputs: &[(&str, &str)], message: &str| refused(&runner.step("run", inputs), message);
    refuse(&[("INPUT_COMMAND", "publish")], "`command` is `run`, `plan` or `promote`, not `publish`");
    refuse(
        &[("INPUT_COMMAND", "promote")],
        "`command: promote` needs `arguments`: what to promote, and `--to` with its tags",
    );
    refuse(
        &[("INPUT_BUILD_ARGS", "a=b")],
        "`build-args` is for a single image, which needs `repository`; with a pipeline file it stands there",
    );
    refuse(
        &[("INPUT_REPOSITORY", "web"), ("INPUT_PIPELINE", "x.yaml")],
        "`repository` is for a single image without a pipeline file; leave out `pipeline`",
    );
    refuse(
        &[("INPUT_REPOSITORY", "web"), ("INPUT_SECRETS", "just a value")],
        "a line of `secrets` is not of the form `id=value`",
    );
    assert!(!runner.at("arguments").exists(), "nothing was started");
}

#[test]
fn a_failure_keeps_its_exit_code() {
    assert_eq!(Runner::new().step("run", &[("EXIT", "3")]).status.code(), Some(3));
}

#[test]
fn every_input_of_a_single_image_is_understood() {
    let runner = Runner::new();
    let inputs = [
        ("INPUT_REPOSITORY", "shop/web"),
        ("INPUT_TAGS", "type=sha\ntype=raw,value=x"),
        ("INPUT_FLAVOR", "latest=false"),
        ("INPUT_TARGET", "runtime"),
        ("INPUT_PLATFORMS", "linux/amd64"),
        ("INPUT_BUILD_CONTEXTS", "assets=../assets"),
        ("INPUT_SECRET_ENVS", "a=A"),
        ("INPUT_SECRET_FILES", "b=./b"),
        ("INPUT_SSH", "default"),
        ("INPUT_ADD_HOSTS", "db:10.0.0.1"),
        ("INPUT_NETWORK", "host"),
        ("INPUT_SHM_SIZE", "64m"),
        ("INPUT_ULIMIT", "nofile=1024:2048"),
        ("INPUT_ALLOW", "network.host,security.insecure"),
        ("INPUT_CACHE_FROM", "type=registry,ref=x/y"),
        ("INPUT_CACHE_TO", "type=inline"),
        ("INPUT_NO_CACHE", "true"),
        ("INPUT_NO_CACHE_FILTERS", "a,b"),
        ("INPUT_PULL", "TRUE"),
        ("INPUT_PROVENANCE", "mode=max"),
        ("INPUT_SBOM", "false"),
    ];
    succeed(&runner.step("run", &inputs));
    let file = longshore::pipeline::parse("standard input", read(runner.at("stdin"))).unwrap();
    let (pipeline, warnings) = file.resolve(&|_| None).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<String>());
    });
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((pipeline.images[0].name.as_str(), pipeline.images.len()), ("web", 1));
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
    let kept = runner.at("longshore/1.2.3/x64");
    assert_eq!(read(runner.at("path")).trim(), kept.display().to_string());
    assert_eq!(read(kept.join("longshore")), RECORDER);
    assert_eq!(read(runner.at("longshore/1.2.3/x64.complete")).trim(), actual);

    // What is kept is not downloaded again, but for a checksum that it does not have.
    std::fs::remove_dir_all(folder).unwrap();
    succeed(&install(&[("INPUT_VERSION", "v1.2.3"), ("INPUT_CHECKSUM", &actual)]));
    assert_eq!(install(&[("INPUT_VERSION", "v1.2.3"), ("INPUT_CHECKSUM", &bad)]).status.code(), Some(2));
    let left: Vec<String> = crate::user::names(runner.0.path());
    assert!(
        !left.iter().any(|name| name.starts_with("longshore-") && runner.at(name).join("bin").exists()),
        "{left:?}"
    );
}

#[test]
fn a_version_that_is_on_path_is_used() {
    let runner = Runner::new();
    let output = runner.step("install", &[("INPUT_VERSION", "v1.2.3"), ("ON_PATH", "1.2.3")]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "longshore 1.2.3 is on PATH already\n");
    assert!(!runner.at("path").exists());
}

#[test]
fn from_source_the_actions_own_checkout_is_built_once() {
    let runner = Runner::new();
    let cargo = "#!/bin/bash\nprintf '%s ' \"$@\" >>\"$RUNNER_TEMP/cargo\"\nmkdir -p \"$RUNNER_TEMP/longshore/bin\"\n\
                 cp \"$RUNNER_TEMP/tools/longshore\" \"$RUNNER_TEMP/longshore/bin/\"\n";
    std::fs::write(runner.at("tools/cargo"), cargo).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(runner.at("tools/cargo")).status().unwrap().success());
    for _ in 0..2 {
        succeed(&runner.step("install", &[("ACTION_REF", "main")]));
    }
    let (temp, source) = (runner.at("longshore").display().to_string(), root().display().to_string());
    let expected = format!("install --locked --path {source} --root {temp} --target-dir {temp}/target ");
    assert_eq!(read(runner.at("cargo")), expected);
    let on_path = read(runner.at("path"));
    assert!(on_path.lines().all(|folder| Path::new(folder).join("longshore").exists()), "{on_path}");
}

#[test]
fn what_is_declared_is_what_the_script_uses() {
    let action = declared();
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
    let used: BTreeSet<String> =
        after(&script, "INPUT_").iter().map(|name| name.to_lowercase().replace('_', "-")).collect();
    assert_eq!(names("inputs"), used.into_iter().filter(|name| !name.is_empty()).collect());

    let given = longshore::report::github::outputs(&longshore::report::handover::Handover::default(), &[], None);
    let given = given.iter().map(|(name, _)| (*name).to_owned()).chain(["matrix", "changes"].map(str::to_owned));
    assert_eq!(given.collect::<BTreeSet<_>>(), names("outputs"));
}
