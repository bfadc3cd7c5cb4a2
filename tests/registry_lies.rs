//! The registry client against a registry that hands out something else than it was asked for.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test touches the world")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use longshore::effects::registry::RegistryClient;
use longshore::effects::tls;
use longshore::execute::ports::{Credential, Failure, Registry as _};
use longshore::facts::Variables;
use longshore::names::{Digest, ImageRef, RegistryHost};

const MANIFEST: &str = "{\"schemaVersion\":2}";

/// A registry that answers every request with this manifest.
fn registry() -> RegistryHost {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string().parse().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, mut request) = (connection.unwrap(), [0; 4096]);
            let count = connection.read(&mut request).unwrap();
            // What begins with anything but a word of HTTP asks for TLS, and is left alone.
            if request[..count].starts_with(b"GET ") {
                let length = MANIFEST.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{MANIFEST}");
                connection.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    host
}

#[tokio::test]
async fn a_manifest_is_the_one_that_was_asked_for() {
    tls::install_provider();
    let host = registry();
    let client = RegistryClient::new(&host, &Variables::default()).unwrap();
    let credential = Credential::new("AWS", "x", None);
    let image = |digest: &Digest| ImageRef::digested(&host, &"web".parse().unwrap(), digest);
    let true_digest = Digest::of(MANIFEST.as_bytes());
    let manifest = client.manifest(&image(&true_digest), &credential).await.unwrap();
    assert_eq!(manifest.digest, true_digest);
    let error = client.manifest(&image(&Digest::of(b"another")), &credential).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unexpected);
    assert_eq!(error.cause, format!("the registry sent {true_digest}"));
}
