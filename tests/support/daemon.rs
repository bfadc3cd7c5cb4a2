//! A Docker daemon of a test's own, which it may stop, kill and fill as it likes.
//!
//! It has its own folders, socket, containerd and network bridge. The bridge matters: a second daemon that is told to
//! have none takes `docker0` away from the first. Source: moby `daemon/daemon_unix.go`, removeDefaultBridgeInterface.

#![allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// A daemon that has not answered after this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a daemon may take to end by itself.
const GRACE: Duration = Duration::from_secs(15);

/// Whether a test goes without daemons of its own, which takes root; then it says so.
pub fn is_skipped(test: &str) -> bool {
    let skipped = !geteuid().is_root();
    if skipped {
        #[expect(clippy::print_stderr, reason = "whoever reads the test's output must see what was not tested")]
        {
            eprintln!("{test} was skipped: it starts a Docker daemon, which takes root");
        }
    }
    skipped
}

/// A daemon. It is ended, its mounts are taken away and its folder is removed when this value is dropped.
pub struct Daemon {
    child: Child,
    bridge: Bridge,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Daemon {
    /// Starts a daemon and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments, such as `-H tcp://127.0.0.1:2376`.
    pub fn start_with(arguments: &[&str]) -> Self {
        // The path of a socket is short: 108 bytes.
        let folder = tempfile::Builder::new().prefix("dockerd").tempdir_in("/tmp").unwrap();
        let bridge = Bridge::new();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let child = spawn(folder.path(), &bridge, &arguments);
        let mut daemon = Daemon { child, bridge, arguments, folder };
        daemon.wait_until_it_answers();
        daemon
    }

    /// What `DOCKER_HOST` is set to for this daemon.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Everything that it has printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The docker client, talking to this daemon and to none of the user's.
    pub fn docker(&self, arguments: &[&str]) -> Output {
        let mut docker = Command::new("docker");
        docker.args(arguments).env("DOCKER_HOST", self.host()).env("DOCKER_CONFIG", self.folder.path().join("client"));
        docker.env_remove("DOCKER_CONTEXT").env_remove("DOCKER_TLS_VERIFY").env_remove("DOCKER_CERT_PATH");
        docker.stdin(Stdio::null()).output().unwrap()
    }

    /// Ends it as a service manager does; its images stay for [`restart`](Daemon::restart).
    pub fn stop(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begun.elapsed() > GRACE {
                return self.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        unmount(self.folder.path());
    }

    /// Ends it as a machine does that loses its power. Its containerd goes with it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        unmount(self.folder.path());
    }

    /// Ends it, if it is still there, and starts it again with the images that it has.
    pub fn restart(&mut self) {
        self.stop();
        // What a killed daemon notes there of its containerd would keep the next one from starting its own.
        let _ = fs::remove_file(self.folder.path().join("pid"));
        let _ = fs::remove_dir_all(self.folder.path().join("exec"));
        self.child = spawn(self.folder.path(), &self.bridge, &self.arguments);
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&mut self) {
        let begun = Instant::now();
        while !self.docker(&["version"]).status.success() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "dockerd does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        unmount(self.folder.path());
    }
}

fn spawn(folder: &Path, bridge: &Bridge, arguments: &[String]) -> Child {
    let at = |name: &str| folder.join(name).display().to_string();
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    // It ends with the test, also where that is killed.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "dockerd", "--data-root", &at("data"), "--exec-root", &at("exec")]);
    command.args(["--pidfile", &at("pid"), "--host", &format!("unix://{}", at("socket"))]);
    command.args([&format!("--bridge={}", bridge.name), "--iptables=false", "--ip-forward=false", "--ip-masq=false"]);
    command.args(["--userland-proxy=false", "--shutdown-timeout=2"]).args(arguments);
    command.env_remove("DOCKER_HOST").stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}; run `make test` once"))
}

/// Takes away what is mounted below a folder, the innermost first.
fn unmount(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut inside: Vec<&str> = points.filter(|point| Path::new(point).starts_with(folder)).collect();
    inside.sort_unstable();
    for point in inside.iter().rev() {
        let _ = Command::new("umount").args(["--lazy", point]).output();
    }
}

/// A bridge that no other daemon has.
struct Bridge {
    name: String,
}

impl Bridge {
    fn new() -> Self {
        let random: String = std::iter::repeat_with(fastrand::lowercase).take(10).collect();
        let bridge = Bridge { name: format!("ls{random}") };
        let subnet = format!("10.{}.{}.1/24", fastrand::u8(128..255), fastrand::u8(..));
        ip(&["link", "add", &bridge.name, "type", "bridge"]);
        ip(&["address", "add", &subnet, "dev", &bridge.name]);
        ip(&["link", "set", &bridge.name, "up"]);
        bridge
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", &self.name]).output();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
