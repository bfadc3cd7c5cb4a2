//! The Docker daemon.

use std::path::Path;

use super::Surroundings;
use crate::diagnostic::{Blame, Diagnostic};
use crate::effects::disk;
use crate::effects::docker::lacks::{self, Lack, Outcome, Road};
use crate::effects::docker::{Docker, DockerSettings, EngineFacts};
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::Facts;
use crate::pipeline::{Cache, Pipeline};
use crate::plan::tags::DerivedTags;
use crate::plan::{self, BuildPlan, CachePlan};
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
    let road = docker.road(&facts);
    findings.push(engine(&facts, road, &docker.address().to_string()));
    findings.extend(lacking(&facts, road, pipeline, around));
    findings.extend(room(&docker).await);
}

fn engine(facts: &EngineFacts, road: Road, address: &str) -> Finding {
    let EngineFacts { api_version, os, arch, .. } = facts;
    let builder = match road {
        Road::Session | Road::Archive => "with BuildKit",
        Road::Classic => "with the classic builder",
        Road::Podman => "with Buildah",
    };
    let text = format!("{} at {address}, API {api_version}, {os}/{arch}, {builder}", facts.name());
    let mut finding = Finding::fine("docker", text);
    let lacks = lacks::lacks(road, facts);
    let mut remedies: Vec<&str> = lacks.iter().map(|lack| lack.remedy).collect();
    remedies.sort_unstable();
    remedies.dedup();
    for remedy in remedies {
        let what: Vec<&str> = lacks.iter().filter(|lack| lack.remedy == remedy).map(|lack| lack.what).collect();
        finding = finding.with(format!("it lacks {}: {remedy}", what.join(", ")));
    }
    finding
}

/// What the pipeline asks for and the engine cannot do, in the words of a build.
fn lacking(facts: &EngineFacts, road: Road, pipeline: Option<&Pipeline>, around: &Surroundings<'_>) -> Vec<Finding> {
    let Some(pipeline) = pipeline else { return Vec::new() };
    let engine = facts.builder_name(road);
    let mut found = Vec::new();
    for (image, build) in builds(pipeline) {
        for (field, Lack { outcome, remedy, .. }) in lacks::asked_in_vain(road, facts, &build) {
            let about = format!("image {image}");
            found.push(if outcome == Outcome::Error {
                let failure = Failure::EngineLacks { engine: engine.clone(), field, remedy };
                Finding::wrong(
                    about,
                    around.told(&ServiceError { failure, doing: String::new(), cause: String::new() }),
                )
            } else {
                let text = format!("{engine} does not know `{field}`; it is left out");
                Finding::odd(about, Diagnostic::new(Blame::Input, text).hint(remedy))
            });
        }
    }
    found
}

/// The builds of a pipeline, as far as they do not depend on a registry and a checkout.
fn builds(pipeline: &Pipeline) -> Vec<(String, BuildPlan)> {
    let tags = vec![DerivedTags::default(); pipeline.images.len()];
    let mut builds = plan::builds(pipeline, &tags, Path::new(""), &[], &Facts::default());
    for (name, build) in &mut builds {
        // An image of several platforms is one build for each, with the platform behind its name.
        let image = pipeline.images.iter().find(|image| name.split(' ').next() == Some(&image.name));
        if let Some(Cache::On { kind, mode, .. }) = image.and_then(|image| image.build.cache.as_ref()) {
            let (from, to, not_kept) = (Vec::new(), None, None);
            build.cache = Some(CachePlan { kind: *kind, mode: *mode, from, to, not_kept, asked: true });
        }
    }
    builds
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
