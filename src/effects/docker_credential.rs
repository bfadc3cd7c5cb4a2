//! The credentials that the docker client was logged in with.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::docker_config;
use crate::execute::ports::Credential;
use crate::facts::Variables;
use crate::names::RegistryHost;
use crate::secrecy;

/// How long a helper may take. Some ask a person, who is not there in CI.
const HELPER_LIMIT: Duration = Duration::from_secs(10);

/// The address under which Docker Hub is logged in to.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The user name that stands for "the password is an identity token". Source: docker-credential-helpers.
const IDENTITY_TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

/// As [`find`], and what is found is known to be secret from then on.
///
/// # Errors
/// As [`find`].
pub async fn look_up(host: &RegistryHost, variables: &Variables) -> Result<Option<Credential>, String> {
    let found = find(host, variables).await?;
    if let Some(credential) = &found {
        secrecy::keep(credential.reveal());
        secrecy::keep(&credential.basic());
    }
    Ok(found)
}

/// The credential for a registry, from the helper that the configuration names for it or for all, else from the file.
///
/// Source: Docker documentation, "docker login", "Credential stores" and "Credential helpers".
///
/// # Errors
/// In words for the user: the configuration is no JSON, or the helper failed.
async fn find(host: &RegistryHost, variables: &Variables) -> Result<Option<Credential>, String> {
    let Some(folder) = docker_config::folder(variables) else { return Ok(None) };
    let config = docker_config::read(&folder.join("config.json"))?;
    let section = |name: &str| config.get(name).and_then(Value::as_object);
    let for_host = |(address, value): (&String, &Value)| names(address, host).then(|| value.clone());
    let helper = section("credHelpers").and_then(|helpers| helpers.iter().find_map(for_host));
    let helper = helper.or_else(|| config.get("credsStore").cloned());
    let helper = helper.as_ref().and_then(Value::as_str).filter(|name| !name.is_empty());
    let helped = match helper {
        Some(name) => ask(&format!("docker-credential-{name}"), host).await?,
        None => None,
    };
    if helped.is_some() {
        return Ok(helped);
    }
    Ok(section("auths").and_then(|auths| auths.iter().find_map(for_host)).and_then(|entry| stored(&entry)))
}

/// Whether an address in the configuration means this registry: with or without a scheme, and a version's path.
fn names(address: &str, host: &RegistryHost) -> bool {
    let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (name, path) = bare.split_once('/').unwrap_or((bare, ""));
    let hub = matches!(name, "docker.io" | "index.docker.io" | "registry-1.docker.io");
    matches!(path.trim_end_matches('/'), "" | "v1" | "v2") && (name == host.as_str() || (hub && is_hub(host)))
}

fn is_hub(host: &RegistryHost) -> bool {
    host.as_str() == "docker.io"
}

fn stored(entry: &Value) -> Option<Credential> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(Credential::new(IDENTITY_TOKEN, token, None));
    }
    if let (Some(username), Some(password)) = (text("username"), text("password")) {
        return Some(Credential::new(username, password, None));
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(text("auth")?).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (username, password) = pair.split_once(':')?;
    Some(Credential::new(username, password.trim_end_matches('\0'), None))
}

/// Source: docker-credential-helpers, "Development": `get` takes the address on standard input.
async fn ask(program: &str, host: &RegistryHost) -> Result<Option<Credential>, String> {
    let failed = |error: std::io::Error| format!("cannot run {program}: {error}");
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        let address = if is_hub(host) { DOCKER_HUB } else { host.as_str() };
        // A helper that does not read its input says by its exit what is wrong.
        let _ = input.write_all(address.as_bytes()).await;
    }
    let ended = tokio::time::timeout(HELPER_LIMIT, child.wait_with_output()).await;
    let output = ended.map_err(|_| format!("{program} did not answer within {} s", HELPER_LIMIT.as_secs()))?;
    let output = output.map_err(failed)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stdout);
        // What every helper says where it has nothing for the registry.
        if words.contains("credentials not found") {
            return Ok(None);
        }
        return Err(format!("{program} failed: {}", words.trim()));
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&output.stdout).map_err(|_| format!("{program} gave no credential"))?;
    Ok(Some(Credential::new(answer.username, answer.secret, None)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    async fn found(folder: &Path, config: &str, host: &str) -> Result<Option<(String, String)>, String> {
        fs::write(folder.join("config.json"), config).unwrap();
        let variables = Variables::from([("DOCKER_CONFIG".to_owned(), folder.display().to_string())]);
        let found = look_up(&host.parse().unwrap(), &variables).await?;
        Ok(found.map(|credential| (credential.username.clone(), credential.reveal().to_owned())))
    }

    fn pair(username: &str, password: &str) -> Option<(String, String)> {
        Some((username.into(), password.into()))
    }

    #[tokio::test]
    async fn from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let config = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnA6dw=="},
            "127.0.0.1:5000": {"auth": "YTpi"},
            "https://ghcr.io": {"identitytoken": "t"},
            "other.io/team": {"auth": "YTpi"}
        }}"#;
        assert_eq!(found(folder.path(), config, "docker.io").await, Ok(pair("hub", "p:w")));
        assert_eq!(found(folder.path(), config, "127.0.0.1:5000").await, Ok(pair("a", "b")));
        assert_eq!(found(folder.path(), config, "ghcr.io").await, Ok(pair("<token>", "t")));
        assert_eq!(found(folder.path(), config, "other.io").await, Ok(None));
        assert!(found(folder.path(), "{", "docker.io").await.is_err());
    }

    #[tokio::test]
    async fn what_is_found_is_known_to_be_secret() {
        let folder = tempfile::tempdir().unwrap();
        let config = r#"{"auths": {"ghcr.io": {"username": "me", "password": "canary-of-docker"}}}"#;
        found(folder.path(), config, "ghcr.io").await.unwrap().unwrap();
        assert_eq!(secrecy::without_known("<canary-of-docker>"), "<***>");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn from_a_helper() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let helper = folder.path().join("docker-credential-test");
        let script = "#!/bin/sh\nread host\ncase $host in\n  good:1) echo '{\"Username\":\"u\",\"Secret\":\"s\"}';;\n  \
                      none:1) echo 'credentials not found in native keychain'; exit 1;;\n  *) echo broken; exit 1;;\nesac\n";
        fs::write(&helper, script).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        let program = helper.to_str().unwrap();
        let asked = async |host: &str| ask(program, &host.parse().unwrap()).await;
        assert_eq!(asked("good:1").await.unwrap().unwrap().reveal(), "s");
        assert_eq!(asked("none:1").await, Ok(None));
        assert!(asked("bad:1").await.unwrap_err().ends_with("failed: broken"));
        let missing = found(folder.path(), r#"{"credHelpers": {"x:1": "not-there"}}"#, "x:1").await;
        assert!(missing.unwrap_err().starts_with("cannot run docker-credential-not-there"));
    }
}
