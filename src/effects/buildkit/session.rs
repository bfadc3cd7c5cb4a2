//! The session: a connection on which the daemon asks, and we answer.

use std::io;

use bollard_buildkit_proto::health::health_server::HealthServer;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::SshServer;
use bollard_buildkit_proto::moby::upload::v1::upload_server::UploadServer;
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tonic::service::Routes;

use super::answers::{Auth, Health, Secrets};
use super::connection;
use super::filesync::FileSync;
use super::ssh::Ssh;
use super::upload::Upload;
use crate::effects::docker::DockerAddress;

/// What is answered. The daemon asks only for the methods that it is told of.
const METHODS: [&str; 6] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
    "/moby.upload.v1.Upload/Pull",
];

/// Who answers.
pub(super) struct Services {
    pub(super) files: FileSync,
    pub(super) auth: Auth,
    pub(super) secrets: Secrets,
    pub(super) ssh: Ssh,
    pub(super) upload: Upload,
}

/// Opens the session and answers on it until the result is dropped.
///
/// `key` tells the daemon which of the folders that it keeps from earlier builds to compare with.
///
/// # Errors
/// If the daemon does not answer, or refuses the session.
pub(super) async fn open(
    address: &DockerAddress,
    id: &str,
    key: &str,
    services: Services,
) -> io::Result<JoinSet<Result<(), hyper::Error>>> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("uuid", id), ("name", "longshore"), ("sharedkey", key)] {
        headers.insert(header_name(name)?, HeaderValue::from_str(value).map_err(io::Error::other)?);
    }
    for method in METHODS {
        headers.append(header_name("grpc-method")?, HeaderValue::from_static(method));
    }
    let io = connection::session(address, headers).await?;
    let routes = Routes::new(HealthServer::new(Health))
        .add_service(services.files)
        .add_service(AuthServer::new(services.auth))
        .add_service(SecretsServer::new(services.secrets))
        .add_service(SshServer::new(services.ssh))
        .add_service(UploadServer::new(services.upload));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).initial_connection_window_size(connection::WINDOW);
    let mut task = JoinSet::new();
    task.spawn(builder.serve_connection(io, TowerToHyperService::new(routes.prepare())));
    Ok(task)
}

fn header_name(end: &str) -> io::Result<HeaderName> {
    format!("x-docker-expose-session-{end}").parse().map_err(io::Error::other)
}
