//! Connections to a daemon, whatever way leads there.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bollard::BollardRequest;
use bollard::errors::Error;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::DockerAddress;

/// Bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, and the host that requests on it name.
///
/// # Errors
/// If nothing answers there, or the certificates do not fit.
pub async fn dial(address: &DockerAddress) -> io::Result<(Box<dyn Stream>, String)> {
    match address {
        #[cfg(unix)]
        DockerAddress::Socket(path) => {
            Ok((Box::new(tokio::net::UnixStream::connect(path).await?), "docker".to_owned()))
        }
        DockerAddress::Ssh(host) => Ok((Box::new(host.dial()?), "docker".to_owned())),
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

/// One request of bollard's, on a connection of its own.
///
/// # Errors
/// As for [`dial`].
pub async fn send(address: Arc<DockerAddress>, mut request: BollardRequest) -> Result<Response<Incoming>, Error> {
    let (stream, host) = dial(&address).await.map_err(|err| Error::IOError { err })?;
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = path.parse::<Uri>().map_err(|error| Error::IOError { err: io::Error::other(error) })?;
    if let Ok(host) = HeaderValue::from_str(&host) {
        request.headers_mut().insert(header::HOST, host);
    }
    Ok(exchange(stream, request).await?)
}

/// A request and its answer, on a connection that may be upgraded afterwards.
///
/// # Errors
/// Why the connection ended, where it did: a request that finds it gone only knows that it was too late.
pub async fn exchange<B>(stream: Box<dyn Stream>, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection.with_upgrades());
    let answer = sender.send_request(request).await;
    // Without a sender the connection comes to its end.
    drop(sender);
    match answer {
        Err(error) if error.is_canceled() => Err(connection.await.ok().and_then(Result::err).unwrap_or(error)),
        answer => answer,
    }
}

async fn tcp(host: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Both sides show a certificate, and only those of `ca.pem` are believed.
///
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
    roots.add_parsable_certificates(certificates("ca.pem")?);
    let key = folder.join("key.pem");
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| unusable(&key, &error))?;
    let config = ClientConfig::builder().with_root_certificates(roots);
    config.with_client_auth_cert(certificates("cert.pem")?, key).map_err(io::Error::other)
}
