//! Building with BuildKit through the Docker daemon: its own gRPC services behind `POST /grpc`, and a session behind
//! `POST /session` on which the daemon fetches what it needs when it needs it.

mod answers;
mod cache;
mod connection;
mod discretion;
mod filesync;
mod inputs;
mod place;
mod progress;
mod request;
mod send;
mod served;
mod session;
mod solve;
mod ssh;
mod upload;
mod wire;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedSender};

pub use discretion::Discretion;
pub use place::of_step as place_of_step;
pub use progress::Progress;

use crate::effects::context::ContextError;
use crate::effects::docker::lacks::{self, Road};
use crate::effects::docker::{DockerAddress, EngineFacts};
use crate::execute::events::BuildEvent;
use crate::execute::ports::{BuildInputs, BuiltImage, Failure, ServiceError};
use crate::facts::Variables;
use crate::plan::BuildPlan;
use filesync::FileSync;
use solve::{Stopped, Watch};
use ssh::Agents;

/// What the session says of its work.
#[derive(Debug)]
enum Told {
    /// The daemon asked for a file of so many bytes.
    Wanted(u64),
    /// Bytes of a file went to the daemon.
    Sent(u64),
    /// Something that cannot be in an image, relative to its context.
    Skipped(PathBuf),
    /// The build cannot go on.
    Unreadable(ContextError),
}

type Tell = UnboundedSender<Told>;

/// A daemon with BuildKit.
#[derive(Clone, Copy)]
pub struct BuildKit<'a> {
    /// Where it answers.
    pub address: &'a DockerAddress,
    /// What it is.
    pub facts: &'a EngineFacts,
    /// The environment, for secrets, agents and the docker configuration.
    pub variables: &'a Arc<Variables>,
}

impl BuildKit<'_> {
    /// Builds an image without a tag; see [`Engine::build`](crate::execute::ports::Engine::build).
    ///
    /// # Errors
    /// As there.
    pub async fn build(
        &self,
        build: &BuildPlan,
        given: &BuildInputs,
        tell: &dyn Fn(BuildEvent),
    ) -> Result<BuiltImage, ServiceError> {
        let doing = format!("build `{}`", build.context);
        let failed = |failure, cause: String| ServiceError { failure, doing: doing.clone(), cause };
        let inputs = inputs::open(build, given, self).await.map_err(|problem| problem.while_doing(&doing, self))?;
        let agents = Agents::open(&build.options, self.variables).await;
        let agents =
            agents.map_err(|problem| failed(Failure::BuildInputMissing { what: "`ssh`".to_owned() }, problem))?;

        let (sender, told) = mpsc::unbounded_channel();
        let services = session::Services {
            files: FileSync::new(inputs.folders, sender.clone()),
            auth: answers::Auth { login: given.login.clone(), variables: Arc::clone(self.variables) },
            secrets: answers::Secrets(Arc::new(inputs.secrets)),
            ssh: agents.service(),
            upload: upload::Upload::new(inputs.archive, sender),
        };
        let warn = |text| tell(BuildEvent::Warning(text));
        let holds_cache = cache::is_inline(build, self.facts);
        let request = request::solve(build, self.facts, self.variables, inputs.attributes, &warn);
        let unreachable = |error: &io::Error| self.unreachable(&doing, error);
        let session = session::open(self.address, &request.session, &inputs.shared_key, services).await;
        // Answers as long as it is held.
        let mut session = session.map_err(|error| unreachable(&error))?;
        let channel = connection::channel(self.address).await.map_err(|error| unreachable(&error))?;
        let mut watch = Watch::new(told, tell);
        match watch.solve(channel, request).await {
            Ok(answer) => {
                watch.progress.warn_of_failed(tell);
                let keys: [&str; 2] = match self.facts.containerd_store {
                    true => ["containerimage.digest", "containerimage.config.digest"],
                    false => ["containerimage.config.digest", "containerimage.digest"],
                };
                let id = keys.iter().find_map(|key| answer.get(*key)).cloned();
                id.map(|id| BuiltImage { id, holds_cache, ..BuiltImage::default() }).ok_or_else(|| {
                    failed(Failure::Unexpected, "the daemon ended the build without naming an image".into())
                })
            }
            Err(Stopped::Context(error)) => Err(error.while_doing(&doing)),
            Err(Stopped::Builder(error)) if solve::is_connection(&error) => {
                Err(unreachable(&io::Error::other(error.message().to_owned())))
            }
            Err(Stopped::Builder(error)) => {
                let failure = watch.progress.failure(tell);
                // The daemon only knows that nobody answers any more.
                let broken = session.try_join_next().and_then(|ended| ended.ok()?.err());
                let broken = broken.map(|broken| format!("\nthe session broke off: {broken}")).unwrap_or_default();
                let words = format!("{}{broken}", error.message().trim_end());
                let step = match &failure {
                    Failure::BuildFailed { step: Some(step), .. } => Some(step),
                    _ => None,
                };
                let by_name = || {
                    let (name, text) = inputs.dockerfile.as_ref()?;
                    place::of_step(step?, name, text)
                };
                let cause = place::of(&error)
                    .or_else(by_name)
                    .map_or_else(|| words.clone(), |place| format!("{place}\n{words}"));
                Err(failed(failure, cause))
            }
        }
    }

    fn lacks(&self, field: &str) -> Failure {
        let remedy = lacks::remedy(Road::Session, self.facts, field);
        Failure::EngineLacks { engine: self.facts.name(), field: field.to_owned(), remedy }
    }

    fn unreachable(&self, doing: &str, error: &io::Error) -> ServiceError {
        let forbidden = error.kind() == io::ErrorKind::PermissionDenied;
        let failure = Failure::EngineUnreachable { address: self.address.to_string(), forbidden };
        ServiceError { failure, doing: doing.to_owned(), cause: error.to_string() }
    }
}
