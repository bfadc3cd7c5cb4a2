//! A world for plans to be carried out in, which writes down what is asked of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::Pin;

use longshore::execute::events::{BuildEvent, CopyEvent, Event, PushEvent};
use longshore::execute::ports::{
    Brought, BuildInputs, BuiltImage, Creation, Credential, Destination, Ecr, Engine, Failure, Freight, Layer,
    LayerBlob, Manifest, Progress, Registry, Replication, ServiceError, Signature, Source, Stock,
};
use longshore::execute::report::{Outcome, Report};
use longshore::execute::{self, Goal, Replica, Services};
use longshore::names::{Digest, ImageRef, Platform, RepositoryName};
use longshore::pipeline::{BuildOptions, ContextSource, Dockerfile, Encryption, ImageUri, Outputs, TagMutability};
use longshore::plan::{
    BuildPlan, Change, ImageAction, ImagePlan, Plan, PlannedTag, Record, RepositoryPlan, RepositorySpec, Signing,
    Transport,
};
use longshore::retry::Tally;
use longshore::scan::{Answer, Scanning, Started};

/// A world in which everything works, save what is said to fail; each call leaves a line.
#[derive(Default)]
pub struct World {
    pub calls: RefCell<Vec<String>>,
    /// The failures that wait for a call, by the call's line.
    pub failing: RefCell<BTreeMap<String, Vec<Failure>>>,
    pub tags: RefCell<BTreeMap<String, Digest>>,
    pub tokens: Cell<u32>,
    /// The repositories that the control plane does not know.
    pub missing: RefCell<BTreeSet<String>>,
    /// A tag that another run moves just after this run has written one.
    pub meanwhile: RefCell<Option<(String, Digest)>>,
    /// What is said of the scans in a repository, in this order; the last stays.
    pub scans: RefCell<BTreeMap<String, Vec<Answer>>>,
    pub scanning: Cell<Scanning>,
    /// What is said of replication, in this order; the last stays.
    pub replications: RefCell<Vec<Vec<Replication>>>,
    /// What is said of the signatures in a repository, in this order; the last stays.
    pub signatures: RefCell<BTreeMap<String, Vec<Vec<Signature>>>>,
    pub events: RefCell<Vec<Event>>,
    /// The registry has indexes where manifests are asked for.
    pub has_indexes: Cell<bool>,
    /// A tag that is there when the writing of one has failed.
    pub appears: RefCell<Option<(String, Digest)>>,
}

impl World {
    pub fn failing(line: &str, failures: &[Failure]) -> Self {
        let world = World::default();
        world.failing.borrow_mut().insert(line.to_owned(), failures.iter().rev().cloned().collect());
        world
    }

    pub fn call(&self, line: String) -> Result<(), ServiceError> {
        let failure = self.failing.borrow_mut().get_mut(&line).and_then(Vec::pop);
        self.calls.borrow_mut().push(line.clone());
        match failure {
            Some(failure) => Err(ServiceError { failure, doing: line, cause: String::new() }),
            None => Ok(()),
        }
    }

    pub fn run(&self, plan: &Plan) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let began = runtime.block_on(async { tokio::time::Instant::now() });
        let services = Services {
            engine: self,
            ecr: self,
            registry: self,
            elsewhere: None,
            replicas: plan.replicas.iter().map(|_| Replica { ecr: self, registry: self }).collect(),
            elapsed: &|| began.elapsed(),
            retries: &Tally::default(),
            jobs: 1,
            goal: Goal::Released,
        };
        runtime.block_on(execute::run(plan, &services, &|event| self.events.borrow_mut().push(event)))
    }

    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }
}

/// The digest that every image of this name has.
pub fn digest_of(image: &str) -> Digest {
    Digest::of(image.as_bytes())
}

impl Engine for World {
    async fn build(
        &self,
        build: &BuildPlan,
        inputs: &BuildInputs,
        _tell: &dyn Fn(BuildEvent),
    ) -> Result<BuiltImage, ServiceError> {
        let name = build.context.to_string();
        let with = inputs.login.as_ref().map_or("", |_| " with login");
        self.call(format!("build {name}{with}"))?;
        Ok(BuiltImage { id: name, ..BuiltImage::default() })
    }

