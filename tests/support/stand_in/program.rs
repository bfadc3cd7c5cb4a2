//! Programs that run to their end, and services that run until they are dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A command that is ended if it takes more than five minutes, so that a hanging program is a failure and not a wait.
pub fn program(name: impl AsRef<Path>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg("300").arg(name.as_ref()).stdin(Stdio::null());
    command
}

/// What `make test` installs from PyPI, or the machine's own.
pub fn from_venv(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin").join(name);
    if path.exists() { path } else { PathBuf::from(name) }
}

/// Runs a program that has to succeed, and returns what it printed on stdout.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{}", describe(command, &output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program to its end, whatever that is.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}; run `make test` once"))
}

/// The whole story of a program that did not do what it should.
pub fn describe(command: &Command, output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{command:?}\nended with {}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status)
}

/// A program in the background. It ends with this value, and also with the process if that is killed.
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program with both its outputs in one file.
    pub fn start(program: impl AsRef<Path>, arguments: &[&str], log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program.as_ref()).args(arguments);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Service { child, log }
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Asks again and again until there is an answer; fails with the log if the program ends or 30 seconds pass.
    pub fn wait_for<T>(&mut self, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {}; run `make test` once\n{}", ended.unwrap(), self.log());
            assert!(started.elapsed() < Duration::from_secs(30), "it does not answer\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
