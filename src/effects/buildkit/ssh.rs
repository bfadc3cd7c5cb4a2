//! The SSH agent, handed on to RUN steps. Private keys never leave this machine: they are put into an agent of their own
//! that lives as long as the build.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bollard_buildkit_proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse, ssh_server};
use futures_util::Stream;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tonic::{Request, Response, Status, Streaming};

use crate::facts::Variables;
use crate::plan::BuildOptions;

/// The agents of one build, by their ids.
#[derive(Debug, Default)]
pub(super) struct Agents {
    sockets: Arc<BTreeMap<String, PathBuf>>,
    /// Those that were started for keys; each ends when it is dropped.
    _own: Vec<(Child, TempDir)>,
}

impl Agents {
    /// Finds the agents that a build may use, and starts one for each set of keys.
    ///
    /// # Errors
    /// In words for the user: there is no agent, or a key cannot be used.
    pub(super) async fn open(options: &BuildOptions, variables: &Variables) -> Result<Self, String> {
        let (mut sockets, mut own) = (BTreeMap::new(), Vec::new());
        for ssh in &options.ssh {
            let socket = match &ssh.paths[..] {
                [] => variables
                    .get("SSH_AUTH_SOCK")
                    .filter(|path| !path.is_empty())
                    .map(PathBuf::from)
                    .ok_or_else(|| format!("`ssh: {}` needs an agent, and SSH_AUTH_SOCK names none", ssh.id))?,
                [path] if is_socket(path) => path.clone(),
                keys => {
                    let (agent, folder, socket) = start(keys).await?;
                    own.push((agent, folder));
                    socket
                }
            };
            sockets.insert(ssh.id.clone(), socket);
        }
        Ok(Agents { sockets: Arc::new(sockets), _own: own })
    }

    /// The service.
    pub(super) fn service(&self) -> Ssh {
        Ssh { sockets: Arc::clone(&self.sockets) }
    }
}

#[cfg(unix)]
fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_socket(_: &Path) -> bool {
    false
}

/// How long an agent may take until its socket is there.
const START_LIMIT: Duration = Duration::from_secs(10);

async fn start(keys: &[PathBuf]) -> Result<(Child, TempDir, PathBuf), String> {
    if let Some(missing) = keys.iter().find(|key| !key.exists()) {
        return Err(format!("`ssh`: there is no key or agent at `{}`", missing.display()));
    }
    let failed = |program: &str, error: io::Error| format!("`ssh`: cannot run {program}: {error}");
    let folder = tempfile::tempdir().map_err(|error| format!("`ssh`: cannot make a folder: {error}"))?;
    let socket = folder.path().join("agent");
    let agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed("ssh-agent", error))?;
    let there = async {
        while !is_socket(&socket) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let limit = tokio::time::timeout(START_LIMIT, there).await;
    limit.map_err(|_| format!("`ssh`: ssh-agent did not start within {} s", START_LIMIT.as_secs()))?;
    let added = Command::new("ssh-add")
        .arg("-q")
        .args(keys)
        .env("SSH_AUTH_SOCK", &socket)
        // A key with a passphrase fails at once: there is nobody to ask.
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("SSH_ASKPASS", "/bin/false")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| failed("ssh-add", error))?;
    if !added.status.success() {
        let words = String::from_utf8_lossy(&added.stderr);
        return Err(format!("`ssh`: the keys cannot be used: {}", words.trim().lines().last().unwrap_or_default()));
    }
    Ok((agent, folder, socket))
}

/// The agents as the daemon asks for them.
#[derive(Debug, Clone)]
pub(super) struct Ssh {
    sockets: Arc<BTreeMap<String, PathBuf>>,
}

impl Ssh {
    fn socket(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { "default" } else { id };
        self.sockets.get(id).ok_or_else(|| Status::not_found(format!("`{id}` is not among the build's `ssh`")))
    }
}

type Pieces = Pin<Box<dyn Stream<Item = Result<BytesMessage, Status>> + Send>>;

#[tonic::async_trait]
impl ssh_server::Ssh for Ssh {
    type ForwardAgentStream = Pieces;

    async fn check_agent(&self, request: Request<CheckAgentRequest>) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(&self, request: Request<Streaming<BytesMessage>>) -> Result<Response<Pieces>, Status> {
        let id = request.metadata().get("buildkit.ssh.id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        forward(self.socket(id)?.clone(), request.into_inner()).await
    }
}

#[cfg(unix)]
async fn forward(socket: PathBuf, mut requests: Streaming<BytesMessage>) -> Result<Response<Pieces>, Status> {
    use futures_util::StreamExt as _;
    use tokio::io::AsyncWriteExt as _;
    let stream = tokio::net::UnixStream::connect(&socket).await;
    let stream = stream.map_err(|error| Status::unavailable(format!("the SSH agent does not answer: {error}")))?;
    let (reader, mut writer) = stream.into_split();
    tokio::spawn(async move {
        while let Ok(Some(message)) = requests.message().await {
            if writer.write_all(&message.data).await.is_err() {
                return;
            }
        }
        let _ = writer.shutdown().await;
    });
    let pieces = tokio_util::io::ReaderStream::new(reader).map(|piece| match piece {
        Ok(bytes) => Ok(BytesMessage { data: bytes.to_vec() }),
        Err(error) => Err(Status::unavailable(error.to_string())),
    });
    Ok(Response::new(Box::pin(pieces)))
}

#[cfg(not(unix))]
async fn forward(_: PathBuf, _: Streaming<BytesMessage>) -> Result<Response<Pieces>, Status> {
    Err(Status::unimplemented("SSH agents are forwarded from Unix only"))
}
