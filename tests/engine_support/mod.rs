//! A folder to build in, a daemon to build with, a registry to push to.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longshore::effects::docker::{Docker, DockerSettings, Environment};
use longshore::names::ImageRef;
use longshore::pipeline::{ContextSource, Dockerfile};
use longshore::plan::BuildPlan;
use tempfile::TempDir;

/// One test's own context folder, with busybox in it.
pub struct World {
    pub engine: Docker,
    pub context: TempDir,
    /// A name that no other test has.
    pub name: String,
}

impl World {
    pub fn new(classic_builder: bool) -> Self {
        Self::with_variables(classic_builder, &[])
    }

    /// A world with these variables in its environment.
    pub fn with_variables(classic_builder: bool, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment(variables.collect());
        let engine = Docker::connect(&DockerSettings { classic_builder, environment, ..Default::default() }).unwrap();
        let context = tempfile::tempdir().unwrap();
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("engine-test-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        // What follows a program in its file does not disturb it, and makes a layer that no other test can take away.
        let mut busybox = fs::read("/bin/busybox").unwrap();
        busybox.extend_from_slice(name.as_bytes());
        fs::write(context.path().join("busybox"), busybox).unwrap();
        fs::set_permissions(context.path().join("busybox"), fs::Permissions::from_mode(0o755)).unwrap();
        World { engine, context, name }
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.context.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn plan(&self, dockerfile: Dockerfile) -> BuildPlan {
        let context = ContextSource::Folder(self.context.path().to_owned());
        // No two tests share an image, so that none takes it away from another.
        let labels = [("test".to_owned(), self.name.clone())].into();
        BuildPlan { labels, ..BuildPlan::plain(context, dockerfile) }
    }

    /// Gives the image a name of this test's, which is taken away at the end.
    pub fn keep(&self, id: &str) -> String {
        docker(&["tag", id, &self.name]);
        self.name.clone()
    }

    pub fn run(&self, image: &str, command: &[&str]) -> String {
        let run = ["run", "--rm", "--network", "none", "--entrypoint", "/bin/busybox", image];
        docker(&[&run, command].concat())
    }

    pub fn cat(&self, image: &str, file: &str) -> String {
        self.run(image, &["cat", file])
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.name]).output();
    }
}

/// Debian's docker-registry on a free port of loopback.
pub struct Registry {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Registry {
    pub fn start() -> Self {
        Self::spawn(tempfile::tempdir().unwrap(), &[])
    }

    /// A registry that is set up by these variables besides its own.
    pub fn with_environment(more: &[(&str, &str)]) -> Self {
        Self::spawn(tempfile::tempdir().unwrap(), more)
    }

    pub fn with_password(password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("htpasswd");
        let line = Command::new("htpasswd").args(["-nbB", "-C", "4", "AWS", password]).output().unwrap().stdout;
        fs::write(&file, line).unwrap();
        let path = file.to_str().unwrap().to_owned();
        Self::spawn(folder, &[("REGISTRY_AUTH_HTPASSWD_REALM", "x"), ("REGISTRY_AUTH_HTPASSWD_PATH", &path)])
    }

    fn spawn(folder: TempDir, more: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("config.yml");
        fs::write(&config, "version: 0.1\nstorage: { filesystem: {} }\nhttp: {}\n").unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", folder.path())
            .env("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}"))
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the registry does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Registry { process, port, folder }
    }

    pub fn target(&self, repository: &str, tag: &str) -> ImageRef {
        target(&format!("127.0.0.1:{}", self.port), repository, tag)
    }

    /// The digest as another tool sees it.
    pub fn digest(&self, target: &ImageRef) -> String {
        let format = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}"];
        let output = Command::new("skopeo").args(format).arg(format!("docker://{target}")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[allow(dead_code, reason = "keeps the folder as long as the registry")]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn target(host: &str, repository: &str, tag: &str) -> ImageRef {
    ImageRef::tagged(&host.parse().unwrap(), &repository.parse().unwrap(), &tag.parse().unwrap())
}

/// Runs the docker CLI, which must succeed.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a process has this word as an argument of its own.
pub fn is_running(word: &str) -> bool {
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|process| {
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
    })
}
