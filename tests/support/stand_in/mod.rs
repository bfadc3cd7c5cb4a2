//! A stand-in for ECR made of other people's parts: moto answers as the control plane, Debian's docker-registry as
//! the data plane, under a host name of AWS. What it cannot do (immutable tags, missing repositories), that is for
//! `longshore local`.

mod machine;
pub mod program;
mod registry;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use machine::{HostName, Trust};
use program::{Service, from_venv, output, program, run};
use registry::Registry;
use tempfile::TempDir;

/// The account is the one that moto takes every caller for.
pub const HOST: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";
/// The region of [`HOST`].
pub const REGION: &str = "ap-northeast-2";
/// An address of its own, so that port 443 is free there.
const ADDRESS: &str = "127.0.53.1";
/// The password in every token that moto gives for this account.
const PASSWORD: &str = "123456789012-auth-token";

/// Both planes, running. Dropping it stops them and puts the machine back as it was; the lock goes last.
pub struct StandIn {
    _control_plane: Service,
    registry: Registry,
    images: Images,
    _trust: Trust,
    _name: HostName,
    folder: TempDir,
    /// Where moto answers.
    pub endpoint: String,
    _lock: File,
}

impl StandIn {
    /// Starts both planes, or says why they cannot be had here.
    ///
    /// # Errors
    /// If this user may not change what the Docker daemon believes about the world.
    pub fn start() -> Result<Self, String> {
        if run(program("id").arg("-u")).trim() != "0" {
            return Err("it needs root, to put a host name into /etc/hosts".to_owned());
        }
        if let Some(remote) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.starts_with("unix://")) {
            return Err(format!("the Docker daemon at `{remote}` cannot see this machine's loopback"));
        }
        let lock = machine::only_one();
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(HOST, ADDRESS, PASSWORD, folder.path());
        let trust = Trust::install(HOST, &registry.authority);
        let name = HostName::point(HOST, ADDRESS);
        let log = folder.path().join("moto.log");
        let mut moto = Service::start(from_venv("moto_server"), &["-H", "127.0.0.1", "-p", "0"], log);
        let endpoint = moto.wait_for(|moto| announced_address(&moto.log()));
        let docker = folder.path().join("docker");
        std::fs::create_dir(&docker).unwrap();
        let login = base64::prelude::BASE64_STANDARD.encode(format!("AWS:{PASSWORD}"));
        let configuration = serde_json::json!({ "auths": { HOST: { "auth": login } } });
        std::fs::write(docker.join("config.json"), configuration.to_string()).unwrap();
        Ok(StandIn {
            _control_plane: moto,
            registry,
            images: Images(docker),
            _trust: trust,
            _name: name,
            folder,
            endpoint,
            _lock: lock,
        })
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many blobs the registry has taken in so far.
    pub fn uploads(&self) -> usize {
        self.registry.uploads()
    }

    /// The Docker client, logged in to the registry, and with no other configuration.
    pub fn docker(&self, arguments: &[&str]) -> String {
        run(self.images.docker().args(arguments))
    }

    /// The AWS CLI, asking the control plane about ECR.
    pub fn ecr(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = program(from_venv("aws"));
        command.args(["ecr", "--endpoint-url", &self.endpoint, "--output", "json"]).args(arguments);
        serde_json::from_str(&run(self.as_caller(&mut command))).unwrap()
    }

    /// Gives a program the credentials and the region of a caller, and nothing else of this process's environment.
    pub fn as_caller<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let kept = ["PATH", "DOCKER_HOST"].map(|name| (name, std::env::var_os(name)));
        command.env_clear().envs(kept.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        command.env("HOME", self.folder()).env("AWS_REGION", REGION).env("AWS_DEFAULT_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "stand-in").env("AWS_SECRET_ACCESS_KEY", "stand-in")
    }
}

/// The address that moto's server announces once it listens.
fn announced_address(log: &str) -> Option<String> {
    let (_, address) = log.split_once("Running on http://127.0.0.1:")?;
    let (port, _) = address.split_once(|c: char| !c.is_ascii_digit())?;
    Some(format!("http://127.0.0.1:{port}"))
}

/// The daemon's images of this registry, through a client that is configured in this folder; removed when dropped.
struct Images(PathBuf);

impl Images {
    fn docker(&self) -> Command {
        let mut command = program("docker");
        command.env("DOCKER_CONFIG", &self.0);
        command
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        let list = output(self.docker().args(["image", "ls", "--quiet", "--filter", &format!("reference={HOST}/*/*")]));
        for id in String::from_utf8_lossy(&list.stdout).split_whitespace() {
            let _ = self.docker().args(["image", "rm", "--force", id]).output();
        }
    }
}
