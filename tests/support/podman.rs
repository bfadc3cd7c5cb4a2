//! Podman's service of a test's own, behind the API that it shares with Docker.

#![allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tempfile::TempDir;

/// A service that has not answered after this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a test goes without Podman, which takes root; then it says so.
pub fn is_skipped(test: &str) -> bool {
    let skipped = !geteuid().is_root();
    if skipped {
        #[expect(clippy::print_stderr, reason = "whoever reads the test's output must see what was not tested")]
        {
            eprintln!("{test} was skipped: it starts Podman's service with a storage of its own, which takes root");
        }
    }
    skipped
}

/// A service. It is ended and its storage removed when this value is dropped.
pub struct Podman {
    child: Child,
    folder: TempDir,
}

impl Podman {
    /// Starts the service and waits until it answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("podman").tempdir_in("/tmp").unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "podman", "--root", &at("root"), "--runroot", &at("run")]);
        // A copy of each layer needs nothing of the kernel, and steps in a mere chroot need no cgroups.
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"]);
        command.args(["system", "service", "--time", "0", &format!("unix://{}", at("socket"))]);
        command.env("BUILDAH_ISOLATION", "chroot").env("HOME", folder.path()).env("XDG_RUNTIME_DIR", folder.path());
        command.env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}; run `make test` once"));
        let mut podman = Podman { child, folder };
        let begun = Instant::now();
        while UnixStream::connect(podman.folder.path().join("socket")).is_err() {
            let ended = podman.child.try_wait().unwrap();
            let log = std::fs::read_to_string(podman.folder.path().join("log")).unwrap_or_default();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "podman does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        podman
    }

    /// What `DOCKER_HOST` is set to for this service.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
