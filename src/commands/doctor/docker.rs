//! The Docker daemon.

use super::Surroundings;
use crate::diagnostic::{Blame, Diagnostic};
use crate::effects::disk;
use crate::effects::docker::{Docker, DockerSettings, EngineFacts};
use crate::execute::ports::{Failure, ServiceError};
use crate::pipeline::Pipeline;
use crate::report::doctor::Finding;

/// With less room than this a build is likely to fail, and with less than that it is sure to. In bytes.
const TIGHT: u64 = 3_000_000_000;
const FULL: u64 = 200_000_000;

pub(super) async fn look(pipeline: Option<&Pipeline>, around: &Surroundings<'_>, findings: &mut Vec<Finding>) {
    let settings = DockerSettings::from_environment(&around.world.variables);
    let docker = match Docker::connect(&settings) {
        Ok(docker) => docker,
        Err(error) => return findings.push(Finding::wrong("docker", around.told(&error))),
    };
    let facts = match docker.look().await {
        Ok(facts) => facts,
        Err(error) => return findings.push(Finding::wrong("docker", around.told(&error))),
    };
    findings.push(engine(&facts, &docker.address().to_string()));
    findings.extend(lacking(&facts, pipeline, around));
    findings.extend(room(&docker).await);
}

fn engine(facts: &EngineFacts, address: &str) -> Finding {
    let EngineFacts { api_version, os, arch, .. } = facts;
    let builder = if facts.buildkit { "with BuildKit" } else { "without BuildKit" };
    let text = format!("{} at {address}, API {api_version}, {os}/{arch}, {builder}", facts.name());
    let cannot: Vec<&str> = lacks(facts).into_iter().map(|(what, _)| what).collect();
    match cannot.as_slice() {
        [] => Finding::fine("docker", text),
        cannot => Finding::fine("docker", text).with(format!("it cannot do: {}", cannot.join("; "))),
    }
}

/// What the engine cannot do, and the fields that ask for it.
fn lacks(facts: &EngineFacts) -> Vec<(&'static str, &'static [&'static str])> {
    let mut lacks: Vec<(&str, &[&str])> = Vec::new();
    if !facts.containerd_store {
        lacks.push(("attestations, which need the containerd image store", &["provenance", "sbom"]));
    }
    if facts.buildkit && !facts.buildkit_obeys_shm_size() {
        lacks.push(("shm_size with BuildKit, which needs Docker 23.0", &["shm_size"]));
    }
    if !facts.buildkit {
        lacks
            .push(("secrets, ssh and named contexts, which need BuildKit", &["secrets", "ssh", "additional_contexts"]));
    }
    lacks
}

/// What the pipeline asks for and the engine cannot do, in the words in which a build would be refused.
fn lacking(facts: &EngineFacts, pipeline: Option<&Pipeline>, around: &Surroundings<'_>) -> Vec<Finding> {
    let images = pipeline.map_or(&[][..], |pipeline| &pipeline.images);
    let fields: Vec<&str> = lacks(facts).into_iter().flat_map(|(_, fields)| fields).copied().collect();
    let mut found = Vec::new();
    for image in images {
        let options = &image.build.options;
        let asked = [
            ("provenance", options.provenance.is_some()),
            ("sbom", options.sbom.is_some()),
            ("shm_size", image.build.shm_size.is_some()),
            ("secrets", !options.secrets.is_empty()),
            ("ssh", !options.ssh.is_empty()),
            ("additional_contexts", !image.build.additional_contexts.is_empty()),
        ];
        for (field, _) in asked.into_iter().filter(|(field, asked)| *asked && fields.contains(field)) {
            let failure = Failure::EngineLacks { engine: facts.name(), field: field.to_owned() };
            let error = ServiceError { failure, doing: String::new(), cause: String::new() };
            found.push(Finding::wrong(format!("image {}", image.name), around.told(&error)));
        }
    }
    found
}

/// How much room the daemon has, where its disk is this machine's.
async fn room(docker: &Docker) -> Option<Finding> {
    let folder = docker.data_folder().await?;
    let free = disk::free(&folder)?;
    let text = format!("{:.1} GB free in {}", free as f64 / 1e9, folder.display());
    let problem = |blame| {
        Diagnostic::new(blame, text.clone()).hint("make room with `docker system prune`, or `docker builder prune`")
    };
    Some(match free {
        _ if free < FULL => Finding::wrong("disk", problem(Blame::Work)),
        _ if free < TIGHT => Finding::odd("disk", problem(Blame::Work)),
        _ => Finding::fine("disk", text),
    })
}
