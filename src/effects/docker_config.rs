//! The docker client's own configuration file, for `longshore login` alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde_json::{Map, Value, json};

use crate::execute::ports::Credential;
use crate::facts::Variables;
use crate::names::RegistryHost;

/// Where a credential went.
#[derive(Debug, PartialEq, Eq)]
pub enum Stored {
    /// Into this file, as plain text.
    File(PathBuf),
    /// To this credential helper.
    Helper(String),
}

/// Stores a credential as `docker login` would: with the helper that the configuration names for this host or for
/// all, else in the file itself.
///
/// Source: Docker documentation, "docker login", "Credential stores".
///
/// # Errors
/// In words for the user: the configuration is no JSON, cannot be written, or the helper failed.
pub fn store(host: &RegistryHost, credential: &Credential, variables: &Variables) -> Result<Stored, String> {
    let folder = folder(variables).ok_or("neither DOCKER_CONFIG nor HOME is set")?;
    let path = folder.join("config.json");
    let mut config = read(&path)?;
    let helper = config.get("credHelpers").and_then(|helpers| helpers.get(host.as_str()));
    let helper = helper.or_else(|| config.get("credsStore")).and_then(Value::as_str).filter(|name| !name.is_empty());
    if let Some(name) = helper {
        let program = format!("docker-credential-{name}");
        give_to(&program, host, credential)?;
        return Ok(Stored::Helper(program));
    }
    let pair = format!("{}:{}", credential.username, credential.reveal());
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    let auths = config.entry("auths").or_insert_with(|| Value::Object(Map::new()));
    let auths = auths.as_object_mut().ok_or_else(|| format!("`auths` in `{}` is not a map", path.display()))?;
    auths.insert(host.to_string(), json!({ "auth": auth }));
    write(&folder, &path, &config).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(Stored::File(path))
}

/// The folder of the docker client's configuration.
pub fn folder(variables: &Variables) -> Option<PathBuf> {
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| set("HOME").map(|home| Path::new(home).join(".docker")))
}

/// The configuration; empty if there is none.
///
/// # Errors
/// In words for the user: it is no JSON, or cannot be read.
pub fn read(path: &Path) -> Result<Map<String, Value>, String> {
    match fs::read(path) {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(Map::new()),
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| format!("`{}` is not JSON: {error}", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Map::new()),
        Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
    }
}

/// A temporary file is the owner's alone from the start, as this one must be.
fn write(folder: &Path, path: &Path, config: &Map<String, Value>) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    // A link to a file elsewhere stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(folder))?;
    file.write_all(serde_json::to_string_pretty(config)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Source: docker-credential-helpers, "Development": `store` takes one JSON object on standard input.
fn give_to(program: &str, host: &RegistryHost, credential: &Credential) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot run `{program}`: {error}");
    let entry = json!({ "ServerURL": host, "Username": credential.username, "Secret": credential.reveal() });
    let mut child = Command::new(program)
        .arg("store")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(entry.to_string().as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    // Helpers write their errors to standard output.
    let text = String::from_utf8_lossy(if output.stdout.is_empty() { &output.stderr } else { &output.stdout });
    Err(format!("`{program}` failed: {}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(folder: &Path) -> Result<Stored, String> {
        let variables = Variables::from([("DOCKER_CONFIG".to_owned(), folder.display().to_string())]);
        let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap();
        store(&host, &Credential::new("AWS", "secret", None), &variables)
    }

    #[test]
    fn what_is_in_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, r#"{"auths":{"other":{"auth":"x"}},"HttpHeaders":{"a":"b"}}"#).unwrap();
        assert_eq!(login(folder.path()), Ok(Stored::File(path.clone())));
        let config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(config["auths"]["other"]["auth"], "x");
        assert_eq!(config["HttpHeaders"]["a"], "b");
        assert_eq!(config["auths"]["123456789012.dkr.ecr.us-east-1.amazonaws.com"]["auth"], "QVdTOnNlY3JldA==");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        login(&folder.path().join("new")).unwrap();
        let mode = fs::metadata(folder.path().join("new/config.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "{").unwrap();
        assert!(login(folder.path()).unwrap_err().contains("config.json` is not JSON"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
