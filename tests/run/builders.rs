//! Several builders: daemons of the tests' own, reached in every way that there is.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::daemon::{self, Daemon};
use crate::user::{Call, Checkout, LocalServer, User};

/// Two images for two platforms, the second upon the first.
const IMAGES: &str = "
images:
  base:
    build: { context: base, platforms: [linux/amd64, linux/arm64] }
    repository: UNIQUE-base
    tags: [v1]
  web:
    build:
      context: web
      platforms: [linux/amd64, linux/arm64]
      additional_contexts: { base: \"image:base\" }
    repository: UNIQUE-web
    tags: [v1]
";

/// An image with one step, which a machine has to run.
const SLOW: &str = "
images:
  slow: { build: { context: slow, network: none }, repository: UNIQUE-slow, tags: [v1] }
";

fn checkout<'a>(user: &'a User, builders: &str, images: &str) -> Checkout<'a> {
    let pipeline = format!("version: 1\nbuilders:\n{builders}{images}");
    let base = user.dockerfile("ARG TARGETARCH\nCOPY lib-$TARGETARCH /lib\n");
    let web = "FROM base\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n".to_owned();
    let slow =
        user.dockerfile("COPY busybox /\nRUN [\"/busybox\", \"sh\", \"-c\", \"echo begun; /busybox sleep 4\"]\n");
    let checkout = user.checkout(&[
        ("longshore.yaml", &pipeline),
        ("base/Dockerfile", &base),
        ("base/lib-amd64", "amd lib"),
        ("base/lib-arm64", "arm lib"),
        ("web/Dockerfile", &web),
        ("web/app-amd64", "amd app"),
        ("web/app-arm64", "arm app"),
        ("slow/Dockerfile", &slow),
    ]);
    checkout.add_busybox("slow");
    checkout
}

/// A run in which the daemon of the environment is none.
fn run(server: &LocalServer, checkout: &Checkout<'_>) -> Call {
    server.run(checkout).env("DOCKER_HOST", "unix:///nowhere.sock")
}

