//! The builders: found, asked what they are, and made one engine.

use std::path::Path;

use futures_util::future::join_all;

use super::World;
use super::decide::told;
use crate::diagnostic::{Blame, Diagnostic, Diagnostics, Place};
use crate::effects::docker::{Docker, DockerSettings, EngineFacts};
use crate::effects::fleet::{Fleet, Member};
use crate::effects::program;
use crate::execute::ports::{Failure, ServiceError};
use crate::explain::{Circumstances, explain};
use crate::facts::Facts;
use crate::names::Platform;
use crate::pipeline::{Builder, Pipeline};
use crate::report;

/// The context that the docker CLI has where none is made: the environment says where the daemon is.
const DEFAULT_CONTEXT: &str = "default";

/// The builders of a pipeline, in the order of the file; without any there, the daemon that the environment names.
pub(super) struct Builders {
    found: Vec<Found>,
    classic: bool,
}

/// A builder, whether it answers or not.
struct Found {
    name: String,
    place: Option<Place>,
    /// What it builds natively, as the file says or it says itself; empty if neither does.
    platforms: Vec<Platform>,
    engine: Result<(Docker, EngineFacts), ServiceError>,
}

/// Who says what images without `platforms` are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlatformSource {
    Builder,
    /// No builder answers, so that it is a guess.
    Machine,
}

impl PlatformSource {
    /// Tells the user of a guess.
    pub(super) fn tell(self, platform: &Platform) {
        if self == PlatformSource::Machine {
            report::note(&format!(
                "the Docker daemon does not answer; images without a `platform` are taken for {platform}"
            ));
        }
    }
}

/// Asks all builders at once. One that does not answer is no failure as long as it is not needed.
pub(super) async fn find(pipeline: &Pipeline, root: &Path, world: &World) -> Builders {
    let environment = DockerSettings::from_environment(&world.variables);
    let classic = environment.classic_builder;
    if pipeline.builders.is_empty() {
        let engine = look(&environment).await;
        let platforms = native(&[], &engine);
        let found = vec![Found { name: "docker".to_owned(), place: None, platforms, engine }];
        return Builders { found, classic };
    }
    let found = pipeline.builders.iter().map(async |builder| {
        let engine = match settings(builder, root, &environment) {
            Ok(settings) => look(&settings).await,
            Err(error) => Err(error),
        };
        let platforms = native(&builder.platforms, &engine);
        Found { name: builder.name.clone(), place: builder.place.clone(), platforms, engine }
    });
    Builders { found: join_all(found).await, classic }
}

fn settings(builder: &Builder, root: &Path, environment: &DockerSettings) -> Result<DockerSettings, ServiceError> {
    let endpoint = builder.endpoint.as_str();
    if endpoint == DEFAULT_CONTEXT {
        return Ok(environment.clone());
    }
    let certificates = builder.certificates.as_ref().map(|folder| root.join(folder));
    if let Some(folder) = certificates.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(ServiceError {
            failure: Failure::CertificatesUnreadable { path: folder.display().to_string() },
            doing: format!("find builder `{}`", builder.name),
            cause: "there is no such folder".to_owned(),
        });
    }
    let is_address = endpoint.contains("://");
    Ok(DockerSettings {
        host: is_address.then(|| endpoint.to_owned()),
        context: (!is_address).then(|| endpoint.to_owned()),
        tls: certificates.is_some(),
        certificates,
        ..environment.clone()
    })
}

async fn look(settings: &DockerSettings) -> Result<(Docker, EngineFacts), ServiceError> {
    let docker = Docker::connect(settings)?;
    let facts = docker.look().await?;
    Ok((docker, facts))
}

fn native(declared: &[Platform], engine: &Result<(Docker, EngineFacts), ServiceError>) -> Vec<Platform> {
    match (declared, engine) {
        ([], Ok((_, facts))) => facts.platform().into_iter().collect(),
        _ => declared.to_vec(),
    }
}

impl Builders {
    /// What images are built for that name no platform: that of the first builder whose platforms are known; what this
    /// machine is, if there is none.
    pub(super) fn platform(&self) -> (Platform, PlatformSource) {
        match self.found.iter().find_map(|builder| builder.platforms.first()) {
            Some(platform) => (platform.clone(), PlatformSource::Builder),
            None => (program::platform(), PlatformSource::Machine),
        }
    }

    /// Whether all that answer build with BuildKit; where none does, whether the user lets them.
    pub(super) fn build_with_buildkit(&self) -> bool {
        let answering = self.found.iter().filter_map(|builder| builder.engine.as_ref().ok());
        !self.classic && answering.map(|(_, facts)| facts).all(|facts| facts.buildkit)
    }

    /// How many builds may usefully be under way at once.
    pub(super) fn jobs(&self) -> usize {
        program::cores() * self.found.iter().filter(|builder| builder.engine.is_ok()).count().max(1)
    }

    /// All that answer, as one engine. Tells of those that do not.
    ///
    /// # Errors
    /// If a builder's address is none, or not one of them answers.
    pub(super) fn engine(self, facts: &Facts, world: &World) -> Result<Fleet<Docker>, Diagnostics> {
        let mut members = Vec::new();
        let mut silent = Vec::new();
        for Found { name, place, platforms, engine } in self.found {
            match engine {
                Ok((docker, _)) => members.push(Member::new(name, docker, &platforms)),
                Err(error) => silent.push((name, place, error)),
            }
        }
        let wrong = silent.iter().filter(|(_, place, error)| place.is_some() && !is_silence(error));
        Diagnostics::check(wrong.map(|(_, place, error)| misplaced(place.as_ref(), error)).collect())?;
        if !members.is_empty() {
            let warnings: Vec<Diagnostic> =
                silent.iter().map(|(name, place, error)| absent(name, place, error)).collect();
            world.warn(&warnings);
            return Ok(Fleet::new(members));
        }
        match silent.as_slice() {
            [(_, None, error)] => Err(told(error, facts).into()),
            _ => Err(all_silent(&silent).into()),
        }
    }
}

/// Whether a failure may be another one tomorrow without any change of the file.
fn is_silence(error: &ServiceError) -> bool {
    matches!(error.failure, Failure::EngineUnreachable { .. })
}

fn misplaced(place: Option<&Place>, error: &ServiceError) -> Diagnostic {
    explain(error, Circumstances::default()).at_maybe(place.cloned())
}

fn absent(name: &str, place: &Option<Place>, error: &ServiceError) -> Diagnostic {
    Diagnostic::new(Blame::Service, format!("builder `{name}` does not answer; the others do its work"))
        .at_maybe(place.clone())
        .caused_by(error.cause.clone())
}

fn all_silent(silent: &[(String, Option<Place>, ServiceError)]) -> Diagnostic {
    let place = silent.first().and_then(|(_, place, _)| place.clone());
    let mut told = Diagnostic::new(Blame::Service, "no builder answers").at_maybe(place);
    told.causes.extend(silent.iter().map(|(name, _, error)| format!("`{name}`: {}", error.cause)));
    told.hint("start one of them, or take them out of `builders` to build with the Docker daemon of this machine")
}