    async fn push(
        &self,
        image: &BuiltImage,
        target: &ImageRef,
        credential: &Credential,
        _tell: &dyn Fn(PushEvent),
    ) -> Result<Digest, ServiceError> {
        self.call(format!("push {target} with {}", credential.reveal()))?;
        self.tags.borrow_mut().insert(target.to_string(), digest_of(&image.id));
        Ok(digest_of(&image.id))
    }
}

impl Stock for World {
    fn there<'a>(
        &'a self,
        _: &'a RepositoryName,
        _: &'a [Digest],
    ) -> Pin<Box<dyn Future<Output = BTreeSet<Digest>> + 'a>> {
        Box::pin(std::future::ready(BTreeSet::new()))
    }
}

impl Ecr for World {
    async fn credential(&self) -> Result<Credential, ServiceError> {
        Ok(Credential::new("AWS", format!("token {}", self.tokens.get()), None))
    }

    async fn forget_credential(&self) {
        self.tokens.set(self.tokens.get() + 1);
    }

    async fn has_repository(&self, name: &RepositoryName) -> Result<bool, ServiceError> {
        self.call(format!("look for {name}"))?;
        Ok(!self.missing.borrow().contains(name.as_str()))
    }

    async fn create_repository(&self, spec: &RepositorySpec) -> Result<Creation, ServiceError> {
        self.call(format!("create {}", spec.name))?;
        Ok(Creation::Created)
    }

    async fn configure_repository(&self, name: &RepositoryName, _: &str, change: &Change) -> Result<(), ServiceError> {
        self.call(format!("configure {name}: {change:?}"))
    }

    async fn scanning(&self, _: &RepositoryName) -> Result<Scanning, ServiceError> {
        Ok(self.scanning.get())
    }

    async fn start_scan(&self, repository: &RepositoryName, _: &Digest) -> Result<Started, ServiceError> {
        self.call(format!("scan {repository}"))?;
        Ok(Started::Yes)
    }

    async fn scan_findings(&self, repository: &RepositoryName, digest: &Digest) -> Result<Answer, ServiceError> {
        self.call(format!("findings of {repository} {}", digest.short()))?;
        let mut scans = self.scans.borrow_mut();
        let Some(answers) = scans.get_mut(repository.as_str()) else { return Ok(Answer::NotFound) };
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }

    async fn signatures(&self, repository: &RepositoryName, _: &Digest) -> Result<Vec<Signature>, ServiceError> {
        self.call(format!("signatures of {repository}"))?;
        let mut signatures = self.signatures.borrow_mut();
        let Some(answers) = signatures.get_mut(repository.as_str()) else { return Ok(Vec::new()) };
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }

    async fn replications(&self, repository: &RepositoryName, _: &Digest) -> Result<Vec<Replication>, ServiceError> {
        self.call(format!("replications of {repository}"))?;
        let mut answers = self.replications.borrow_mut();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers.first().cloned().unwrap_or_default() };
        let (tags, arrived) = (&self.tags, answer.iter().filter(|way| way.progress == Progress::Done));
        arrived.for_each(|_| {
            let digest = digest_of(repository.as_str());
            tags.borrow_mut().insert(format!("s.example/{repository}@{digest}"), digest);
        });
        Ok(answer)
    }
}

impl Registry for World {
    async fn digest(&self, image: &ImageRef, _credential: &Credential) -> Result<Option<Digest>, ServiceError> {
        Ok(self.tags.borrow().get(&image.to_string()).cloned())
    }

    async fn manifest(&self, image: &ImageRef, _credential: &Credential) -> Result<Manifest, ServiceError> {
        let bytes = match self.has_indexes.get() {
            true => br#"{"manifests":[]}"#.to_vec(),
            false => br#"{"config":{"size":1},"layers":[{"size":20},{"size":300}]}"#.to_vec(),
        };
        let digest = image.reference.as_str().parse().unwrap();
        Ok(Manifest { digest, media_type: String::new(), bytes })
    }

    async fn layers(
        &self,
        _: &ImageRef,
        _: Option<&Platform>,
        _: Option<&Credential>,
    ) -> Result<Vec<Layer>, ServiceError> {
        Ok(Vec::new())
    }

