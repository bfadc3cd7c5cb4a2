//! A user of the built binary: a home and a temporary folder of their own, git repositories, and the programs that they
//! start, with nothing of the environment that the tests run in.

#![allow(unused_imports, reason = "every test binary compiles this module and uses its own part of it")]

mod call;
mod checkout;
mod ended;
mod holdings;
mod proxy;
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use call::{Call, Running, wait_for};
pub use checkout::Checkout;
pub use ended::Ended;
pub use proxy::Proxy;
pub use rustix::process::Signal;
pub use server::LocalServer;

use ended::Redactor;

/// The label by which the images of one user are found in the daemon.
const LABEL: &str = "longshore.test";

/// A user, alone on their machine but for the Docker daemon. Their images are removed from it with them.
pub struct User {
    folder: TempDir,
    id: String,
}

impl User {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "docker", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let random: String = std::iter::repeat_with(fastrand::lowercase).take(10).collect();
        User { folder, id: format!("t{random}") }
    }

    /// A path in the user's own folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What stands for `UNIQUE` in every file that the user writes.
    pub fn unique(&self) -> &str {
        &self.id
    }

    /// Writes a file, with the folders that it needs.
    pub fn write(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("UNIQUE", &self.id)).unwrap();
    }

    /// A program of any kind, started in a folder.
    pub fn program(&self, name: &str, folder: &Path) -> Call {
        let mut call = Call::new(name, folder, Redactor::new(&self.id, self.folder.path()));
        for name in ["PATH", "DOCKER_HOST"] {
            if let Some(value) = std::env::var_os(name) {
                call = call.env(name, value);
            }
        }
        call.env("HOME", self.at("home"))
            .env("DOCKER_CONFIG", self.at("docker"))
            .env("TMPDIR", self.at("tmp"))
            // No test may wait for the metadata service of a cloud machine, nor get its credentials.
            .env("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// The program under test.
    pub fn longshore(&self, folder: &Path, arguments: &[&str]) -> Call {
        self.program(env!("CARGO_BIN_EXE_longshore"), folder).args(arguments)
    }

    pub fn docker(&self, arguments: &[&str]) -> Call {
        self.program("docker", self.folder.path()).args(arguments)
    }

    /// What programs left behind in the folder for temporary files.
    pub fn left_behind(&self) -> Vec<String> {
        names(&self.at("tmp"))
    }

    /// The ids of the user's images, tagged or not.
    pub fn images(&self) -> Vec<String> {
        let filter = format!("label={LABEL}={}", self.id);
        let listed = self.docker(&["image", "ls", "--quiet", "--no-trunc", "--filter", &filter]).run();
        let mut ids: Vec<String> = listed.stdout.split_whitespace().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Takes all of the user's images off the daemon, so that what is pulled next comes from the registry.
    pub fn remove_images(&self) {
        let images = self.images();
        if !images.is_empty() {
            let ids: Vec<&str> = images.iter().map(String::as_str).collect();
            self.docker(&[&["image", "rm", "--force"], ids.as_slice()].concat()).run();
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // A test that failed leaves its images rather than hide why it failed.
        if !std::thread::panicking() {
            self.remove_images();
        }
    }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Whether a process with this argument runs on this machine; the daemon's containers are among them.
pub fn is_running(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let mut command_lines = processes.filter_map(|path| fs::read(path.join("cmdline")).ok());
    command_lines.any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

/// Bytes that no other image has, and that nothing makes smaller.
pub fn noise(path: &Path, megabytes: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, (0..megabytes << 20).map(|_| fastrand::u8(..)).collect::<Vec<u8>>()).unwrap();
}
