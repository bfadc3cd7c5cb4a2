//! The daemon's connection, turned from HTTP into gRPC: `POST /grpc` and `POST /session` with an upgrade to `h2c`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::effects::docker::DockerAddress;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A channel to BuildKit's own services.
///
/// # Errors
/// If the daemon does not answer, or refuses the upgrade.
pub(super) async fn channel(address: &DockerAddress) -> io::Result<Channel> {
    let io = upgrade(address, "/grpc", HeaderMap::new()).await?;
    let mut once = Some(io);
    // The URI is never looked at: there is one connection, and it is there already.
    let endpoint = Endpoint::from_static("http://buildkit");
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
    let (stream, host) = connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection.with_upgrades());
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "h2c");
    let mut request = request.body(String::new()).map_err(io::Error::other)?;
    request.headers_mut().extend(headers);
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(io::Error::other(format!("the daemon answered {} to `POST {path}`", response.status())));
    }
    hyper::upgrade::on(response).await.map_err(io::Error::other)
}

async fn connect(address: &DockerAddress) -> io::Result<(Box<dyn Stream>, String)> {
    match address {
        #[cfg(unix)]
        DockerAddress::Socket(path) => {
            Ok((Box::new(tokio::net::UnixStream::connect(path).await?), "docker".to_owned()))
        }
        DockerAddress::Http(host) => Ok((Box::new(tcp(host).await?), host.clone())),
        DockerAddress::Https(host, folder) => {
            let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
            let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(name).map_err(io::Error::other)?;
            let connector = tokio_rustls::TlsConnector::from(Arc::new(mutual_tls(folder)?));
            Ok((Box::new(connector.connect(name, tcp(host).await?).await?), host.clone()))
        }
        #[allow(unreachable_patterns, reason = "which of the patterns is left depends on the system")]
        DockerAddress::Socket(_) | DockerAddress::Pipe(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[allow(clippy::disallowed_methods, reason = "effects is the room that touches the network")]
async fn tcp(host: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Source: docs.docker.com, "Protect the Docker daemon socket": `ca.pem`, `cert.pem` and `key.pem` in one folder.
fn mutual_tls(folder: &Path) -> io::Result<ClientConfig> {
    let unusable = |file: &Path, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()))
    };
    let certificates = |name: &str| {
        let file = folder.join(name);
        let found = CertificateDer::pem_file_iter(&file).map_err(|error| unusable(&file, &error))?;
        found.collect::<Result<Vec<_>, _>>().map_err(|error| unusable(&file, &error))
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(certificates("ca.pem")?);
    let key = folder.join("key.pem");
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| unusable(&key, &error))?;
    let config = ClientConfig::builder().with_root_certificates(roots);
    config.with_client_auth_cert(certificates("cert.pem")?, key).map_err(io::Error::other)
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