    async fn bring(
        &self,
        _: &LayerBlob,
        _: &ImageRef,
        _: Option<&RepositoryName>,
        _: &[Source<'_, World>],
        _: &Credential,
    ) -> Result<Brought, ServiceError> {
        Ok(Brought::ThereAlready)
    }

    async fn write(
        &self,
        _: Freight<'_>,
        target: &ImageRef,
        _: &Credential,
        _: &dyn Fn(PushEvent),
        _: &dyn Fn(&Layer),
    ) -> Result<Digest, ServiceError> {
        self.call(format!("write {target}"))?;
        Ok(digest_of("written"))
    }

    async fn attach(&self, subject: &ImageRef, _: &Manifest, _: &Record, _: &Credential) -> Result<(), ServiceError> {
        self.call(format!("attach to {subject}"))
    }

    async fn copy(
        &self,
        image: &ImageRef,
        _: &Credential,
        to: &[Destination<'_, World>],
        tell: &dyn Fn(CopyEvent),
    ) -> Vec<Result<(), ServiceError>> {
        let copy = |to: &Destination<'_, World>| {
            self.call(format!("copy to {}", to.image))?;
            self.tags.borrow_mut().insert(to.image.to_string(), image.reference.as_str().parse().unwrap());
            tell(CopyEvent::BlobSent(7));
            Ok(())
        };
        to.iter().map(copy).collect()
    }

    async fn tag(&self, target: &ImageRef, manifest: &Manifest, _: &Credential) -> Result<(), ServiceError> {
        if let Err(error) = self.call(format!("tag {target}")) {
            self.tags.borrow_mut().extend(self.appears.take());
            return Err(error);
        }
        self.tags.borrow_mut().insert(target.to_string(), manifest.digest.clone());
        self.tags.borrow_mut().extend(self.meanwhile.take());
        Ok(())
    }
}

pub fn image(name: &str, tags: &[&str]) -> ImagePlan {
    let planned = |tag: &&str| PlannedTag { tag: tag.parse().unwrap(), rule: String::new(), why: String::new() };
    ImagePlan {
        name: name.to_owned(),
        container: name.to_owned(),
        needs: Vec::new(),
        single: false,
        repository: name.parse().unwrap(),
        action: ImageAction::Build { why: Vec::new(), build: Box::new(build(name)) },
        tags: tags.iter().map(planned).collect(),
        staging: None,
        record: None,
        taken: BTreeMap::new(),
        size: None,
        skipped: Vec::new(),
        gate: None,
        signing: Signing::Ignore,
    }
}

pub fn build(name: &str) -> BuildPlan {
    BuildPlan {
        login: false,
        left_out: Vec::new(),
        context: ContextSource::Folder(PathBuf::from(name)),
        contexts: BTreeMap::new(),
        dockerfile: Dockerfile::File(PathBuf::from("Dockerfile")),
        target: None,
        args: BTreeMap::new(),
        labels: BTreeMap::new(),
        platform: None,
        emulate: true,
        no_cache: false,
        pull: false,
        network: None,
        extra_hosts: BTreeMap::new(),
        shm_size: None,
        options: BuildOptions::default(),
        transport: Transport::default(),
        base: None,
        cache: None,
        source_date_epoch: None,
    }
}

pub fn plan(images: Vec<ImagePlan>, create: &[&str]) -> Plan {
    let spec = |name: &&str| RepositorySpec {
        name: name.parse().unwrap(),
        scan_on_push: None,
        encryption: Encryption::default(),
        tag_mutability: TagMutability::default(),
        resource_tags: BTreeMap::new(),
        lifecycle: None,
        policy: None,
    };
    Plan {
        registry: "r.example".parse().unwrap(),
        repositories: create.iter().map(|name| RepositoryPlan::Create(spec(name))).collect(),
        images,
        replicas: Vec::new(),
        release_here: true,
        outputs: Outputs {
            image_definitions: Vec::new(),
            image_detail: None,
            task_definition: None,
            image_uri: ImageUri::Digest,
        },
        doubts: Vec::new(),
    }
}

pub fn outcomes(report: &Report) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Published(_) => "published",
        Outcome::Failed(_) => "failed",
        Outcome::Staged(_) => "staged",
        Outcome::Stopped => "stopped",
    };
    report.images.iter().map(|image| word(&image.outcome)).collect()
}
