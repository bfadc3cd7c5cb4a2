//! What tests with real programs share: a small ECR of their own, and programs that talk to it.

#![allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]
#![expect(clippy::disallowed_methods, reason = "tests start programs and touch files")]

pub mod images;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use longshore::local::{Beside, Fault, Server, Settings};
use serde_json::Value;
use tempfile::TempDir;

/// A server of a test's own on any free port, with programs set up to use it and nothing of the user's.
pub struct Bed {
    pub server: Server,
    folder: TempDir,
}

impl Bed {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), false).await
    }

    pub async fn with_blob_mounting() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), true).await
    }

    /// With a script of what scans find, which the test may change at `scans`.
    pub async fn with_scans(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scans = folder.path().join("scans.yaml");
        fs::write(&scans, script).unwrap();
        let settings = Settings { scans: Some(scans), ..settings(&folder.path().join("data"), 0) };
        Bed { server: Server::start(settings).await.unwrap(), folder }
    }

    /// With these faults.
    pub async fn with_faults(faults: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let faults = Fault::parse(faults, folder.path()).unwrap();
        let settings = Settings { faults, ..settings(&folder.path().join("data"), 0) };
        Bed { server: Server::start(settings).await.unwrap(), folder }
    }

    /// With the registry of another region, to which images can be replicated, beside it; these faults strike both.
    pub async fn with_another(region: &str, faults: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let beside = vec![Beside { account: None, region: region.parse().unwrap(), port: None }];
        let faults = Fault::parse(faults, folder.path()).unwrap();
        let settings = Settings { beside, faults, ..settings(&folder.path().join("data"), 0) };
        Bed { server: Server::start(settings).await.unwrap(), folder }
    }

    /// Puts an empty file into the test's folder, as for a fault that waits for it.
    pub fn open_gate(&self, name: &str) {
        fs::write(self.folder.path().join(name), "").unwrap();
    }

    async fn start_in(folder: TempDir, blob_mounting: bool) -> Self {
        let settings = Settings { blob_mounting, ..settings(&folder.path().join("data"), 0) };
        let server = Server::start(settings).await.unwrap();
        fs::create_dir_all(folder.path().join("docker")).unwrap();
        Bed { server, folder }
    }

    /// Stops the server and starts another on the same folder and port.
    pub async fn restart(self) -> Self {
        let settings = settings(&self.data(), self.port());
        self.server.stop().await;
        Bed { server: Server::start(settings).await.unwrap(), folder: self.folder }
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.server.host().as_str().rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// `host/repository`
    pub fn uri(&self, repository: &str) -> String {
        format!("{}/{repository}", self.server.host())
    }

    /// A file of the test's own.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A program with these arguments.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Program {
        let mut command = Command::new(name);
        command.args(arguments).current_dir(self.folder.path());
        command.envs(self.server.environment()).env("DOCKER_CONFIG", self.folder.path().join("docker"));
        command.env("HOME", self.folder.path()).env("DOCKER_BUILDKIT", "0").env("AWS_PAGER", "");
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            command.env_remove(name);
        }
        Program { command, input: None }
    }

    /// `aws ecr …`, pointed at the server by flag so that old versions find it too.
    pub fn ecr(&self, arguments: &[&str]) -> Program {
        let endpoint = self.server.endpoint();
        let mut all = vec!["--endpoint-url", &endpoint, "--output", "json", "ecr"];
        all.extend(arguments);
        self.program("aws", &all)
    }

    pub fn create_repository(&self, name: &str) {
        self.ecr(&["create-repository", "--repository-name", name]).succeeds();
    }

    pub fn password(&self) -> String {
        self.ecr(&["get-login-password"]).succeeds().trim().to_owned()
    }

    pub fn docker_login(&self) {
        let login = ["login", "--username", "AWS", "--password-stdin", self.server.host().as_str()];
        self.program("docker", &login).input(self.password()).succeeds();
    }

    /// Builds an image of a static busybox and one file, and leaves it with the daemon until the guard goes.
    pub fn build(&self, reference: &str, content: &str) -> Image {
        let context = self.folder.path().join("context").join(content);
        fs::create_dir_all(&context).unwrap();
        fs::copy("/bin/busybox", context.join("busybox")).expect("no /bin/busybox: run `make test`, which installs it");
        fs::write(context.join("content"), content).unwrap();
        // Its first layer is no other test's, so that removing the image takes no parent away from a build elsewhere.
        fs::write(context.join("owner"), self.server.host().as_str()).unwrap();
        let dockerfile = "FROM scratch\nCOPY owner /\nCOPY busybox /bin/busybox\nCOPY content /\nCMD [\"/bin/busybox\", \"cat\", \"/content\"]\n";
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        let build = ["build", "--quiet", "--tag", reference, context.to_str().unwrap()];
        let id = self.program("docker", &build).succeeds().trim().to_owned();
        Image { name: reference.to_owned(), id: Some(id) }
    }
}

