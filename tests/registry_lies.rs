//! The registry client against a registry that hands out something else than it was asked for.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test touches the world")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use longshore::effects::registry::RegistryClient;
use longshore::effects::tls;
use longshore::execute::ports::{Credential, Failure, Registry as _};
use longshore::facts::Variables;
use longshore::names::{Digest, ImageRef, RegistryHost};

const MANIFEST: &str = "{\"schemaVersion\":2}";

/// A registry that answers every request for a manifest in this way, which is given the request's head.
fn registry(answer: impl Fn(&str) -> String + Send + 'static) -> RegistryHost {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string().parse().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, mut request) = (connection.unwrap(), [0; 4096]);
            let count = connection.read(&mut request).unwrap();
            // What begins with anything but a word of HTTP asks for TLS, and is left alone.
            if request[..count].starts_with(b"GET ") {
                let head = String::from_utf8_lossy(&request[..count]).to_ascii_lowercase();
                connection.write_all(answer(&head).as_bytes()).unwrap();
            }
        }
    });
    host
}

fn manifest(_: &str) -> String {
    let length = MANIFEST.len();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{MANIFEST}")
}

fn elsewhere(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_manifest_is_the_one_that_was_asked_for() {
    tls::install_provider();
    let host = registry(manifest);
    let client = RegistryClient::new(&host, &Variables::default(), &Arc::default()).unwrap();
    let credential = Credential::new("AWS", "x", None);
    let image = |digest: &Digest| ImageRef::digested(&host, &"web".parse().unwrap(), digest);
    let true_digest = Digest::of(MANIFEST.as_bytes());
    let manifest = client.manifest(&image(&true_digest), &credential).await.unwrap();
    assert_eq!(manifest.digest, true_digest);
    let error = client.manifest(&image(&Digest::of(b"another")), &credential).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unexpected);
    assert_eq!(error.cause, format!("the registry sent {true_digest}"));
}

/// Layers of ECR lie in S3, where the registry sends its readers; a password for the one is none of the other's business.
#[tokio::test]
async fn another_host_is_not_given_the_credential() {
    tls::install_provider();
    let (heard, heads) = std::sync::mpsc::channel();
    let other = registry(move |head| {
        heard.send(head.to_owned()).unwrap();
        manifest(head)
    });
    let host = registry(move |head| match head.contains("authorization: basic") {
        true => elsewhere("307 Temporary Redirect", &format!("Location: http://{other}/elsewhere?signature=1")),
        false => elsewhere("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\""),
    });
    let client = RegistryClient::new(&host, &Variables::default(), &Arc::default()).unwrap();
    let credential = Credential::new("AWS", "canary", None);
    let digest = Digest::of(MANIFEST.as_bytes());
    let image = ImageRef::digested(&host, &"web".parse().unwrap(), &digest);
    assert_eq!(client.manifest(&image, &credential).await.unwrap().digest, digest);
    let head = heads.try_recv().unwrap();
    assert!(head.starts_with("get /elsewhere?signature=1") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn readers_that_are_sent_in_circles_do_not_follow_for_ever() {
    tls::install_provider();
    let host = registry(|_| elsewhere("307 Temporary Redirect", "Location: /v2/web/manifests/again"));
    let client = RegistryClient::new(&host, &Variables::default(), &Arc::default()).unwrap();
    let image = ImageRef::digested(&host, &"web".parse().unwrap(), &Digest::of(b"x"));
    let error = client.manifest(&image, &Credential::new("AWS", "x", None)).await.unwrap_err();
    assert!(error.cause.contains("in circles"), "{}", error.cause);
}
