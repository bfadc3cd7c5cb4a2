//! A Docker daemon that goes away: killed in the middle of a build, restarted in the middle of a push, and a line to it
//! that breaks.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::daemon::{self, Daemon};
use crate::user::{Checkout, User, is_running};

const PIPELINE: &str = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";

fn checkout<'a>(user: &'a User, lines: &str) -> Checkout<'a> {
    let checkout = user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", &user.dockerfile(lines))]);
    checkout.add_busybox(".");
    checkout.commit();
    checkout
}

/// A step that sleeps for a time that no other process sleeps, in seconds.
fn sleeping(seconds: u32) -> (String, String) {
    let time = format!("{seconds}.{}", fastrand::u64(100_000_000_000..1_000_000_000_000));
    let step = format!("COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sleep\", \"{time}\"]\n");
    (time, step)
}

#[test]
fn a_daemon_that_is_killed_in_the_middle_of_a_build() {
    if daemon::is_skipped("a_daemon_that_is_killed_in_the_middle_of_a_build") {
        return;
    }
    let (user, mut daemon) = (User::new(), Daemon::start());
    let server = user.serve_with_faults("data", "{}");
    let (time, step) = sleeping(3);
    let checkout = checkout(&user, &step);
    let run = || server.run(&checkout).env("DOCKER_HOST", daemon.host());
    let mut running = run().start();
    running.wait_for("the sleeping step", |_| is_running(&time).then_some(()));
    let again = run();
    daemon.kill();
    let ended = running.end().with_code(4);
    assert!(ended.err().contains("error: the Docker daemon does not answer at unix://"), "{}", ended.err());
    assert!(server.tags(&format!("{}/web", user.unique())).is_empty());
    daemon.restart();
    again.run().with_code(0);
}

#[test]
fn a_daemon_that_is_restarted_in_the_middle_of_a_push() {
    if daemon::is_skipped("a_daemon_that_is_restarted_in_the_middle_of_a_push") {
        return;
    }
    let (user, mut daemon) = (User::new(), Daemon::start());
    let server = user.serve_with_faults("data", "faults: [{ operation: registry:FinishUpload, nth: 1, hold: gate }]\n");
    let checkout = checkout(&user, "COPY busybox /bin/busybox\n");
    let run = || server.run(&checkout).env("DOCKER_HOST", daemon.host());
    let mut running = run().start();
    running.wait_for("the held upload", |_| user.at("gate.held").exists().then_some(()));
    let again = run();
    daemon.restart();
    user.write(&user.at("gate"), "");
    // Either it was back in time, or the next run does what is left.
    let ended = running.end();
    assert!(matches!(ended.code, Some(0 | 4)), "{:?}\n{}", ended.code, ended.stderr);
    again.run().with_code(0);
    assert_eq!(server.tags(&format!("{}/web", user.unique())).len(), 2);
}

/// A socket before the daemon's, whose lines all break when they are told to.
struct Line {
    host: String,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Line {
    fn to(daemon: &Path, at: &Path) -> Self {
        let listener = UnixListener::bind(at).unwrap();
        let open = Arc::<Mutex<Vec<UnixStream>>>::default();
        let (daemon, noted) = (daemon.to_owned(), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&daemon) else { continue };
                noted.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (mut from, mut to) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    std::thread::spawn(move || {
                        let mut piece = [0; 16 * 1024];
                        while let Ok(count @ 1..) = from.read(&mut piece) {
                            if to.write_all(&piece[..count]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Line { host: format!("unix://{}", at.display()), open }
    }

    fn break_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn a_line_that_breaks_in_the_middle_of_a_build() {
    let user = User::new();
    let server = user.serve_with_faults("data", "{}");
    let (time, step) = sleeping(3);
    let checkout = checkout(&user, &step);
    let line = Line::to(Path::new("/var/run/docker.sock"), &user.at("line"));
    let mut running = server.run(&checkout).env("DOCKER_HOST", &line.host).start();
    running.wait_for("the sleeping step", |_| is_running(&time).then_some(()));
    line.break_all();
    let ended = running.end().with_code(4);
    assert!(ended.err().contains("the Docker daemon does not answer at unix://"), "{}", ended.err());
    assert!(server.tags(&format!("{}/web", user.unique())).is_empty());
    server.run(&checkout).run().with_code(0);
}
