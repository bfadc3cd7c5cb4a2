//! A build as the parameters of `POST /build`. Source: Docker Engine API, operation `ImageBuild`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion};

use super::lacks::Road;
use crate::effects::context::Reader;
use crate::execute::ports::Login;
use crate::plan::BuildPlan;

/// What bollard has fields for.
pub fn options(build: &BuildPlan, dockerfile: &str, reader: Reader) -> BuildImageOptions {
    let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect::<HashMap<_, _>>();
    let mut options = BuildImageOptionsBuilder::new()
        .dockerfile(dockerfile)
        .target(build.target.as_deref().unwrap_or_default())
        .buildargs(&pairs(&build.args))
        .labels(&pairs(&build.labels))
        .platform(build.platform.as_ref().map_or("", |platform| platform.as_str()))
        .nocache(build.no_cache)
        .rm(true)
        .forcerm(true)
        .build();
    options.pull = build.pull.then(|| "1".to_owned());
    options.networkmode.clone_from(&build.network);
    if reader == Reader::BuildKit {
        options.version = BuilderVersion::BuilderBuildKit;
        options.session = Some(session_id());
    }
    options
}

/// The login in the form in which bollard hands it to BuildKit's session, or to the classic builder.
///
/// The latter goes through base64's standard alphabet, which daemons cannot read where it has `+` or `/`. What ECR
/// gives out never has them there, its tokens being base64 themselves.
pub fn credentials(login: &Login) -> HashMap<String, DockerCredentials> {
    let credentials = DockerCredentials {
        username: Some(login.credential.username.clone()),
        password: Some(login.credential.reveal().to_owned()),
        serveraddress: Some(login.host.to_string()),
        ..DockerCredentials::default()
    };
    HashMap::from([(login.host.to_string(), credentials)])
}

/// What bollard has no fields for, as further parameters: the daemon reads one `extrahosts` for each host, where
/// bollard can send one in all; and bollard's `shmsize` ends at 2 GiB. Podman reads one list of hosts, and can set the
/// times of all that a build makes.
pub fn further_parameters(build: &BuildPlan, road: Road) -> String {
    let hosts = build.extra_hosts.iter().map(|(host, address)| format!("{host}:{address}"));
    let mut parameters: Vec<(&str, String)> = match road {
        Road::Podman if build.extra_hosts.is_empty() => Vec::new(),
        Road::Podman => vec![("extrahosts", serde_json::Value::from_iter(hosts).to_string())],
        Road::Session | Road::Archive | Road::Classic => hosts.map(|host| ("extrahosts", host)).collect(),
    };
    parameters.extend(build.shm_size.map(|bytes| ("shmsize", bytes.to_string())));
    if let (Road::Podman, Some(seconds)) = (road, build.source_date_epoch) {
        parameters.push(("timestamp", seconds.to_string()));
    }
    if !build.options.ulimits.is_empty() {
        let limits = build.options.ulimits.iter();
        let limits = limits.map(|one| serde_json::json!({ "Name": one.name, "Soft": one.soft, "Hard": one.hard }));
        parameters.push(("ulimits", serde_json::Value::from_iter(limits).to_string()));
    }
    let written = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value)));
    written.collect::<Vec<_>>().join("&")
}

/// The same client, whose requests carry further parameters.
pub fn with_parameters(client: &bollard::Docker, parameters: String) -> bollard::Docker {
    client.clone().with_request_modifier(move |mut request| {
        let uri = request.uri().to_string();
        if let Some(path) = request.uri().path_and_query().filter(|path| path.path() == "/build") {
            let whole = uri.replacen(path.as_str(), &format!("{path}&{parameters}"), 1);
            if let Ok(uri) = whole.parse() {
                *request.uri_mut() = uri;
            }
        }
        request
    })
}

/// Percent-encoding. Source: RFC 3986, section 2.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A name that no other session has: the standard library seeds each hasher at random, and that is enough here.
fn session_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_differ() {
        assert_ne!(session_id(), session_id());
    }

    #[test]
    fn escapes() {
        assert_eq!(escape("a.b:::1 ü&"), "a.b%3A%3A%3A1%20%C3%BC%26");
    }
}
