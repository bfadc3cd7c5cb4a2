//! `longshore local`, as a user starts it.

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
        let call = self.longshore(&self.at("home"), &["local", "--port", "0", "--data"]).arg(self.at(data));
        let mut running = call.start();
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

    /// Ends it with a signal.
    pub fn end_with(self, signal: Signal) -> Ended {
        self.running.signal(signal);
        self.running.end()
    }
}
