//! What the docker client's configuration has that will get in somebody's way: logins that are over, and helpers that are
//! not there. A run itself needs none of it for its own registry, but base images are fetched with what it says.

use serde_json::{Map, Value};

use super::Surroundings;
use crate::diagnostic::{Blame, Diagnostic};
use crate::effects::{docker_config, program};
use crate::names::RegistryHost;
use crate::report::doctor::Finding;

const ABOUT: &str = "docker login";

pub(super) fn look(hosts: &[RegistryHost], around: &Surroundings<'_>, findings: &mut Vec<Finding>) {
    let variables = &around.world.variables;
    let Some(folder) = docker_config::folder(variables) else { return };
    let path = folder.join("config.json");
    let config = match docker_config::read(&path) {
        Ok(config) => config,
        Err(cause) => {
            let problem = Diagnostic::input("the docker client's configuration cannot be read").caused_by(cause);
            return findings.push(Finding::wrong(ABOUT, problem.hint("repair it, or move it away and log in again")));
        }
    };
    let found = judge(&config, hosts, &|helper| program::find(&docker_config::program(helper), variables).is_some());
    let is_empty = found.is_empty();
    findings.extend(found.into_iter().map(|(is_wrong, problem)| match is_wrong {
        true => Finding::wrong(ABOUT, problem),
        false => Finding::odd(ABOUT, problem),
    }));
    if is_empty {
        let text = format!("nothing in {} gets in the way", path.display());
        findings.push(Finding::fine(ABOUT, text));
    }
}

/// What is odd about a configuration, and whether a build fails of it.
fn judge(
    config: &Map<String, Value>,
    hosts: &[RegistryHost],
    is_there: &dyn Fn(&str) -> bool,
) -> Vec<(bool, Diagnostic)> {
    let mut found = Vec::new();
    if let Some(store) =
        config.get("credsStore").and_then(Value::as_str).filter(|name| !name.is_empty() && !is_there(name))
    {
        let program = docker_config::program(store);
        let message = format!("`credsStore` names {program}, which is not on PATH: docker can fetch no image with it");
        let hint = "install it, or take `credsStore` out of docker's configuration";
        found.push((true, Diagnostic::new(Blame::Access, message).hint(hint)));
    }
    let helpers = config.get("credHelpers").and_then(Value::as_object);
    for (address, helper) in helpers.into_iter().flatten() {
        let Some(helper) = helper.as_str().filter(|name| !is_there(name)) else { continue };
        let program = docker_config::program(helper);
        let message = format!("`credHelpers` names {program} for {address}, and it is not on PATH");
        let hint = match helper {
            docker_config::OUR_HELPER => format!("ln -s \"$(command -v longshore)\" /usr/local/bin/{program}"),
            _ => format!("install it, or take `{address}` out of `credHelpers`"),
        };
        let is_ours = hosts.iter().any(|host| host.as_str() == address);
        found.push((is_ours, Diagnostic::new(Blame::Access, message).hint(hint)));
    }
    let stored = config.get("auths").and_then(Value::as_object).into_iter().flatten();
    for (address, entry) in stored {
        let has_password = ["auth", "password", "identitytoken"]
            .iter()
            .any(|name| entry.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty()));
        let bare = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
        let host = bare.split('/').next().unwrap_or_default();
        if !has_password {
            continue;
        }
        if matches!(host, "public.ecr.aws" | "ecr-public.aws.com") {
            let message =
                format!("a login to {host} is stored; once it is over, docker is refused what is public (403)");
            let hint = format!("docker logout {host}");
            found.push((false, Diagnostic::new(Blame::Access, message).hint(hint)));
        } else if host.parse::<RegistryHost>().is_ok_and(|host| host.as_ecr().is_some()) {
            let message = format!("a login to {host} is stored, which ends 12 hours after it was made");
            let problem = Diagnostic::new(Blame::Access, message)
                .hint("`longshore login --credential-helper` stores none, and `longshore logout --all` forgets them");
            found.push((false, problem));
        }
    }
    found
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a test whose input is wrong has failed")]
mod tests {
    use super::*;

    fn told(config: Value) -> Vec<(bool, String)> {
        let Value::Object(config) = config else { panic!("a configuration is a map") };
        let hosts = ["123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap()];
        let found = judge(&config, &hosts, &|helper| helper == "pass");
        found.into_iter().map(|(is_wrong, problem)| (is_wrong, problem.message)).collect()
    }

    #[test]
    fn helpers_that_are_not_there() {
        assert_eq!(told(serde_json::json!({ "credsStore": "pass", "credHelpers": { "gcr.io": "pass" } })), []);
        let found = told(serde_json::json!({
            "credsStore": "desktop",
            "credHelpers": { "123456789012.dkr.ecr.us-east-1.amazonaws.com": "ecr-login", "gcr.io": "gcloud" },
        }));
        let text = |at: usize| (found[at].0, found[at].1.split(',').next().unwrap());
        assert_eq!(text(0), (true, "`credsStore` names docker-credential-desktop"));
        assert!(text(1).0);
        assert_eq!(text(2), (false, "`credHelpers` names docker-credential-gcloud for gcr.io"));
    }

    #[test]
    fn logins_that_will_be_over() {
        let login = serde_json::json!({ "auth": "x" });
        let found = told(serde_json::json!({ "auths": {
            "public.ecr.aws": login,
            "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com": login,
            "999999999999.dkr.ecr.eu-west-1.amazonaws.com": {},
            "ghcr.io": login,
        } }));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].1.starts_with("a login to public.ecr.aws is stored"));
        assert!(found[1].1.starts_with("a login to 123456789012.dkr.ecr.eu-west-1.amazonaws.com is stored"));
    }
}
