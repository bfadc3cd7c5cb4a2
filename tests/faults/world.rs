//! A small ECR in this process, with another beside it where a pipeline has a replica, and runs of the program against it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longshore::local::{Beside, Fault, Server, Settings};
use serde_json::{Value, json};
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

/// Released only when they are scanned and signed, and copied to another registry.
const CAREFUL: &str = "\
version: 1
registry: { replicas: [{ host: 'THERE', region: eu-west-1 }] }
defaults: { tags: [one, two], gate: { fail_on: HIGH }, signing: require }
images:
  web: { build: web, repository: { name: web, policy: { pull: ['210987654321'] } } }
  worker: { build: worker, repository: worker }
";

const PROFILE: &str = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/release";

/// One of the registries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Where the images are built for.
    Here,
    /// The replica.
    There,
}

/// A server, the engine that takes no time, and what they run in.
pub struct World {
    server: Server,
    pipeline: String,
    runtime: Runtime,
    docker_host: String,
    log: PathBuf,
}

/// What the tags of every image name, by image and tag.
pub type Tags = BTreeMap<(String, String), String>;

impl World {
    /// A server over a new folder, and a pipeline of two images.
    pub fn new(folder: &Path) -> Self {
        Self::over(folder, PIPELINE, Vec::new())
    }

    /// A registry that scans and signs, another beside it, and a pipeline that asks for all of that.
    pub fn careful(folder: &Path) -> Self {
        let beside = Beside { account: None, region: "eu-west-1".parse().unwrap(), port: Some(0) };
        let mut world = Self::over(folder, CAREFUL, vec![beside]);
        world.pipeline = CAREFUL.replace("THERE", world.at(Place::There).host().as_str());
        let rules = json!({ "rules": [{ "signingProfileArn": PROFILE }] });
        world.ask(Place::Here, "PutSigningConfiguration", &json!({ "signingConfiguration": rules }));
        world
    }

    fn over(folder: &Path, pipeline: &str, beside: Vec<Beside>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let log = folder.join("log");
        let settings = Settings { log: Some(log.clone()), beside, ..Settings::new(folder.join("data"), Some(0)) };
        let server = runtime.block_on(Server::start(settings)).unwrap();
        let docker_host = runtime.block_on(engine::start());
        World { server, pipeline: pipeline.to_owned(), runtime, docker_host, log }
    }

    fn at(&self, place: Place) -> &Server {
        match place {
            Place::Here => &self.server,
            Place::There => &self.server.beside()[0],
        }
    }

    /// The files of the pipeline.
    pub fn files(&self) -> Vec<(&str, &str)> {
        vec![
            ("longshore.yaml", &self.pipeline),
            ("web/Dockerfile", "FROM scratch\nCOPY file /\n"),
            ("web/file", "web"),
            ("worker/Dockerfile", "FROM scratch\nCOPY file /\n"),
            ("worker/file", "worker"),
        ]
    }

    /// A checkout of them.
    pub fn checkout<'u>(&self, user: &'u User) -> Checkout<'u> {
        user.checkout(&self.files())
    }

    /// Arms faults, as they are written in a file.
    pub fn set_faults(&self, place: Place, faults: &str) {
        let faults = Fault::parse(faults, Path::new("/")).unwrap_or_else(|error| panic!("{faults}: {error}"));
        self.at(place).set_faults(faults);
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
        self.tags_at(Place::Here)
    }

    /// What all tags name that a registry has.
    pub fn tags_at(&self, place: Place) -> Tags {
        let mut tags = Tags::new();
        for image in IMAGES {
            let filter = json!({ "repositoryName": image, "filter": { "tagStatus": "TAGGED" } });
            let listed = self.ask(place, "ListImages", &filter);
            for id in listed["imageIds"].as_array().into_iter().flatten() {
                let text = |name: &str| id[name].as_str().unwrap().to_owned();
                tags.insert((image.to_owned(), text("imageTag")), text("imageDigest"));
            }
        }
        tags
    }

    fn ask(&self, place: Place, operation: &str, body: &Value) -> Value {
        let call = reqwest::Client::new().post(self.at(place).endpoint()).header("Authorization", "a test");
        let call = call.header("X-Amz-Target", format!("AmazonEC2ContainerRegistry_V20150921.{operation}"));
        let call = call.body(body.to_string());
        let answer = self.runtime.block_on(async { call.send().await.unwrap().text().await.unwrap() });
        serde_json::from_str(&answer).unwrap()
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

/// What is wrong with the tags of a replica: one that names something other than what was staged.
pub fn astray(here: &Tags, there: &Tags) -> Option<String> {
    let is_staged = |image: &str, digest: &String| {
        here.iter().any(|((other, tag), staged)| other == image && tag.starts_with("src-") && staged == digest)
    };
    let wrong = there.iter().find(|((image, _), digest)| !is_staged(image, digest));
    wrong.map(|((image, tag), digest)| format!("`{image}:{tag}` of the replica names {digest}, staged are {here:?}"))
}
