//! One solve, followed from its first step to its last.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{SolveRequest, StatusRequest, StatusResponse};
use tokio::sync::mpsc::UnboundedReceiver;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::Told;
use super::progress::Progress;
use crate::effects::context::ContextError;
use crate::execute::events::BuildEvent;

/// The largest message that is taken from the daemon, in bytes: one can hold all that a step printed.
const LARGEST: usize = 64 * 1024 * 1024;

/// How long the last messages of a build that has ended may take.
const GRACE: Duration = Duration::from_secs(5);

/// The same where there was no message yet: then the build ended before it had any step, and none will come.
const SHORT_GRACE: Duration = Duration::from_millis(300);

/// How often the sent bytes are reported.
const REPORT_EVERY: u64 = 1024 * 1024;

/// Why there is no image.
pub(super) enum Stopped {
    Context(ContextError),
    Builder(Box<Status>),
}

/// What a build came to so far.
pub(super) struct Watch<'a> {
    pub(super) told: UnboundedReceiver<Told>,
    pub(super) progress: Progress,
    pub(super) tell: &'a dyn Fn(BuildEvent),
    sent: u64,
    wanted: u64,
    reported: u64,
    skipped: std::collections::HashSet<PathBuf>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(told: UnboundedReceiver<Told>, tell: &'a dyn Fn(BuildEvent)) -> Self {
        let progress = Progress::default();
        Watch { told, progress, tell, sent: 0, wanted: 0, reported: 0, skipped: std::collections::HashSet::new() }
    }

    fn hear(&mut self, told: Told) -> Result<(), Stopped> {
        match told {
            Told::Wanted(bytes) => self.wanted += bytes,
            Told::Sent(bytes) => {
                self.sent += bytes;
                if self.sent >= self.reported + REPORT_EVERY {
                    self.report();
                }
            }
            Told::Skipped(path) => {
                let text = format!("`{}` is neither file, folder nor link; left out", path.display());
                if self.skipped.insert(path) {
                    (self.tell)(BuildEvent::Warning(text));
                }
            }
            Told::Unreadable(error) => return Err(Stopped::Context(error)),
        }
        Ok(())
    }

    /// What was said of the context until now, and how much of it was sent.
    fn hear_rest(&mut self) -> Result<(), Stopped> {
        while let Ok(told) = self.told.try_recv() {
            self.hear(told)?;
        }
        if self.sent > self.reported {
            self.report();
        }
        Ok(())
    }

    fn report(&mut self) {
        self.reported = self.sent;
        (self.tell)(BuildEvent::ContextSent { sent: self.sent, total: Some(self.wanted.max(self.sent)) });
    }

    /// Runs the build, and returns what the exporter answered. Dropping the future stops it.
    pub(super) async fn solve(
        &mut self,
        channel: Channel,
        request: SolveRequest,
    ) -> Result<HashMap<String, String>, Stopped> {
        let client = ControlClient::new(channel).max_decoding_message_size(LARGEST);
        let (mut solver, mut watcher) = (client.clone(), client);
        let reference = StatusRequest { r#ref: request.r#ref.clone() };
        let mut solving = std::pin::pin!(solver.solve(request));
        let mut opening = std::pin::pin!(watcher.status(reference));
        let mut statuses: Option<Streaming<StatusResponse>> = None;
        let mut watching = true;
        let result = loop {
            tokio::select! {
                // What the context says comes first, since its errors explain the daemon's.
                biased;
                Some(told) = self.told.recv() => self.hear(told)?,
                opened = &mut opening, if watching && statuses.is_none() => match opened {
                    Ok(opened) => statuses = Some(opened.into_inner()),
                    Err(_) => watching = false,
                },
                message = next(&mut statuses), if watching && statuses.is_some() => match message {
                    Some(status) => self.progress.update(&status, self.tell),
                    None => watching = false,
                },
                result = &mut solving => break result,
            }
        };
        self.hear_rest()?;
        let grace = if result.is_err() && self.progress.is_empty() { SHORT_GRACE } else { GRACE };
        let rest = async {
            if watching && statuses.is_none() {
                statuses = opening.await.ok().map(tonic::Response::into_inner);
            }
            while let Some(status) = next(&mut statuses).await {
                self.progress.update(&status, self.tell);
            }
        };
        // What is lost when the time is over are a few lines of progress.
        let _ = tokio::time::timeout(if watching { grace } else { Duration::ZERO }, rest).await;
        self.hear_rest()?;
        match result {
            Ok(response) => Ok(response.into_inner().exporter_response),
            Err(error) => Err(Stopped::Builder(Box::new(error))),
        }
    }
}

async fn next(statuses: &mut Option<Streaming<StatusResponse>>) -> Option<StatusResponse> {
    statuses.as_mut()?.message().await.ok().flatten()
}

/// Whether an error is about the connection, and not the daemon's own.
pub(super) fn is_connection(error: &Status) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<tonic::transport::Error>() || inner.is::<hyper::Error>() || inner.is::<io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}
