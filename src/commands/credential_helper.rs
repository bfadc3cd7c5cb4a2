//! `docker-credential-longshore`: the same program by another name, which docker asks for the password of a registry.
//!
//! It asks ECR each time and stores nothing. Source of the protocol: docker-credential-helpers, "Development": the action
//! is the only argument, what it is about comes on standard input, and answers and errors go to standard output.

use std::process::ExitCode;

use serde_json::json;

use super::{World, defect, in_world, target};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::effects::ecr::{EcrClient, EcrSettings};
use crate::effects::program;
use crate::execute::ports::Ecr;
use crate::explain::{Circumstances, explain};
use crate::names::RegistryHost;
use crate::report::{self, Colors};

/// The name that the program must have been started by.
pub(super) const NAME: &str = "docker-credential-longshore";

/// The answer by which docker knows to go on without a password.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The most that docker may have to say; an address and a password are far shorter.
const MOST_INPUT: u64 = 1024 * 1024;

/// Answers one question of docker's.
pub(super) fn main(action: Option<&str>) -> ExitCode {
    defect::watch(Colors(false));
    let answer = defect::guarded(|| in_world(Colors(false), async |world| answer(action, world).await));
    let (text, code) = match answer {
        Ok(Some(text)) => (text, ExitCode::SUCCESS),
        Ok(None) => (NOT_FOUND.to_owned(), ExitCode::FAILURE),
        // Docker shows one error, and no code of ours.
        Err(problems) => (problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), ExitCode::FAILURE),
    };
    if !text.is_empty() && report::print(&text).is_err() {
        return ExitCode::FAILURE;
    }
    code
}

/// What there is to say; `None` if there is nothing for the registry.
async fn answer(action: Option<&str>, world: &World) -> Result<Option<String>, Diagnostics> {
    match action {
        Some("get") => get(&input()?, world).await,
        Some("store") => Ok(store(&input()?, world).map(|()| Some(String::new()))?),
        // There is nothing to erase, and docker does not want to hear of it after a logout.
        Some("erase") => input().map(|_| Some(String::new())).map_err(Into::into),
        Some("list") => Ok(Some("{}".to_owned())),
        Some("version") => Ok(Some(format!("{NAME} {}", env!("CARGO_PKG_VERSION")))),
        _ => Err(Diagnostic::input(format!("{NAME} is started by docker"))
            .hint("name it in docker's configuration with `longshore login --credential-helper`")
            .into()),
    }
}

fn input() -> Result<String, Diagnostic> {
    let text = program::read_input(MOST_INPUT)
        .map_err(|error| Diagnostic::input("cannot read what docker asks for").caused_by(error.to_string()))?;
    Ok(text.trim().to_owned())
}

async fn get(address: &str, world: &World) -> Result<Option<String>, Diagnostics> {
    let Some((host, settings)) = registry(address, world) else { return Ok(None) };
    let told = |error| explain(&error, Circumstances::default());
    let ecr = EcrClient::connect(&settings, &world.variables, &world.retries).await.map_err(told)?;
    let credential = ecr.credential().await.map_err(told)?;
    let answer = json!({ "ServerURL": host, "Username": credential.username, "Secret": credential.reveal() });
    Ok(Some(answer.to_string()))
}

/// A login to ECR need not be kept. One to another registry would be lost, and that is not kept quiet.
fn store(entry: &str, world: &World) -> Result<(), Diagnostic> {
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap_or_default();
    let address = entry.get("ServerURL").and_then(serde_json::Value::as_str).unwrap_or_default();
    match registry(address, world) {
        Some(_) => Ok(()),
        None => Err(Diagnostic::input(format!("{NAME} keeps no passwords, and `{address}` is no registry of ECR"))
            .hint("name it under `credHelpers` for single registries, not as `credsStore` for all")),
    }
}

/// The registry that an address means, and how to reach its control plane; `None` if it is not ECR's.
fn registry(address: &str, world: &World) -> Option<(RegistryHost, EcrSettings)> {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host: RegistryHost = bare.split('/').next()?.parse().ok()?;
    let named = host.as_ecr();
    let is_ours = world.variable("LONGSHORE_REGISTRY") == Some(host.as_str());
    (named.is_some() || is_ours).then(|| {
        let settings = target::settings_of(named.as_ref());
        (host, settings)
    })
}
