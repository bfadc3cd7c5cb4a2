//! A small ECR in this process, and runs of the program against it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longshore::local::{Fault, Server, Settings};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::engine;
use crate::user::{Call, Checkout, User};

pub const IMAGES: [&str; 2] = ["web", "worker"];

const PIPELINE: &str = "\
version: 1
defaults: { tags: [one, two] }
images:
  web: { build: web, repository: { name: web, lifecycle: [{ keep_last: 5 }] } }
  worker: { build: worker, repository: worker }
";

/// The files of a pipeline of two images.
pub fn checkout(user: &User) -> Checkout<'_> {
    user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", "FROM scratch\nCOPY file /\n"),
        ("web/file", "web"),
        ("worker/Dockerfile", "FROM scratch\nCOPY file /\n"),
        ("worker/file", "worker"),
    ])
}

/// A server, the engine that takes no time, and what they run in.
pub struct World {
    pub server: Server,
    runtime: Runtime,
    docker_host: String,
    log: PathBuf,
}

/// What the tags of every image name, by image and tag.
pub type Tags = BTreeMap<(String, String), String>;

impl World {
    /// A server over a new folder.
    pub fn new(folder: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let log = folder.join("log");
        let settings = Settings { log: Some(log.clone()), ..Settings::new(folder.join("data"), Some(0)) };
        let server = runtime.block_on(Server::start(settings)).unwrap();
        let docker_host = runtime.block_on(engine::start());
        World { server, runtime, docker_host, log }
    }

    /// Arms faults, as they are written in a file.
    pub fn set_faults(&self, faults: &str) {
        self.server
            .set_faults(Fault::parse(faults, Path::new("/")).unwrap_or_else(|error| panic!("{faults}: {error}")));
    }

    /// `longshore run` with this world's variables.
    pub fn run(&self, checkout: &Checkout<'_>) -> Call {
        let call = checkout.longshore(&["run", "--progress", "plain", "--report", "report.json"]);
        let variables = self.server.environment();
        variables.iter().fold(call, |call, (name, value)| call.env(name, value)).env("DOCKER_HOST", &self.docker_host)
    }

    /// The operations that were answered so far.
    pub fn operations(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What all tags name.
    pub fn tags(&self) -> Tags {
        let endpoint = self.server.endpoint();
        self.runtime.block_on(async {
            let http = reqwest::Client::new();
            let mut tags = Tags::new();
            for image in IMAGES {
                let body = serde_json::json!({ "repositoryName": image, "filter": { "tagStatus": "TAGGED" } });
                let call = http.post(&endpoint).header("Authorization", "a test").body(body.to_string());
                let call = call.header("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.ListImages");
                let listed: Value = serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap();
                for id in listed["imageIds"].as_array().into_iter().flatten() {
                    let text = |name: &str| id[name].as_str().unwrap().to_owned();
                    tags.insert((image.to_owned(), text("imageTag")), text("imageDigest"));
                }
            }
            tags
        })
    }
}

/// What is wrong with the tags that a run left behind: a release tag that names something other than what was staged, or
/// that is there before every image is staged.
pub fn unfinished(tags: &Tags) -> Option<String> {
    let staged: BTreeMap<&str, &String> = tags
        .iter()
        .filter(|((_, tag), _)| tag.starts_with("src-"))
        .map(|((image, _), digest)| (image.as_str(), digest))
        .collect();
    let mut released = tags.iter().filter(|((_, tag), _)| !tag.starts_with("src-"));
    let wrong = released.find(|((image, _), digest)| staged.len() < IMAGES.len() || staged[image.as_str()] != *digest);
    wrong.map(|((image, tag), digest)| format!("`{image}:{tag}` names {digest}, staged are {staged:?}"))
}
