//! Where the Docker daemon answers, found the way the docker CLI finds it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::SshHost;
use crate::names::Digest;

/// The part of the environment that names the daemon. Source: docs.docker.com, "docker CLI reference", section
/// "Environment variables".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerSettings {
    /// `DOCKER_HOST`
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`
    pub context: Option<String>,
    /// `DOCKER_TLS_VERIFY`: any text at all means yes.
    pub tls: bool,
    /// `DOCKER_CERT_PATH`
    pub certificates: Option<PathBuf>,
    /// `DOCKER_CONFIG`, or `.docker` in the home folder.
    pub config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where a rootless daemon has its socket.
    pub runtime: Option<PathBuf>,
    /// `DOCKER_BUILDKIT` is `0` or `false`.
    pub classic_builder: bool,
    /// All of it, for what a build may ask for.
    pub environment: Environment,
}

/// The environment, which no output shows: it may hold secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(pub BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl DockerSettings {
    /// Picks what matters from an environment. Variables that are set to nothing count as not set.
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let get = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        let path = |name: &str| get(name).map(PathBuf::from);
        DockerSettings {
            host: get("DOCKER_HOST"),
            context: get("DOCKER_CONTEXT"),
            tls: get("DOCKER_TLS_VERIFY").is_some(),
            certificates: path("DOCKER_CERT_PATH"),
            config: path("DOCKER_CONFIG").or_else(|| path("HOME").map(|home| home.join(".docker"))),
            runtime: path("XDG_RUNTIME_DIR"),
            classic_builder: get("DOCKER_BUILDKIT").is_some_and(|value| matches!(value.as_str(), "0" | "false")),
            environment: Environment(environment.clone()),
        }
    }
}

/// Where the daemon answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerAddress {
    /// A Unix socket.
    Socket(PathBuf),
    /// A named pipe of Windows, as a URL.
    Pipe(String),
    /// Plain HTTP: host and port.
    Http(String),
    /// Through the program `ssh`.
    Ssh(SshHost),
    /// HTTPS: host and port, and the folder with `ca.pem`, `cert.pem` and `key.pem`.
    Https(String, PathBuf),
}

impl std::fmt::Display for DockerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DockerAddress::Socket(path) => write!(f, "unix://{}", path.display()),
            DockerAddress::Pipe(url) => f.write_str(url),
            DockerAddress::Ssh(host) => host.fmt(f),
            DockerAddress::Http(host) | DockerAddress::Https(host, _) => write!(f, "tcp://{host}"),
        }
    }
}

/// An address that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress {
    /// The address, or the name of the docker context.
    pub address: String,
    /// What is wrong with it.
    pub problem: String,
}

impl DockerAddress {
    /// `DOCKER_HOST` first, then `DOCKER_CONTEXT`, the current docker context, the system's socket, and the socket
    /// of a rootless daemon.
    ///
    /// # Errors
    /// If the address is of a kind that is not supported, or the docker context cannot be read.
    pub fn find(settings: &DockerSettings) -> Result<Self, BadAddress> {
        if let Some(host) = &settings.host {
            let certificates = settings.certificates.clone().or_else(|| settings.config.clone());
            return Self::parse(host, certificates.filter(|_| settings.tls));
        }
        let context = settings.context.clone().or_else(|| current_context(settings.config.as_deref()?));
        match (context.filter(|name| name != "default"), &settings.config) {
            (Some(name), Some(config)) => from_context(&name, config),
            _ => Ok(Self::usual(settings.runtime.as_deref())),
        }
    }

    fn usual(runtime: Option<&Path>) -> Self {
        let system = PathBuf::from("/var/run/docker.sock");
        let rootless = runtime.map(|folder| folder.join("docker.sock"));
        match rootless.filter(|rootless| !system.exists() && rootless.exists()) {
            Some(rootless) => DockerAddress::Socket(rootless),
            None => DockerAddress::Socket(system),
        }
    }

    fn parse(url: &str, certificates: Option<PathBuf>) -> Result<Self, BadAddress> {
        let bad = |problem: &str| BadAddress { address: url.to_owned(), problem: problem.to_owned() };
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| bad("it has no scheme such as `unix://` or `tcp://`"))?;
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() {
            return Err(bad("nothing follows the scheme"));
        }
        match (scheme, certificates) {
            ("unix", _) => Ok(DockerAddress::Socket(PathBuf::from(rest))),
            ("npipe", _) => Ok(DockerAddress::Pipe(url.to_owned())),
            ("tcp" | "https", Some(folder)) => Ok(DockerAddress::Https(with_port(rest, 2376), folder)),
            ("tcp" | "http", _) => Ok(DockerAddress::Http(with_port(rest, 2375))),
            ("https", None) => Err(bad("an address with TLS needs `DOCKER_TLS_VERIFY=1` and `DOCKER_CERT_PATH`")),
            ("ssh", _) => SshHost::parse(rest).map(DockerAddress::Ssh).map_err(|problem| bad(&problem)),
            _ => Err(bad("its scheme is none of `unix`, `tcp`, `ssh`, `http`, `https` and `npipe`")),
        }
    }
}

