//! One build, from the context to the image's id.

use std::path::PathBuf;

use bollard::errors::Error;
use bollard::models::{BuildInfo, BuildInfoAux};
use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedReceiver;

use super::lacks::{self, Outcome, Road};
use super::{Docker, DockerAddress, EngineFacts, classic, failure, options};
use crate::effects::buildkit::{self, BuildKit, Discretion};
use crate::effects::context::{self, Context, ContextError, Reader, Times};
use crate::execute::events::BuildEvent;
use crate::execute::ports::{BuildInputs, BuiltImage, Failure, ServiceError};
use crate::plan::{BuildPlan, Dockerfile};

/// The build argument of reproducible builds.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

type Told = UnboundedReceiver<Result<BuildEvent, ContextError>>;

/// What the builder said so far, in the form that this builder has for it.
#[derive(Debug)]
enum Progress {
    BuildKit(buildkit::Progress),
    Classic(classic::Progress),
}

impl Progress {
    fn update(&mut self, info: &BuildInfo, tell: &dyn Fn(BuildEvent)) {
        match (self, &info.aux, &info.stream) {
            (Progress::BuildKit(progress), Some(BuildInfoAux::BuildKit(status)), _) => progress.update(status, tell),
            (Progress::Classic(progress), _, Some(text)) => progress.update(text, tell),
            _ => {}
        }
    }

    fn failure(&mut self, tell: &dyn Fn(BuildEvent)) -> Failure {
        match self {
            Progress::BuildKit(progress) => progress.failure(tell),
            Progress::Classic(progress) => progress.failure(tell),
        }
    }
}

impl Docker {
    /// The road of builds to this daemon.
    pub fn road(&self, facts: &EngineFacts) -> Road {
        facts.road(self.classic_builder, matches!(self.address, DockerAddress::Pipe(_)))
    }

