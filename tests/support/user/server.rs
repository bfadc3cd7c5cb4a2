//! `longshore local`, as a user starts it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{Call, Ended, Running, Signal, User};

/// A server on any free port over a folder of the user's.
pub struct LocalServer {
    running: Running,
    /// What it prints to be exported.
    variables: Vec<(String, String)>,
}

impl User {
    /// Starts a server and waits until it has said where it answers.
    pub fn serve(&self, data: &str) -> LocalServer {
        self.serve_with(data, &[])
    }

    /// Starts a server that these faults strike, and that writes each operation to `log`; files in the faults start
    /// from the user's own folder.
    pub fn serve_with_faults(&self, data: &str, faults: &str) -> LocalServer {
        self.write(&self.at("faults.yaml"), faults);
        let (faults, log) = (self.at("faults.yaml"), self.at("log"));
        self.serve_with(data, &["--faults", faults.to_str().unwrap(), "--log", log.to_str().unwrap()])
    }

    /// Starts a server whose scans go by this script.
    #[allow(dead_code, reason = "only some tests scan")]
    pub fn serve_with_scans(&self, data: &str, scans: &str) -> LocalServer {
        self.write(&self.at("scans.yaml"), scans);
        self.serve_with(data, &["--scans", self.at("scans.yaml").to_str().unwrap()])
    }

    /// The operations that a server with faults has answered so far, in order.
    pub fn logged(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.at("log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Starts a server with these arguments besides.
    pub fn serve_with(&self, data: &str, arguments: &[&str]) -> LocalServer {
        let call = self.longshore(&self.at("home"), &["local", "--port", "0", "--data"]).arg(self.at(data));
        let mut running = call.args(arguments).start();
        // The registry comes last, and the note on the other stream says that nothing more comes.
        let said = |server: &Running| {
            let printed =
                Some(server.stdout()).filter(|text| text.contains("LONGSHORE_REGISTRY") && text.ends_with('\n'));
            printed.filter(|_| server.stderr().contains("answers at"))
        };
        let variables = running.wait_for("the server's address", said).lines().map(exported).collect();
        LocalServer { running, variables }
    }
}

fn exported(line: &str) -> (String, String) {
    let (name, value) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')).unwrap();
    (name.to_owned(), value.to_owned())
}

impl LocalServer {
    /// The call with the server's variables set.
    pub fn env(&self, call: Call) -> Call {
        self.variables.iter().fold(call, |call, (name, value)| call.env(name, value))
    }

    /// `longshore run` against the server.
    pub fn run(&self, checkout: &super::Checkout) -> Call {
        self.env(checkout.longshore(&["run"]))
    }

    pub fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("the server did not say {name}")).1
    }

    /// The host under which images are pushed.
    pub fn host(&self) -> &str {
        self.variable("LONGSHORE_REGISTRY")
    }

    /// Calls the control plane.
    pub fn ask(&self, operation: &str, input: &Value) -> Value {
        let target = format!("X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.{operation}");
        let call = ["--silent", "--header", "Authorization: a test", "--header", &target, "--data", &input.to_string()];
        let answered = Command::new("curl").args(call).arg(self.variable("AWS_ENDPOINT_URL_ECR")).output().unwrap();
        serde_json::from_slice(&answered.stdout).unwrap_or_else(|error| panic!("{operation}: {error} in {answered:?}"))
    }

    /// What each tag of a repository names; nothing if there is no such repository.
    pub fn tags(&self, repository: &str) -> BTreeMap<String, String> {
        let listed =
            self.ask("ListImages", &json!({ "repositoryName": repository, "filter": { "tagStatus": "TAGGED" } }));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let images = listed["imageIds"].as_array().cloned().unwrap_or_default();
        images.iter().filter_map(|image| Some((text(&image["imageTag"])?, text(&image["imageDigest"])?))).collect()
    }

    /// Ends it with a signal.
    pub fn end_with(self, signal: Signal) -> Ended {
        self.running.signal(signal);
        self.running.end()
    }
}
