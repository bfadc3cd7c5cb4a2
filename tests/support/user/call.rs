//! A program that is about to run, and one that runs.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};

use super::ended::Redactor;
use super::{Ended, Signal};

/// After this time a program hangs, which is a failure and not a wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that is about to run.
pub struct Call {
    command: Command,
    redactor: Redactor,
}

impl Call {
    pub(super) fn new(program: &str, folder: &Path, redactor: Redactor) -> Self {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Call { command, redactor }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.command.stdin(from);
        self
    }

    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    pub fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().end()
    }

    /// Runs it; it must succeed. Returns what it printed.
    pub fn succeeds(self) -> String {
        self.run().with_code(0).stdout
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let shown = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let (stdout, stderr) = (Output::default(), Output::default());
        let readers =
            [child.stdout.take().map(|pipe| stdout.follow(pipe)), child.stderr.take().map(|pipe| stderr.follow(pipe))];
        Running { child, shown, stdout, stderr, readers, redactor: self.redactor }
    }
}

/// What a program has printed so far.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn follow(&self, mut pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let Output(bytes) = self.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut piece) {
                bytes.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// A program that runs. It is ended if the test forgets it.
pub struct Running {
    child: Child,
    shown: String,
    stdout: Output,
    stderr: Output,
    readers: [Option<JoinHandle<()>>; 2],
    redactor: Redactor,
}

impl Running {
    /// What it has printed to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has printed to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The most memory that it has taken so far, in bytes; 0 when it has ended.
    #[allow(dead_code, reason = "only the test of loads asks")]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes: Option<u64> = peak.and_then(|text| text.trim().trim_end_matches("kB").trim().parse().ok());
        kibibytes.unwrap_or(0) * 1024
    }

    /// Whether it has ended and only waits for its parent to notice.
    #[allow(dead_code, reason = "only the test of loads asks")]
    pub fn has_ended(&self) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        state.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for what the test waits for; fails if the program ends without it.
    pub fn wait_for<T>(&mut self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(answer) = ask(self) {
                return answer;
            }
            let story = || format!("{}\n--- stdout\n{}--- stderr\n{}", self.shown, self.stdout(), self.stderr());
            assert!(ended.is_none(), "{what} did not come before the end of {}", story());
            assert!(started.elapsed() < PATIENCE, "{what} did not come in time from {}", story());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("{} hangs\n--- stdout\n{}--- stderr\n{}", self.shown, self.stdout(), self.stderr());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        self.readers.iter_mut().filter_map(Option::take).for_each(|reader| reader.join().unwrap());
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
            shown: std::mem::take(&mut self.shown),
            redactor: self.redactor.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer; fails after two minutes.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}
