//! A runner for composite actions: it reads action.yml, and starts the steps that stand there as GitHub's own does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::log::Log;
use crate::user::{Call, Checkout, Ended, LocalServer, User};

/// What came of the action.
pub struct Outcome {
    pub code: Option<i32>,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
    pub log: Log,
    /// As it was printed, stdout before stderr.
    pub raw: String,
}

/// The project's folder, which is the action's checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The action as it is declared.
pub fn declared() -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

/// Uses the action with these inputs in a checkout, against a server; more variables are those of the job.
pub fn uses(
    user: &User,
    checkout: &Checkout<'_>,
    server: Option<&LocalServer>,
    with: &[(&str, &str)],
    job: &[(&str, &str)],
) -> Outcome {
    let action = declared();
    for (name, _) in with {
        assert!(action["inputs"].get(*name).is_some(), "action.yml declares no input `{name}`");
    }
    let input = |name: &str| -> String {
        let given = with.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| action["inputs"][name]["default"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let mut context = BTreeMap::new();
    for name in action["inputs"].as_object().unwrap().keys() {
        context.insert(format!("inputs.{name}"), input(name));
    }
    context.insert("github.action_repository".to_owned(), "owner/longshore".to_owned());
    context.insert("github.action_ref".to_owned(), concat!("v", env!("CARGO_PKG_VERSION")).to_owned());

    let folder = user.at("runner");
    std::fs::create_dir_all(folder.join("temp")).unwrap();
    let mut path = std::env::var("PATH").unwrap();
    let (mut code, mut printed, mut summary) = (Some(0), String::new(), String::new());
    for (number, step) in action["runs"]["steps"].as_array().unwrap().iter().enumerate() {
        let files = ["output", "path", "summary", "env"].map(|name| folder.join(format!("{name}-{number}")));
        files.iter().for_each(|file| std::fs::write(file, "").unwrap());
        let script = folder.join(format!("step-{number}.sh"));
        std::fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let call = user.program("bash", checkout.root()).args(&["--noprofile", "--norc", "-e", "-o", "pipefail"]);
        let call = match server {
            Some(server) => server.env(call),
            None => call,
        };
        let call = runner_variables(call, &files, &folder, checkout);
        let mut call = call.arg(&script).env("PATH", &path).envs(job);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            call = call.env(name, evaluate(value.as_str().unwrap(), &context));
        }
        let ended: Ended = call.run();
        code = ended.code;
        printed.push_str(&ended.stdout);
        printed.push_str(&ended.stderr);
        let id = step["id"].as_str().unwrap();
        for (name, value) in outputs(&std::fs::read_to_string(&files[0]).unwrap()) {
            context.insert(format!("steps.{id}.outputs.{name}"), value);
        }
        for added in std::fs::read_to_string(&files[1]).unwrap().lines() {
            path = format!("{added}:{path}");
        }
        summary.push_str(&std::fs::read_to_string(&files[2]).unwrap());
        if code != Some(0) {
            break;
        }
    }
    let declared = action["outputs"].as_object().unwrap();
    let outputs = declared.iter().map(|(name, one)| (name.clone(), evaluate(one["value"].as_str().unwrap(), &context)));
    Outcome { code, outputs: outputs.collect(), summary, log: Log::read(&printed), raw: printed }
}

fn runner_variables(call: Call, files: &[PathBuf; 4], folder: &Path, checkout: &Checkout<'_>) -> Call {
    call.envs(&[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push")])
        .envs(&[("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64"), ("GITHUB_REF", "refs/heads/main")])
        .env("GITHUB_SHA", checkout.head())
        .env("GITHUB_ACTION_PATH", root())
        .env("GITHUB_WORKSPACE", checkout.root())
        .env("GITHUB_OUTPUT", &files[0])
        .env("GITHUB_PATH", &files[1])
        .env("GITHUB_STEP_SUMMARY", &files[2])
        .env("GITHUB_ENV", &files[3])
        .env("RUNNER_TEMP", folder.join("temp"))
        .env("RUNNER_TOOL_CACHE", folder.join("tools"))
}

/// The value of a text with at most one expression, which names something of the context.
pub fn evaluate(text: &str, context: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (name, after) = rest.split_once("}}").unwrap();
    format!("{before}{}{after}", context.get(name.trim()).map_or("", String::as_str))
}

/// The outputs that a step has set.
pub fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut outputs = BTreeMap::new();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("`{line}` begins no output"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}
