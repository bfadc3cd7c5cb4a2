//! Addresses may hold secrets, in their user part or in their query; what the builder says of them leaves those out.

use crate::execute::events::BuildEvent;
use crate::execute::ports::{Failure, ServiceError};
use crate::plan::{BuildPlan, ContextSource, NamedContext};
use crate::secrecy::without_secrets;

/// What is said instead of what.
pub struct Discretion(Vec<(String, String)>);

impl Discretion {
    /// About the addresses of a build.
    pub fn about(build: &BuildPlan) -> Self {
        let named = build.contexts.values().filter_map(|context| match context {
            NamedContext::Remote(url) => Some(url),
            NamedContext::Planned(_) | NamedContext::Image(_) | NamedContext::Folder(_) => None,
        });
        let own = match &build.context {
            ContextSource::Remote(url) => Some(url),
            ContextSource::Folder(_) | ContextSource::Archive(_) | ContextSource::Stdin => None,
        };
        let urls = own.into_iter().chain(named);
        Discretion(urls.flat_map(|url| instead_of(url)).collect())
    }

    fn text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (secret, instead)| text.replace(secret, instead))
    }

    /// The event without secrets.
    pub fn event(&self, event: BuildEvent) -> BuildEvent {
        match event {
            BuildEvent::StepStarted { step, name } => BuildEvent::StepStarted { step, name: self.text(name) },
            BuildEvent::StepOutput { step, line } => BuildEvent::StepOutput { step, line: self.text(line) },
            BuildEvent::Warning(text) => BuildEvent::Warning(self.text(text)),
            BuildEvent::ContextSent { .. } | BuildEvent::StepDone { .. } => event,
        }
    }

    /// The error without secrets.
    pub fn error(&self, error: ServiceError) -> ServiceError {
        let failure = match error.failure {
            Failure::BuildFailed { step, output } => Failure::BuildFailed {
                step: step.map(|step| self.text(step)),
                output: output.into_iter().map(|line| self.text(line)).collect(),
            },
            other => other,
        };
        ServiceError { failure, doing: self.text(error.doing), cause: self.text(error.cause) }
    }
}

/// The address as a whole first, then each part that may be told by itself.
fn instead_of(url: &str) -> Vec<(String, String)> {
    let shown = without_secrets(url);
    if shown == url {
        return Vec::new();
    }
    let (path, rest) = url.split_once('?').unwrap_or((url, ""));
    let query = rest.split('#').next().unwrap_or_default();
    let user =
        path.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@')).map(|(user, _)| user);
    let password = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
    let parts = [user, password, Some(query)].into_iter().flatten().filter(|part| !part.is_empty());
    let hidden = parts.map(|part| (part.to_owned(), "…".to_owned()));
    std::iter::once((url.to_owned(), shown)).chain(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_an_address_is_not_said() {
        let discretion = Discretion(instead_of("https://me:hunter2@host/a.tar?token=hunter3#x"));
        let said = |text: &str| discretion.text(text.to_owned());
        assert_eq!(
            said("Get \"https://me:hunter2@host/a.tar?token=hunter3#x\": no"),
            "Get \"https://host/a.tar?…#x\": no"
        );
        assert_eq!(said("Get https://me:***@host/a.tar?token=hunter3"), "Get https://me:***@host/a.tar?…");
        assert_eq!(said("password hunter2 refused"), "password … refused");
        assert!(instead_of("https://host/a.git#main").is_empty());
        assert!(instead_of("git@host:a.git").is_empty());
    }
}
