//! A stand-in for the Docker daemon that takes no time: it "builds" an image that follows from the content key, and
//! pushes it as dockerd does, with dockerd's words for what goes wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use longshore::names::Digest;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The images by the names that they were given.
#[derive(Clone, Default)]
struct Images(Arc<Mutex<BTreeMap<String, String>>>);

/// Starts the stand-in; returns what `DOCKER_HOST` is set to. It answers until the runtime ends.
pub async fn start() -> String {
    longshore::effects::tls::install_provider();
    let router = Router::new()
        .route("/{version}/_ping", get(|| async { "OK" }))
        .route("/_ping", get(|| async { "OK" }))
        .route("/{version}/version", get(version))
        .route("/version", get(version))
        .route("/{version}/info", get(|| async { "{}" }))
        .route("/info", get(|| async { "{}" }))
        .route("/{version}/build", post(build))
        .route("/build", post(build))
        .fallback(image)
        .with_state(Images::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    host
}

/// Too old for BuildKit, so that builds come in the simple form.
async fn version() -> String {
    json!({ "Version": "19.03.0", "ApiVersion": "1.40", "Os": "linux", "Arch": "amd64" }).to_string()
}

async fn build(uri: Uri, _context: Bytes) -> String {
    let query = query(&uri);
    let labels: Value = serde_json::from_str(query.get("labels").map_or("{}", String::as_str)).unwrap();
    let key = labels.as_object().unwrap().iter().find(|(name, _)| name.ends_with("content-key"));
    let key = key.map_or("no key", |(_, key)| key.as_str().unwrap());
    let id = Digest::of(key.as_bytes());
    let lines = [
        json!({ "stream": "Step 1/1 : FROM scratch\n" }),
        json!({ "aux": { "ID": id.to_string() } }),
        json!({ "stream": format!("Successfully built {}\n", &id.hex()[..12]) }),
    ];
    lines.map(|line| format!("{line}\r\n")).concat()
}

async fn image(State(images): State<Images>, uri: Uri, headers: HeaderMap) -> (axum::http::StatusCode, String) {
    let query = query(&uri);
    let rest = uri.path().split_once("/images/").unwrap().1;
    // Slashes in names come escaped.
    let rest = form_urlencoded::parse(rest.as_bytes()).into_owned().next().unwrap().0;
    let tag = query.get("tag").cloned().unwrap_or_default();
    if let Some(id) = rest.strip_suffix("/tag") {
        images.0.lock().unwrap().insert(format!("{}:{tag}", query["repo"]), id.to_owned());
        return (axum::http::StatusCode::CREATED, String::new());
    }
    // What else is asked of an image can be done without.
    let Some(name) = rest.strip_suffix("/push") else { return (axum::http::StatusCode::NOT_FOUND, "{}".to_owned()) };
    let id = images.0.lock().unwrap()[&format!("{name}:{tag}")].clone();
    let login = URL_SAFE.decode(headers["x-registry-auth"].to_str().unwrap()).unwrap();
    let login: Value = serde_json::from_slice(&login).unwrap();
    let pair = format!("{}:{}", login["username"].as_str().unwrap(), login["password"].as_str().unwrap());
    let (host, repository) = name.split_once('/').unwrap();
    let push = Push {
        http: Client::new(),
        base: format!("http://{host}"),
        repository: repository.to_owned(),
        authorization: format!("Basic {}", STANDARD.encode(pair)),
    };
    let line = match push.run(&id, &tag).await {
        Ok((digest, size)) => json!({ "status": format!("{tag}: digest: {digest} size: {size}") }),
        Err(words) => json!({ "errorDetail": { "message": words }, "error": words }),
    };
    (axum::http::StatusCode::OK, format!("{line}\r\n"))
}

fn query(uri: &Uri) -> BTreeMap<String, String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

struct Push {
    http: Client,
    base: String,
    repository: String,
    authorization: String,
}

impl Push {
    async fn run(&self, id: &str, tag: &str) -> Result<(Digest, usize), String> {
        let layer = format!("the layer of {id}").into_bytes();
        let config = json!({ "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer)] } });
        let config = config.to_string().into_bytes();
        for blob in [&layer, &config] {
            self.blob(blob).await?;
        }
        let part = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() });
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": media_type,
            "config": part("application/vnd.docker.container.image.v1+json", &config),
            "layers": [part("application/vnd.docker.image.rootfs.diff.tar.gzip", &layer)] });
        let bytes = manifest.to_string().into_bytes();
        let (digest, size) = (Digest::of(&bytes), bytes.len());
        let url = format!("{}/v2/{}/manifests/{tag}", self.base, self.repository);
        self.send(Method::PUT, &url, Some((media_type, bytes))).await?;
        Ok((digest, size))
    }

    async fn blob(&self, bytes: &[u8]) -> Result<(), String> {
        let (base, digest) = (format!("{}/v2/{}/blobs", self.base, self.repository), Digest::of(bytes));
        match self.ask(Method::HEAD, &format!("{base}/{digest}"), None).await {
            Ok(found) if found.status().is_success() => return Ok(()),
            // dockerd goes on to upload what it could not look up.
            _ => {}
        }
        let begun = self.send(Method::POST, &format!("{base}/uploads/"), None).await?;
        let at = self.location(&begun)?;
        let sent = self.send(Method::PATCH, &at, Some(("application/octet-stream", bytes.to_vec()))).await?;
        let at = self.location(&sent)?;
        let joint = if at.contains('?') { '&' } else { '?' };
        self.send(Method::PUT, &format!("{at}{joint}digest={digest}"), None).await.map(|_| ())
    }

    fn location(&self, answer: &Response) -> Result<String, String> {
        let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let location = location.ok_or("no location")?;
        Ok(if location.starts_with('/') { format!("{}{location}", self.base) } else { location.to_owned() })
    }

    async fn ask(&self, method: Method, url: &str, body: Option<(&str, Vec<u8>)>) -> Result<Response, String> {
        let mut call = self.http.request(method, url).header("Authorization", &self.authorization);
        if let Some((media_type, bytes)) = body {
            call = call.header("Content-Type", media_type).body(bytes);
        }
        call.send().await.map_err(|_| "EOF".to_owned())
    }

    /// Succeeds, or fails with the words that dockerd 20.10 has for it.
    async fn send(&self, method: Method, url: &str, body: Option<(&str, Vec<u8>)>) -> Result<Response, String> {
        let answer = self.ask(method, url, body).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_server_error() {
            return Err(format!("received unexpected HTTP status: {status}"));
        }
        let text = answer.text().await.map_err(|_| "unexpected EOF".to_owned())?;
        let error = serde_json::from_str::<Value>(&text).unwrap_or_default()["errors"][0].clone();
        let code = error["code"].as_str().unwrap_or("unknown").to_lowercase().replace('_', " ");
        Err(format!("{code}: {}", error["message"].as_str().unwrap_or("")))
    }
}