fn images(daemon: &Daemon) -> usize {
    let listed = daemon.docker(&["image", "ls", "--quiet"]).stdout;
    listed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

fn platforms(index: &Value) -> Vec<&str> {
    let entries = index["manifests"].as_array().unwrap_or_else(|| panic!("no index: {index}")).iter();
    entries.map(|one| one["platform"]["architecture"].as_str().unwrap()).collect()
}

#[test]
fn two_daemons_build_one_index_each_its_platform() {
    if daemon::is_skipped("two_daemons_build_one_index_each_its_platform") {
        return;
    }
    let (user, amd, arm) = (User::new(), Daemon::start(), Daemon::start());
    let server = user.serve("data");
    let builders = format!(
        "  amd: {{ endpoint: \"{}\", platforms: [linux/amd64] }}\n  arm: {{ endpoint: \"{}\", platforms: [linux/arm64] }}\n",
        amd.host(),
        arm.host()
    );
    let checkout = checkout(&user, &builders, IMAGES);
    let ended = run(&server, &checkout).run().with_code(0);
    assert!(!ended.stderr.contains("emulates"), "{}", ended.stderr);
    assert_eq!((images(&amd), images(&arm)), (2, 2), "two images each: {}", ended.stderr);
    for image in ["-base:v1", "-web:v1"] {
        assert_eq!(platforms(&server.raw(&user, image)), ["amd64", "arm64"]);
    }
    for (architecture, content) in [("amd64", "amd app"), ("arm64", "arm app")] {
        assert_eq!(server.file_of(&user, "-web:v1", architecture, "app"), content);
    }
    assert!(run(&server, &checkout).run().with_code(0).stderr.contains("web: not built"));
}

#[test]
fn the_work_of_a_builder_that_dies_moves_to_another() {
    if daemon::is_skipped("the_work_of_a_builder_that_dies_moves_to_another") {
        return;
    }
    let (user, mut first, second) = (User::new(), Daemon::start(), Daemon::start());
    let server = user.serve("data");
    let builders = format!("  first: {}\n  second: {}\n", first.host(), second.host());
    let checkout = checkout(&user, &builders, SLOW);
    let mut running = run(&server, &checkout).start();
    running.wait_for("the step", |running| running.stderr().contains("  begun").then_some(()));
    first.kill();
    let ended = running.end().with_code(0);
    let warning = "slow | warning: builder `first` is lost, its work moves to another";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    assert_eq!(images(&second), 1);
    assert!(server.raw(&user, "-slow:v1")["layers"].is_array());

    // It is not needed either at the start.
    checkout.write("slow/Dockerfile", "FROM scratch\nLABEL longshore.test=UNIQUE\nCOPY Dockerfile /\n");
    let ended = run(&server, &checkout).run().with_code(0);
    assert!(
        ended.stderr.contains("warning: builder `first` does not answer; the others do its work"),
        "{}",
        ended.stderr
    );
    drop(second);
    checkout.write("slow/Dockerfile", "FROM scratch\nLABEL longshore.test=UNIQUE\nLABEL n=2\nCOPY Dockerfile /\n");
    let ended = run(&server, &checkout).run().with_code(4);
    assert!(ended.stderr.contains("error: no builder answers\n"), "{}", ended.stderr);
}

#[test]
fn a_platform_of_nobody_is_emulated_or_refused() {
    if daemon::is_skipped("a_platform_of_nobody_is_emulated_or_refused") {
        return;
    }
    let (user, only) = (User::new(), Daemon::start());
    let server = user.serve("data");
    let images =
        "images:\n  web: { build: { context: base, platforms: linux/arm64 }, repository: UNIQUE-web, tags: [v1] }\n";
    let checkout = checkout(&user, &format!("  only: {}\n", only.host()), images);
    let ended = run(&server, &checkout).run().with_code(0);
    assert!(
        ended.stderr.contains("no builder builds linux/arm64 natively: builder `only` emulates it"),
        "{}",
        ended.stderr
    );
    checkout.write("base/lib-arm64", "another");
    let file =
        checkout.read("longshore.yaml").replace("platforms: linux/arm64", "platforms: linux/arm64, emulate: false");
    checkout.write("longshore.yaml", &file);
    let ended = run(&server, &checkout).run().with_code(2);
    let expected = "error: image `web`: no builder builds linux/arm64 natively, and `emulate` is off\n";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}

/// A program of another machine, as far as the kernel looks: the first 64 bytes of ELF.
fn foreign_program() -> Vec<u8> {
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    header.resize(16, 0);
    // An executable, of AArch64.
    header.extend([2, 0, 0xb7, 0, 1, 0, 0, 0]);
    header.resize(64, 0);
    header
}

#[test]
fn a_step_that_the_builder_cannot_emulate() {
    if daemon::is_skipped("a_step_that_the_builder_cannot_emulate")
        || Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists()
    {
        return;
    }
    let (user, only) = (User::new(), Daemon::start());
    let server = user.serve("data");
    let images = "images:\n  web:\n    build: { context: foreign, platforms: linux/arm64, network: none }\n    \
                  repository: UNIQUE-web\n    tags: [v1]\n";
    let checkout = checkout(&user, &format!("  only: {}\n", only.host()), images);
    checkout.write("foreign/Dockerfile", "FROM scratch\nCOPY --chmod=755 program /\nRUN [\"/program\"]\n");
    fs::write(checkout.at("foreign/program"), foreign_program()).unwrap();
    let ended = run(&server, &checkout).run().with_code(1);
    let hint = "hint: the builder cannot run programs of another platform: name one that can under `builders`";
    assert!(ended.stderr.contains("exec format error") && ended.stderr.contains(hint), "{}", ended.stderr);
}

#[test]
fn docker_contexts_are_builders_and_share_the_work() {
    if daemon::is_skipped("docker_contexts_are_builders_and_share_the_work") {
        return;
    }
    let (user, one, other) = (User::new(), Daemon::start(), Daemon::start());
    for (name, daemon) in [("first", &one), ("second", &other)] {
        user.docker(&["context", "create", name, "--docker", &format!("host={}", daemon.host())]).succeeds();
    }
    let server = user.serve("data");
    let two = "images:\n  a: { build: { context: slow, network: none }, repository: UNIQUE-a, tags: [v1] }\n  \
                  b: { build: { context: slow, network: none, labels: { b: b } }, repository: UNIQUE-b, tags: [v1] }\n";
    let checkout = checkout(&user, "  one: first\n  other: { endpoint: second }\n", two);
    let ended = run(&server, &checkout).run().with_code(0);
    assert_eq!((images(&one), images(&other)), (1, 1), "{}", ended.stderr);
    assert!(!server.tags(&format!("{}-b", user.unique())).is_empty());
}

/// Certificates of an authority, of a server at 127.0.0.1, and of a client, in folders of their own.
fn certificates(user: &User) -> (PathBuf, PathBuf) {
    let (daemon, client) = (user.at("certs-daemon"), user.at("certs"));
    for folder in [&daemon, &client] {
        fs::create_dir_all(folder).unwrap();
    }
    let openssl = |folder: &Path, arguments: &str| {
        user.program("openssl", folder).args(&arguments.split(' ').collect::<Vec<_>>()).succeeds();
    };
    let request = "req -newkey rsa:2048 -nodes -days 2";
    openssl(&daemon, &format!("{request} -x509 -subj /CN=authority -keyout ca-key.pem -out ca.pem"));
    fs::write(daemon.join("extensions"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    fs::copy(daemon.join("ca.pem"), client.join("ca.pem")).unwrap();
    for folder in [&daemon, &client] {
        openssl(folder, &format!("{} -subj /CN=end -keyout key.pem -out end.csr", request.replace(" -days 2", "")));
        let authority = format!("-CA {0}/ca.pem -CAkey {0}/ca-key.pem -CAcreateserial -days 2", daemon.display());
        let extensions = format!("-extfile {}/extensions", daemon.display());
        openssl(folder, &format!("x509 -req -in end.csr {authority} {extensions} -out cert.pem"));
    }
    (daemon, client)
}

#[test]
fn builders_behind_tls_and_ssh() {
    if daemon::is_skipped("builders_behind_tls_and_ssh") {
        return;
    }
    let user = User::new();
    let (theirs, ours) = certificates(&user);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("tcp://127.0.0.1:{port}");
    let file = |name: &str| theirs.join(name).display().to_string();
    let (authority, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    let tls =
        ["--tlsverify", "--tlscacert", &authority, "--tlscert", &certificate, "--tlskey", &key, "--host", &address];
    let (behind_tls, behind_ssh) = (Daemon::start_with(&tls), Daemon::start());
    let server = user.serve("data");
    let builders = format!(
        "  amd: {{ endpoint: \"{address}\", platforms: [linux/amd64], certificates: \"{}\" }}\n  \
         arm: {{ endpoint: \"ssh://ci@arm.example:2222\", platforms: [linux/arm64] }}\n",
        ours.display()
    );
    let checkout = checkout(&user, &builders, IMAGES);
    // What stands in for the other machine runs the command that it was given, with this daemon for its own.
    let bin = user.at("bin");
    let ssh = format!(
        "#!/bin/sh\necho \"$*\" >>{0}/called\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\n\
         export DOCKER_HOST={1}\nexec \"$@\"\n",
        user.at("home").display(),
        behind_ssh.host()
    );
    user.write(&bin.join("ssh"), &ssh);
    user.program("chmod", &bin).args(&["+x", "ssh"]).succeeds();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    run(&server, &checkout).env("PATH", &path).run().with_code(0);
    assert_eq!((images(&behind_tls), images(&behind_ssh)), (2, 2));
    assert_eq!(platforms(&server.raw(&user, "-web:v1")), ["amd64", "arm64"]);
    let called = fs::read_to_string(user.at("home").join("called")).unwrap();
    let expected = "-o ConnectTimeout=30 -T -l ci -p 2222 -- arm.example docker system dial-stdio\n";
    assert!(called.starts_with(expected), "{called}");

    // A daemon of an authority that is none of ours is not believed, and what ssh says is told.
    user.write(&bin.join("ssh"), "#!/bin/sh\necho 'ci@arm.example: Permission denied (publickey).' >&2\nexit 255\n");
    fs::write(ours.join("ca.pem"), "").unwrap();
    let ended = run(&server, &checkout).arg("--force").env("PATH", &path).run().with_code(4);
    for told in
        ["`amd`: invalid peer certificate: UnknownIssuer", "ssh: ci@arm.example: Permission denied (publickey)."]
    {
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
}

#[test]
fn runs_on_machines_of_their_own_are_merged() {
    if daemon::is_skipped("runs_on_machines_of_their_own_are_merged") {
        return;
    }
    let (user, amd, arm) = (User::new(), Daemon::start(), Daemon::start());
    let server = user.serve("data");
    let checkout = checkout(&user, "  none: unix:///nowhere.sock\n", IMAGES);
    let on = |daemon: &Daemon, platform: &str| {
        let file = checkout.read("longshore.yaml").replace("unix:///nowhere.sock", &daemon.host());
        checkout.write("there.yaml", &file);
        let run = run(&server, &checkout).args(&["--file", "there.yaml", "--platform", platform, "--stage-only"]);
        run.run().with_code(0)
    };
    on(&amd, "linux/amd64");
    assert_eq!(images(&amd), 2, "what another machine builds is left to it");
    on(&arm, "linux/arm64");
    assert_eq!((images(&amd), images(&arm)), (2, 2));
    let merged =
        server.env(checkout.longshore(&["merge"])).env("DOCKER_HOST", "unix:///nowhere.sock").run().with_code(0);
    assert!(merged.stderr.contains("tagged v1"), "{}", merged.stderr);
    assert_eq!(platforms(&server.raw(&user, "-web:v1")), ["amd64", "arm64"]);
    assert_eq!(server.file_of(&user, "-web:v1", "arm64", "app"), "arm app");
}
