//! The docker client's own configuration file, for `longshore login` and `longshore logout` alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::limited;
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
    /// Nowhere: docker asks us each time.
    Ours,
}

/// What docker calls our own credential helper; the program's name begins with `docker-credential-`.
pub const OUR_HELPER: &str = "longshore";

/// The most bytes of the file.
const LARGEST: u64 = 16 << 20;

/// Stores a credential as `docker login` would: with the helper that the configuration names for this host or for
/// all, else in the file itself.
///
/// Source: Docker documentation, "docker login", "Credential stores".
///
/// # Errors
/// In words for the user: the configuration is no JSON, cannot be written, or the helper failed.
pub fn store(host: &RegistryHost, credential: &Credential, variables: &Variables) -> Result<Stored, String> {
    let (folder, path, mut config) = open(variables)?;
    match helper(&config, host.as_str()) {
        Some(OUR_HELPER) => return Ok(Stored::Ours),
        Some(name) => {
            let program = program(name);
            let entry = json!({ "ServerURL": host, "Username": credential.username, "Secret": credential.reveal() });
            tell_helper(&program, "store", &entry.to_string())?;
            return Ok(Stored::Helper(program));
        }
        None => {}
    }
    let pair = format!("{}:{}", credential.username, credential.reveal());
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    let auths = config.entry("auths").or_insert_with(|| Value::Object(Map::new()));
    let auths = auths.as_object_mut().ok_or_else(|| format!("`auths` in `{}` is not a map", path.display()))?;
    auths.insert(host.to_string(), json!({ "auth": auth }));
    write(&folder, &path, &config).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(Stored::File(path))
}

/// Names our own credential helper for these hosts, and takes away what is stored for them. Returns the file.
///
/// # Errors
/// As [`store`].
pub fn name_our_helper(hosts: &[RegistryHost], variables: &Variables) -> Result<PathBuf, String> {
    let (folder, path, mut config) = open(variables)?;
    for host in hosts {
        forget_in(&mut config, host.as_str());
        let helpers = config.entry("credHelpers").or_insert_with(|| Value::Object(Map::new()));
        let helpers = helpers.as_object_mut();
        let helpers = helpers.ok_or_else(|| format!("`credHelpers` in `{}` is not a map", path.display()))?;
        helpers.insert(host.to_string(), Value::from(OUR_HELPER));
    }
    write(&folder, &path, &config).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(path)
}

/// Takes the logins away that `which` chooses among the addresses of the configuration, from the file and from the
/// helpers that keep them. Returns the addresses; of a helper's, those that `hosts` names.
///
/// # Errors
/// As [`store`].
pub fn forget(
    hosts: &[RegistryHost],
    which: impl Fn(&str) -> bool,
    variables: &Variables,
) -> Result<Vec<String>, String> {
    let (folder, path, mut config) = open(variables)?;
    let named = |section: &str| config.get(section).and_then(Value::as_object).map(|map| map.keys().cloned().collect());
    let mut addresses: Vec<String> = named("auths").unwrap_or_default();
    addresses.extend(named("credHelpers").unwrap_or_default());
    addresses.retain(|address| which(address));
    addresses.extend(hosts.iter().map(ToString::to_string));
    addresses.sort();
    addresses.dedup();
    let mut forgotten = Vec::new();
    for address in addresses {
        let erased = match helper(&config, &address) {
            Some(name) if name != OUR_HELPER => erase(&program(name), &address)?,
            _ => false,
        };
        if forget_in(&mut config, &address) || erased {
            forgotten.push(address);
        }
    }
    if !forgotten.is_empty() {
        write(&folder, &path, &config).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(forgotten)
}

/// Whether something was stored in the file, or our helper named there.
fn forget_in(config: &mut Map<String, Value>, address: &str) -> bool {
    let stored = config.get_mut("auths").and_then(Value::as_object_mut).and_then(|auths| auths.shift_remove(address));
    let helpers = config.get_mut("credHelpers").and_then(Value::as_object_mut);
    let ours = helpers.filter(|helpers| helpers.get(address).and_then(Value::as_str) == Some(OUR_HELPER));
    ours.and_then(|helpers| helpers.shift_remove(address)).is_some() || stored.is_some()
}

/// The folder, the file and what it holds.
fn open(variables: &Variables) -> Result<(PathBuf, PathBuf, Map<String, Value>), String> {
    let folder = folder(variables).ok_or("neither DOCKER_CONFIG nor HOME is set")?;
    let path = folder.join("config.json");
    let config = read(&path)?;
    Ok((folder, path, config))
}

/// The helper that keeps what belongs to an address, by the last part of its name.
pub fn helper<'c>(config: &'c Map<String, Value>, address: &str) -> Option<&'c str> {
    let named = config.get("credHelpers").and_then(|helpers| helpers.get(address));
    named.or_else(|| config.get("credsStore")).and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// The program behind a helper's name.
pub fn program(helper: &str) -> String {
    format!("docker-credential-{helper}")
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
    match limited::read(path, LARGEST) {
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

/// Whether the helper had anything to erase.
fn erase(program: &str, address: &str) -> Result<bool, String> {
    match tell_helper(program, "erase", address) {
        Ok(()) => Ok(true),
        // What every helper says where it has nothing for the registry.
        Err(words) if words.contains("credentials not found") => Ok(false),
        Err(words) => Err(words),
    }
}

/// Source: docker-credential-helpers, "Development": `store` takes one JSON object on standard input, `erase` an address.
fn tell_helper(program: &str, action: &str, input: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot run `{program}`: {error}");
    let mut child = Command::new(program)
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut to) = child.stdin.take() {
        to.write_all(input.as_bytes()).map_err(failed)?;
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

    #[test]
    fn our_helper_takes_the_place_of_what_is_stored_and_is_forgotten_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let variables = Variables::from([("DOCKER_CONFIG".to_owned(), folder.path().display().to_string())]);
        let host: RegistryHost = "123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap();
        let config = json!({
            "auths": { host.as_str(): { "auth": "old" }, "other.io": { "auth": "x" } },
            "credHelpers": { "gcr.io": "gcloud" },
        });
        fs::write(&path, config.to_string()).unwrap();
        name_our_helper(std::slice::from_ref(&host), &variables).unwrap();
        let read = || -> Value { serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() };
        let expected = json!({
            "auths": { "other.io": { "auth": "x" } },
            "credHelpers": { "gcr.io": "gcloud", host.as_str(): "longshore" },
        });
        assert_eq!(read(), expected);
        assert_eq!(store(&host, &Credential::new("AWS", "secret", None), &variables), Ok(Stored::Ours));
        assert_eq!(read(), expected, "nothing may be stored");
        assert_eq!(forget(std::slice::from_ref(&host), |_| false, &variables), Ok(vec![host.to_string()]));
        assert_eq!(read()["credHelpers"], json!({ "gcr.io": "gcloud" }));
        assert_eq!(forget(&[host], |_| false, &variables), Ok(Vec::new()));
        assert_eq!(read()["auths"], json!({ "other.io": { "auth": "x" } }));
    }
}
