//! The daemon that tests start for themselves keeps to itself.
#![allow(clippy::disallowed_methods, reason = "it drives a real daemon")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "support/daemon.rs"]
mod daemon;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use daemon::Daemon;

fn images(daemon: &Daemon) -> String {
    String::from_utf8(daemon.docker(&["image", "ls", "--quiet"]).stdout).unwrap()
}

fn mounted_below(folder: &Path) -> bool {
    fs::read_to_string("/proc/mounts").unwrap().contains(folder.to_str().unwrap())
}

#[test]
fn a_daemon_keeps_its_images_and_leaves_nothing_behind() {
    if daemon::is_skipped("a_daemon_keeps_its_images_and_leaves_nothing_behind") {
        return;
    }
    let docker0 = || Path::new("/sys/class/net/docker0").exists();
    let before = docker0();
    let mut daemon = Daemon::start();
    let other = Daemon::start();
    assert_eq!(docker0(), before, "the daemon that was there first keeps its network");
    let context = tempfile::tempdir().unwrap();
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    let built = daemon.docker(&["build", "--quiet", context.path().to_str().unwrap()]);
    assert!(built.status.success(), "{built:?}");
    assert_eq!(images(&daemon).lines().count(), 1);
    assert_eq!(images(&other), "");

    daemon.kill();
    assert!(!daemon.docker(&["version"]).status.success());
    daemon.restart();
    assert_eq!(images(&daemon).lines().count(), 1);

    let folder: PathBuf = daemon.socket().parent().unwrap().to_owned();
    drop(daemon);
    assert!(!folder.exists());
    assert!(!mounted_below(&folder));
    let running = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&running.stdout).contains(folder.to_str().unwrap()));
}
