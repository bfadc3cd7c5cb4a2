//! The daemon's connection, turned from HTTP into gRPC: `POST /grpc` and `POST /session` with an upgrade to `h2c`.

use std::io;

use http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::upgrade::Upgraded;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::effects::docker::{DockerAddress, dial, exchange};

/// How many bytes the daemon may send ahead. It is the largest window that HTTP/2 knows, since half of it is what h2 grants for
/// small frames that lie about unread, at 256 bytes each: a context of 200,000 files is asked for in as many of them, and
/// h2 breaks off the connection of who sends more. Source: RFC 9113, section 6.9.1; h2, `DataFrameBudget`.
pub(super) const WINDOW: u32 = (1 << 31) - 1;

/// A channel to BuildKit's own services.
///
/// # Errors
/// If the daemon does not answer, or refuses the upgrade.
pub(super) async fn channel(address: &DockerAddress) -> io::Result<Channel> {
    let io = upgrade(address, "/grpc", HeaderMap::new()).await?;
    let mut once = Some(io);
    // The URI is never looked at: there is one connection, and it is there already.
    let endpoint = Endpoint::from_static("http://buildkit").initial_connection_window_size(WINDOW);
    let connector = Connector(move |_: Uri| {
        std::future::ready(once.take().ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionReset)))
    });
    endpoint.connect_with_connector(connector).await.map_err(io::Error::other)
}

/// A connection on which the daemon is the one that asks.
///
/// # Errors
/// As for [`channel`].
pub(super) async fn session(address: &DockerAddress, headers: HeaderMap) -> io::Result<Upgraded> {
    upgrade(address, "/session", headers).await
}

async fn upgrade(address: &DockerAddress, path: &str, headers: HeaderMap) -> io::Result<Upgraded> {
    let (stream, host) = dial(address).await?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "h2c");
    let mut request = request.body(String::new()).map_err(io::Error::other)?;
    request.headers_mut().extend(headers);
    let response = exchange(stream, request).await.map_err(io::Error::other)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(io::Error::other(format!("the daemon answered {} to `POST {path}`", response.status())));
    }
    hyper::upgrade::on(response).await.map_err(io::Error::other)
}

/// A connector out of a function.
struct Connector<F>(F);

impl<F, Answer> tower_service::Service<Uri> for Connector<F>
where
    F: FnMut(Uri) -> Answer,
    Answer: Future<Output = io::Result<Upgraded>>,
{
    type Response = Upgraded;
    type Error = io::Error;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Answer {
        (self.0)(uri)
    }
}