    /// Builds an image without a tag; see [`Engine::build`](crate::execute::ports::Engine::build).
    pub(super) async fn build_image(
        &self,
        build: &BuildPlan,
        inputs: &BuildInputs,
        tell: &dyn Fn(BuildEvent),
    ) -> Result<BuiltImage, ServiceError> {
        let doing = format!("build `{}`", build.context);
        // A context that is not there is told of before the daemon is asked.
        if let Some(folder) = build.context.folder() {
            Context::open(folder, &build.dockerfile).map_err(|error| error.while_doing(&doing))?;
        }
        // Whoever wants the classic builder has it from any engine, so that nothing need be asked.
        let facts = match self.classic_builder {
            true => self.facts.get().cloned().unwrap_or_default(),
            false => self.look().await?,
        };
        let road = self.road(&facts);
        for (field, lack) in lacks::asked_in_vain(road, &facts, build) {
            let engine = facts.builder_name(road);
            if lack.outcome == Outcome::Error {
                return Err(ServiceError {
                    failure: Failure::EngineLacks { engine, field, remedy: lack.remedy },
                    doing,
                    cause: String::new(),
                });
            }
            tell(BuildEvent::Warning(format!("{engine} does not know `{field}`; it is left out")));
        }
        if road == Road::Session {
            let engine = BuildKit { address: &self.address, facts: &facts, variables: &self.variables };
            let discretion = Discretion::about(build);
            let told = engine.build(build, inputs, &|event| tell(discretion.event(event))).await;
            return told.map_err(|error| discretion.error(error));
        }
        let reader = if road == Road::Archive { Reader::BuildKit } else { Reader::Classic };
        let folder = build.context.folder().ok_or_else(|| unsupported(&doing, "a context that is no folder"))?;
        let opened = Context::open(folder, &build.dockerfile).map_err(|error| error.while_doing(&doing))?;
        let times = build.source_date_epoch.map_or(Times::Own, Times::Set);
        let context = opened.leaving_out(build.left_out.iter().map(PathBuf::as_path)).with_times(times);
        let mut progress = match reader {
            Reader::BuildKit => Progress::BuildKit(buildkit::Progress::default()),
            Reader::Classic if road == Road::Podman => Progress::Classic(classic::Progress::of_podman()),
            Reader::Classic => Progress::Classic(classic::Progress::default()),
        };
        let mut parameters = options::options(build, context.dockerfile(), reader);
        // An argument that the Dockerfile does not know of is warned of.
        let text = Context::dockerfile_text(folder, &build.dockerfile).map_err(|error| error.while_doing(&doing))?;
        if let Some(seconds) = build.source_date_epoch.filter(|_| text.contains(SOURCE_DATE_EPOCH)) {
            let arguments = parameters.buildargs.get_or_insert_default();
            arguments.entry(SOURCE_DATE_EPOCH.to_owned()).or_insert_with(|| seconds.to_string());
        }
        let client = options::with_parameters(&self.client, options::further_parameters(build, road));
        let upload = context::upload(context, reader);
        let mut told = upload.events;
        let body = bollard::body_try_stream(context::stream(upload.pieces));
        let mut messages = client.build_image(parameters, inputs.login.as_ref().map(options::credentials), Some(body));
        let mut image = None;
        let error = loop {
            tokio::select! {
                // What the upload says comes first, since its errors explain the daemon's.
                biased;
                Some(event) = told.recv() => tell(event.map_err(|error| error.while_doing(&doing))?),
                message = messages.next() => match message {
                    Some(Ok(info)) => {
                        progress.update(&info, tell);
                        image = image_id(&info).or(image);
                    }
                    Some(Err(error)) if image.is_some() && failure::is_trailing_newline(&error) => break None,
                    Some(Err(error)) => break Some(error),
                    None => break None,
                },
            }
        };
        match (error, image) {
            (None, Some(id)) => Ok(BuiltImage { id, ..BuiltImage::default() }),
            (None, None) => Err(ServiceError {
                failure: Failure::Unexpected,
                doing,
                cause: "the daemon ended the build without naming an image".into(),
            }),
            (Some(error), _) => {
                let mut failed = self.build_failure(&error, &mut progress, &mut told, doing, tell);
                if let Failure::BuildFailed { step: Some(step), .. } = &failed.failure
                    && let Some(place) = buildkit::place_of_step(step, &name_of(&build.dockerfile), text.as_bytes())
                {
                    failed.cause = format!("{place}\n{}", failed.cause);
                }
                Err(failed)
            }
        }
    }

    fn build_failure(
        &self,
        error: &Error,
        progress: &mut Progress,
        told: &mut Told,
        doing: String,
        tell: &dyn Fn(BuildEvent),
    ) -> ServiceError {
        while let Ok(event) = told.try_recv() {
            match event {
                Ok(event) => tell(event),
                Err(error) => return error.while_doing(&doing),
            }
        }
        let Some(words) = failure::daemon_words(error) else {
            return failure::unreachable(&self.address, &doing, error);
        };
        ServiceError { failure: progress.failure(tell), doing, cause: words.to_owned() }
    }
}

/// The Dockerfile as it is spoken of.
fn name_of(dockerfile: &Dockerfile) -> String {
    match dockerfile {
        Dockerfile::File(path) => path.display().to_string(),
        Dockerfile::Inline(_) => "Dockerfile".to_owned(),
    }
}

fn unsupported(doing: &str, what: &str) -> ServiceError {
    let cause = format!("{what} cannot be handed to this builder yet");
    ServiceError { failure: Failure::Refused, doing: doing.to_owned(), cause }
}

/// The image's id, if this message names it. The classic builder may name several, the last being the image.
fn image_id(info: &BuildInfo) -> Option<String> {
    let Some(BuildInfoAux::Default(image)) = &info.aux else { return None };
    let id = image.id.clone()?;
    // Podman leaves the algorithm out.
    Some(if id.contains(':') { id } else { format!("sha256:{id}") })
}
