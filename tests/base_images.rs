//! Base images looked up in real registries: open ones, ones with a password, and ones that want a token.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test touches the world"
)]

#[allow(dead_code, reason = "every test binary compiles this module and uses its own part of it")]
mod engine_support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use base64::Engine as _;
use engine_support::{Registry, World};
use longshore::effects::registry::BaseImages;
use longshore::facts::Variables;
use longshore::names::{Digest, ImageRef};
use tempfile::TempDir;

/// Builds an image that no other test has.
async fn image(world: &World, content: &str) -> String {
    use longshore::execute::ports::{BuildInputs, Engine as _};
    use longshore::pipeline::Dockerfile;
    world.write("content", content);
    let plan = world.plan(Dockerfile::Inline("FROM scratch\nCOPY content /\n".into()));
    let built = world.engine.build(&plan, &BuildInputs::default(), &|_| {}).await.unwrap();
    world.keep(&built.id)
}

fn push(image: &str, target: &ImageRef, more: &[&str]) {
    let output = Command::new("skopeo")
        .args(["copy", "--quiet", "--dest-tls-verify=false"])
        .args(more)
        .args([format!("docker-daemon:{image}:latest"), format!("docker://{target}")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A docker configuration of the test's own.
struct Config(TempDir);

impl Config {
    fn new(text: &str) -> Self {
        let config = Config(tempfile::tempdir().unwrap());
        fs::write(config.0.path().join("config.json"), text).unwrap();
        config
    }

    fn logged_in(host: &str, username: &str, password: &str) -> Self {
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        Self::new(&format!(r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}}}}}"#))
    }

    async fn resolve(&self, reference: &str) -> Result<Digest, String> {
        longshore::effects::tls::install_provider();
        let variables = Variables::from([("DOCKER_CONFIG".to_owned(), self.0.path().display().to_string())]);
        let references = BTreeSet::from([reference.to_owned()]);
        BaseImages::new(&variables, None, &Arc::default()).resolve(&references).await.remove(reference).unwrap()
    }
}

#[tokio::test]
async fn an_open_registry_and_an_image_that_moves() {
    let (world, registry) = (World::new(false), Registry::start());
    let target = registry.target("base", "1");
    let config = Config::new("{}");
    let missing = config.resolve(&target.to_string()).await.unwrap_err();
    assert_eq!(missing, format!("{} has no such image", target.host));
    push(&image(&world, "one").await, &target, &[]);
    let first = config.resolve(&target.to_string()).await.unwrap();
    assert_eq!(first.as_str(), registry.digest(&target));
    push(&image(&world, "two").await, &target, &[]);
    assert_ne!(config.resolve(&target.to_string()).await.unwrap(), first);
    let pinned = format!("nowhere.invalid/base@{first}");
    assert_eq!(config.resolve(&pinned).await, Ok(first), "a digest needs no look-up");
}