/// Source for the ports: docs.docker.com, "dockerd", section "Daemon socket option".
fn with_port(host: &str, default: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { host.to_owned() } else { format!("{host}:{default}") }
}

fn current_context(config: &Path) -> Option<String> {
    let text = fs::read_to_string(config.join("config.json")).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    json.get("currentContext")?.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Reads a docker context from its folder, which is named after the digest of the context's name.
fn from_context(name: &str, config: &Path) -> Result<DockerAddress, BadAddress> {
    let bad =
        |problem: String| BadAddress { address: name.to_owned(), problem: format!("as a docker context: {problem}") };
    let folder = Digest::of(name.as_bytes()).hex().to_owned();
    let file = config.join("contexts/meta").join(&folder).join("meta.json");
    let text = fs::read_to_string(&file).map_err(|error| bad(format!("{}: {error}", file.display())))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let host = json.pointer("/Endpoints/docker/Host").and_then(serde_json::Value::as_str);
    let certificates = config.join("contexts/tls").join(&folder).join("docker");
    DockerAddress::parse(
        host.ok_or_else(|| bad("it names no docker endpoint".into()))?,
        Some(certificates).filter(|folder| folder.is_dir()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&str, &str)]) -> Result<String, String> {
        let environment = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let address = DockerAddress::find(&DockerSettings::from_environment(&environment));
        address.map(|address| format!("{address:?}")).map_err(|bad| bad.problem)
    }

    #[test]
    fn hosts() {
        let http = |host: &str| find(&[("DOCKER_HOST", host), ("HOME", "/h")]);
        assert_eq!(http("tcp://10.0.0.1"), Ok("Http(\"10.0.0.1:2375\")".into()));
        assert_eq!(http("http://[::1]:80/"), Ok("Http(\"[::1]:80\")".into()));
        assert_eq!(http("unix:///a/b.sock"), Ok("Socket(\"/a/b.sock\")".into()));
        assert_eq!(http("npipe:////./pipe/x"), Ok("Pipe(\"npipe:////./pipe/x\")".into()));
        let ssh = SshHost::parse("me@there").unwrap();
        assert_eq!(http("ssh://me@there"), Ok(format!("{:?}", DockerAddress::Ssh(ssh))));
        assert!(http("https://x").is_err() && http("/var/run/docker.sock").is_err() && http("tcp://").is_err());
    }

    #[test]
    fn tls() {
        let base = [("DOCKER_HOST", "tcp://d"), ("DOCKER_TLS_VERIFY", "1"), ("HOME", "/h")];
        assert_eq!(find(&base), Ok("Https(\"d:2376\", \"/h/.docker\")".into()));
        let with_path = [base[0], base[1], ("DOCKER_CERT_PATH", "/c")];
        assert_eq!(find(&with_path), Ok("Https(\"d:2376\", \"/c\")".into()));
        assert_eq!(find(&[base[0], ("DOCKER_TLS_VERIFY", ""), base[2]]), Ok("Http(\"d:2375\")".into()));
    }

    #[test]
    fn docker_contexts() {
        let config = tempfile::tempdir().unwrap();
        let folder = Digest::of(b"colima").hex().to_owned();
        let meta = config.path().join("contexts/meta").join(folder);
        fs::create_dir_all(&meta).unwrap();
        fs::write(meta.join("meta.json"), r#"{"Endpoints":{"docker":{"Host":"unix:///c.sock"}}}"#).unwrap();
        fs::write(config.path().join("config.json"), r#"{"currentContext":"colima"}"#).unwrap();
        let config = ("DOCKER_CONFIG", config.path().to_str().unwrap());
        assert_eq!(find(&[config]), Ok("Socket(\"/c.sock\")".into()));
        assert_eq!(find(&[config, ("DOCKER_HOST", "tcp://d:1")]), Ok("Http(\"d:1\")".into()));
        assert!(find(&[config, ("DOCKER_CONTEXT", "other")]).is_err());
        assert_eq!(find(&[config, ("DOCKER_CONTEXT", "default")]), find(&[]));
    }
}