/// Settings of a server on this folder and port.
pub fn settings(data: &Path, port: u16) -> Settings {
    Settings::new(data.to_owned(), Some(port))
}

/// An image in the daemon's store, removed when the test is over.
pub struct Image {
    pub name: String,
    /// Where the test made it; all its names go with it.
    id: Option<String>,
}

impl Image {
    /// Only this name, for an image that came from elsewhere.
    pub fn named(name: impl Into<String>) -> Self {
        Image { name: name.into(), id: None }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        for reference in [Some(&self.name), self.id.as_ref()].into_iter().flatten() {
            // The test may have taken it off itself.
            let _ = Command::new("docker").args(["rmi", "--force", reference]).output();
        }
    }
}

/// A program about to be run.
pub struct Program {
    command: Command,
    input: Option<String>,
}

impl Program {
    #[must_use]
    pub fn input(mut self, text: String) -> Self {
        self.input = Some(text);
        self
    }

    /// Runs it; it must succeed. Returns what it printed.
    pub fn succeeds(self) -> String {
        let (shown, output) = self.run();
        assert!(output.status.success(), "{shown} failed:\n{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same for a program that prints JSON.
    pub fn json(self) -> Value {
        let printed = self.succeeds();
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error} in {printed}"))
    }

    /// Runs it; it must fail. Returns its complaint.
    pub fn fails(self) -> String {
        let (shown, output) = self.run();
        assert!(!output.status.success(), "{shown} should have failed:\n{}", text(&output.stdout));
        text(&output.stderr)
    }

    /// The same, with what it printed.
    pub fn fails_printing(self) -> (String, String) {
        let (shown, output) = self.run();
        assert!(!output.status.success(), "{shown} should have failed:\n{}", text(&output.stdout));
        (text(&output.stderr), text(&output.stdout))
    }

    fn run(mut self) -> (String, std::process::Output) {
        let shown = format!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = self.command.get_program().to_owned();
        let mut child = self.command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {}: {error}; run `make test`, which installs what is missing", program.display())
        });
        let mut stdin = child.stdin.take().unwrap();
        if let Some(input) = self.input {
            stdin.write_all(input.as_bytes()).unwrap();
        }
        drop(stdin);
        (shown, child.wait_with_output().unwrap())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The AWS SDK, pointed at a server.
pub fn ecr_client(server: &Server) -> aws_sdk_ecr::Client {
    let config = aws_sdk_ecr::Config::builder()
        .behavior_version(aws_sdk_ecr::config::BehaviorVersion::latest())
        .endpoint_url(server.endpoint())
        .region(aws_sdk_ecr::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_ecr::config::Credentials::new("local", "local", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_ecr::Client::from_conf(config.build())
}

/// What goes after `Basic` in a registry request.
pub async fn credential(client: &aws_sdk_ecr::Client) -> String {
    let output = client.get_authorization_token().send().await.unwrap();
    output.authorization_data()[0].authorization_token().unwrap().to_owned()
}