#[tokio::test]
async fn a_registry_with_a_password() {
    let (world, registry) = (World::new(false), Registry::with_password("se:cret"));
    let target = registry.target("base", "1");
    push(&image(&world, "one").await, &target, &["--dest-creds", "AWS:se:cret"]);
    let host = target.host.as_str();
    assert!(Config::logged_in(host, "AWS", "se:cret").resolve(&target.to_string()).await.is_ok());
    let refused = Config::new("{}").resolve(&target.to_string()).await.unwrap_err();
    assert!(refused.starts_with("access was refused: 401"), "{refused}");
    let wrong = Config::logged_in(host, "AWS", "wrong").resolve(&target.to_string()).await.unwrap_err();
    assert!(wrong.starts_with("access was refused: 401") && !wrong.contains("wrong"), "{wrong}");
    let helper = Config::new(&format!(r#"{{"credHelpers": {{"{host}": "not-there"}}}}"#));
    let told = helper.resolve(&target.to_string()).await.unwrap_err();
    assert!(told.contains("cannot run docker-credential-not-there"), "{told}");
}

#[tokio::test]
async fn a_registry_that_does_not_answer() {
    let told = Config::new("{}").resolve("127.0.0.1:1/base").await.unwrap_err();
    assert!(told.starts_with("127.0.0.1:1 does not answer: "), "{told}");
    assert!(Config::new("{}").resolve("No Reference").await.is_err());
}

// The issuer has to answer while this test waits for skopeo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_wants_a_token() {
    let issuer = Issuer::start().await;
    let world = World::new(false);
    let realm = format!("http://127.0.0.1:{}/token", issuer.port);
    let bundle = issuer.folder.path().join("issuer.crt").display().to_string();
    let registry = Registry::with_environment(&[
        ("REGISTRY_AUTH_TOKEN_REALM", &realm),
        ("REGISTRY_AUTH_TOKEN_SERVICE", "the registry"),
        ("REGISTRY_AUTH_TOKEN_ISSUER", "test"),
        ("REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", &bundle),
    ]);
    let target = registry.target("team/base", "1");
    push(&image(&world, "one").await, &target, &["--dest-creds", "user:secret"]);
    issuer.seen.asked.lock().unwrap().clear();

    assert!(Config::new("{}").resolve(&target.to_string()).await.is_ok());
    let host = target.host.as_str();
    assert!(Config::logged_in(host, "user", "secret").resolve(&target.to_string()).await.is_ok());
    let asked = issuer.seen.asked.lock().unwrap().clone();
    let query = "service=the+registry&scope=repository%3Ateam%2Fbase%3Apull";
    let basic = base64::engine::general_purpose::STANDARD.encode("user:secret");
    assert_eq!(asked, [(query.to_owned(), String::new()), (query.to_owned(), format!("Basic {basic}"))]);
}

/// A server of tokens, signed as the registry wants them.
struct Issuer {
    port: u16,
    folder: Arc<TempDir>,
    seen: Seen,
}

#[derive(Clone)]
struct Seen {
    /// The query and the authorization of each request.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    folder: Arc<TempDir>,
    count: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2"];
        let files = ["-keyout", "issuer.key", "-out", "issuer.crt"];
        let made = Command::new("openssl").args(make).args(files).current_dir(folder.path()).output().unwrap();
        assert!(made.status.success());
        let seen = Seen { asked: Arc::default(), folder: Arc::clone(&folder), count: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = axum::Router::new().route("/token", axum::routing::get(token)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Issuer { port, folder, seen }
    }
}

/// Grants whatever is asked for. Source: distribution project, "Token Authentication Implementation".
async fn token(State(seen): State<Seen>, RawQuery(query): RawQuery, headers: HeaderMap) -> String {
    let query = query.unwrap_or_default();
    let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    seen.asked.lock().unwrap().push((query.clone(), authorization.unwrap_or_default()));
    let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let access = fields.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| {
        let parts: Vec<&str> = scope.split(':').collect();
        let actions: Vec<&str> = parts[2].split(',').collect();
        serde_json::json!({ "type": parts[0], "name": parts[1], "actions": actions })
    });
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let pem = fs::read_to_string(seen.folder.path().join("issuer.crt")).unwrap();
    let certificate: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let header = serde_json::json!({ "typ": "JWT", "alg": "RS256", "x5c": [certificate] }).to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = serde_json::json!({
        "iss": "test", "aud": "the registry", "sub": "", "jti": seen.count.fetch_add(1, Ordering::Relaxed).to_string(),
        "iat": now, "nbf": now - 60, "exp": now + 300, "access": access.collect::<Vec<_>>(),
    });
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()));
    let input = seen.folder.path().join(format!("claims-{}", seen.count.fetch_add(1, Ordering::Relaxed)));
    fs::write(&input, &signed).unwrap();
    let sign = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", "issuer.key"])
        .arg(&input)
        .current_dir(seen.folder.path())
        .output()
        .unwrap();
    assert!(sign.status.success());
    serde_json::json!({ "token": format!("{signed}.{}", encode(&sign.stdout)) }).to_string()
}
