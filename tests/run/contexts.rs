//! Contexts that are no folders of this machine: standard input, an archive behind a URL, a git repository.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::user::{Checkout, Running, User, wait_for};

/// A pipeline of one image with this context, and beside it a folder of files to pack.
fn checkout<'u>(user: &'u User, context: &str) -> Checkout<'u> {
    let pipeline = format!(
        "version: 1\nimages: {{ web: {{ build: {{ context: \"{context}\" }}, tags: [x], repository: UNIQUE/web }} }}\n"
    );
    user.checkout(&[("longshore.yaml", &pipeline)])
}

/// A folder of the user's with a Dockerfile that needs a file beside it.
fn material(user: &User) -> Checkout<'_> {
    user.folder_of("material", &[("Dockerfile", &user.dockerfile("COPY file /\n")), ("file", "here")])
}

fn packed(user: &User) -> std::path::PathBuf {
    let archive = user.at("packed.tar.gz");
    user.program("tar", material(user).root()).arg("-czf").arg(&archive).arg(".").succeeds();
    archive
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody answers there.
fn answering(port: u16, server: Running) -> Running {
    wait_for("the server", || TcpStream::connect(("127.0.0.1", port)).ok());
    server
}

fn git_server(user: &User, base: &Path) -> (u16, Running) {
    let port = free_port();
    let daemon = user.program("git", base).args(&["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"]);
    let daemon = daemon.arg(format!("--port={port}")).arg(format!("--base-path={}", base.display())).start();
    (port, answering(port, daemon))
}

#[test]
fn standard_input_is_an_archive_or_a_dockerfile() {
    let user = User::new();
    let (checkout, server) = (checkout(&user, "-"), user.serve("data"));
    let archive = packed(&user);
    let run = server.run(&checkout).stdin(File::open(archive).unwrap()).run().with_code(0);
    assert!(run.err().contains("COPY file /\n"), "{}", run.err());
    user.write(&user.at("alone"), &user.dockerfile("LABEL alone=yes\n"));
    let run = server.run(&checkout).stdin(File::open(user.at("alone")).unwrap()).run().with_code(0);
    assert!(run.err().contains("web | pushed HOST/UNIQUE/web:src-"), "{}", run.err());
}

#[test]
fn a_git_repository_and_an_archive_behind_urls() {
    let user = User::new();
    let server = user.serve("data");
    let repository = material(&user);
    repository.write("sub/file", "below");
    repository.write("sub/Dockerfile", &user.dockerfile("COPY file /below\n"));
    repository.git(&["init", "--quiet", "--initial-branch=main"]);
    repository.commit();
    let (port, _daemon) = git_server(&user, &user.at(""));
    let checkout = checkout(&user, &format!("git://127.0.0.1:{port}/material/.git#main"));
    let run = server.run(&checkout).run().with_code(0);
    assert!(run.err().contains("COPY file /\n"), "{}", run.err());
    let pipeline = checkout.read("longshore.yaml");
    checkout.write("longshore.yaml", &pipeline.replace("#main", "#main:sub"));
    let below = server.run(&checkout).run();
    let version = user.docker(&["version", "--format", "{{.Server.Version}}"]).succeeds();
    let lacks = "cannot do what `context: folder of a repository` asks for\n";
    let (wanted, code) = if version.starts_with("20.") { (lacks, 2) } else { ("COPY file /below\n", 0) };
    assert!(below.err().contains(wanted), "{}", below.err());
    below.with_code(code);
    let classic = server.run(&checkout).env("DOCKER_BUILDKIT", "0").run().with_code(2);
    assert!(classic.err().contains("cannot do what `context` asks for\n"), "{}", classic.err());

    let archive = packed(&user);
    let port = free_port();
    let web = user.program("python3", archive.parent().unwrap());
    let web = web.args(&["-m", "http.server", "--bind", "127.0.0.1"]).arg(port.to_string()).start();
    let _web = answering(port, web);
    let url = format!("http://127.0.0.1:{port}/packed.tar.gz");
    let from = pipeline.find("git://").unwrap();
    let to = from + pipeline[from..].find('"').unwrap();
    checkout.write("longshore.yaml", &format!("{}{url}{}", &pipeline[..from], &pipeline[to..]));
    let run = server.run(&checkout).run().with_code(0);
    assert!(run.err().contains("COPY file /\n"), "{}", run.err());
}
