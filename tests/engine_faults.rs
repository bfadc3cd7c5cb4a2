//! The engine port against daemons that misbehave. What they say is real; only when they say it is not.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test touches the world")]
#![cfg(unix)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use longshore::effects::docker::{Docker, DockerSettings};
use longshore::execute::ports::{BuildInputs, BuiltImage, Credential, Engine as _, Failure, ServiceError};
use longshore::names::ImageRef;
use longshore::pipeline::{ContextSource, Dockerfile};
use longshore::plan::BuildPlan;
use tempfile::TempDir;

const ID: &str = "sha256:09441f8b7a6d08c1bb7aeed6136a8bbba08571fa0ce85a94eca969e468837143";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What the daemon does about the request's body before it answers.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    Read,
    Ignore,
}

/// A daemon that answers every request so, and then closes the connection.
fn daemon(folder: &TempDir, body: Body, answers: Vec<String>) -> Docker {
    let socket = folder.path().join("d.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 65536]);
            // A chunked body ends with an empty chunk.
            while !request.windows(4).any(|end| end == b"\r\n\r\n")
                || (body == Body::Read && is_chunked(&request) && !request.ends_with(b"\r\n0\r\n\r\n"))
            {
                let count = connection.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            // Each piece on its own, so that each is a chunk of its own for the client.
            for piece in answer.split_inclusive("\u{0}") {
                connection.write_all(piece.trim_end_matches('\u{0}').as_bytes()).unwrap();
                connection.flush().unwrap();
                std::thread::sleep(Duration::from_millis(30));
            }
        }
    });
    connect(&format!("unix://{}", socket.display())).unwrap()
}

fn is_chunked(request: &[u8]) -> bool {
    String::from_utf8_lossy(&request[..request.len().min(2000)]).to_lowercase().contains("transfer-encoding: chunked")
}

fn connect(host: &str) -> Result<Docker, ServiceError> {
    Docker::connect(&DockerSettings { host: Some(host.into()), classic_builder: true, ..Default::default() })
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n\u{0}", text.len())
}

async fn build(body: Body, size: u64, answer: String) -> Result<BuiltImage, ServiceError> {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context");
    fs::create_dir(&context).unwrap();
    fs::File::create(context.join("big")).unwrap().set_len(size).unwrap();
    let docker = daemon(&folder, body, vec![answer]);
    let plan = BuildPlan {
        login: false,
        left_out: Vec::new(),
        context: ContextSource::Folder(context),
        contexts: Default::default(),
        dockerfile: Dockerfile::Inline("FROM scratch\n".into()),
        target: None,
        args: Default::default(),
        labels: Default::default(),
        platform: None,
        emulate: true,
        no_cache: false,
        pull: false,
        network: None,
        extra_hosts: Default::default(),
        shm_size: None,
        cache: None,
        options: Default::default(),
        transport: longshore::plan::Transport::default(),
        base: None,
        source_date_epoch: None,
    };
    tokio::time::timeout(Duration::from_secs(30), docker.build(&plan, &BuildInputs::default(), &|_| {})).await.unwrap()
}

#[tokio::test]
async fn a_line_break_in_a_chunk_of_its_own_is_no_failure() {
    let aux = chunk(&format!("{{\"aux\":{{\"ID\":\"{ID}\"}}}}"));
    let answer = format!("{CHUNKED}{aux}{}0\r\n\r\n", chunk("\r\n"));
    assert_eq!(build(Body::Read, 10, answer).await, Ok(BuiltImage { id: ID.into(), ..BuiltImage::default() }));
}

#[tokio::test]
async fn the_same_line_break_without_an_image_is_one() {
    let answer = format!("{CHUNKED}{}{}0\r\n\r\n", chunk("{\"stream\":\"Step 1/1 : FROM scratch\"}"), chunk("\r\n"));
    assert!(build(Body::Read, 10, answer).await.is_err());
}

#[tokio::test]
async fn an_answer_that_ends_too_early() {
    let answer = format!("{CHUNKED}{}0\r\n\r\n", chunk("{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\r\n"));
    let error = build(Body::Read, 10, answer).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unexpected, "{error:?}");
}

#[tokio::test]
async fn a_daemon_that_dies_while_it_builds() {
    let answer = format!("{CHUNKED}{}", chunk("{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\r\n"));
    let error = build(Body::Read, 10, answer).await.unwrap_err();
    assert!(matches!(error.failure, Failure::EngineUnreachable { forbidden: false, .. }), "{error:?}");
}

#[tokio::test]
async fn a_daemon_that_answers_before_the_upload_ends() {
    let json = "{\"message\":\"dockerfile parse error line 2: unknown instruction: FLY\"}";
    let answer = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{json}", json.len());
    let error = build(Body::Ignore, 200 << 20, answer).await.unwrap_err();
    assert_eq!(error.failure, Failure::BuildFailed { step: None, output: vec![] }, "{error:?}");
    assert_eq!(error.cause, "dockerfile parse error line 2: unknown instruction: FLY");
}

#[tokio::test]
async fn a_push_that_ends_without_a_digest() {
    let folder = tempfile::tempdir().unwrap();
    let tagged = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n".to_owned();
    let answer =
        format!("{CHUNKED}{}0\r\n\r\n", chunk("{\"status\":\"Pushed\",\"progressDetail\":{},\"id\":\"x\"}\r\n"));
    let docker = daemon(&folder, Body::Ignore, vec![tagged, answer]);
    let (host, repository, tag) = ("127.0.0.1:1".parse().unwrap(), "web".parse().unwrap(), "v1".parse().unwrap());
    let image = BuiltImage { id: ID.into(), ..BuiltImage::default() };
    let target = ImageRef::tagged(&host, &repository, &tag);
    let error = docker.push(&image, &target, &Credential::new("AWS", "x", None), &|_| {}).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unexpected);
    assert_eq!(error.doing, "push `127.0.0.1:1/web:v1`");
}

#[tokio::test]
async fn no_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("d.sock");
    let address = format!("unix://{}", socket.display());
    let unreachable = Failure::EngineUnreachable { address: address.clone(), forbidden: false };
    let error = connect(&address).unwrap_err();
    assert_eq!(error.failure, unreachable);
    assert_eq!(error.cause, format!("there is no socket at `{}`", socket.display()));
    // The file of a socket outlives its daemon.
    drop(UnixListener::bind(&socket).unwrap());
    let error = connect(&address).unwrap().look().await.unwrap_err();
    assert_eq!(error.failure, unreachable);
    assert!(error.cause.contains("Connection refused"), "{error:?}");
    let error = connect("tcp://127.0.0.1:1").unwrap().look().await.unwrap_err();
    assert_eq!(error.failure, Failure::EngineUnreachable { address: "tcp://127.0.0.1:1".into(), forbidden: false });
}
