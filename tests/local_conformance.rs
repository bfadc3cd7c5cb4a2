//! The OCI distribution specification 1.1 by its conformance categories, as far as ECR supports them: pull, push and
//! content discovery. Content management is left out, since ECR removes by its own API. Where ECR answers otherwise than
//! the specification says, that is what is expected here; `docs/local.md` lists these places with their sources.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use longshore::names::Digest;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use support::{Bed, credential, ecr_client};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const REPOSITORY: &str = "conformance/one";

/// A client as the specification describes one: it follows what answers say, and knows nothing else.
struct Client {
    bed: Bed,
    http: reqwest::Client,
    token: String,
}

/// What an answer says.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    #[track_caller]
    fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Errors have a body with a code.
    #[track_caller]
    fn refuses(self, status: u16, code: &str) {
        let answer = self.with(status);
        assert_eq!(answer.json()["errors"][0]["code"], code);
    }
}

impl Client {
    async fn start(bed: Bed) -> Self {
        // Only the first call in a process succeeds.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let api = ecr_client(&bed.server);
        for name in [REPOSITORY, "conformance/two"] {
            api.create_repository().repository_name(name).send().await.unwrap();
        }
        // Redirects of blobs go where the credentials must not.
        Client { token: credential(&api).await, http: reqwest::Client::new(), bed }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A location may be absolute or relative.
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.bed.server.endpoint()) };
        self.http.request(method, url).header("authorization", format!("Basic {}", self.token))
    }

    async fn call(&self, method: Method, path: &str) -> Answer {
        Answer::of(self.request(method, path).send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, &format!("/v2/{REPOSITORY}/{path}")).await
    }

    async fn head(&self, path: &str) -> Answer {
        self.call(Method::HEAD, &format!("/v2/{REPOSITORY}/{path}")).await
    }

    /// POST, then one PUT.
    async fn blob(&self, text: &str) -> Digest {
        let digest = Digest::of(text.as_bytes());
        let begun = self.call(Method::POST, &format!("/v2/{REPOSITORY}/blobs/uploads/")).await.with(202);
        let put = self.request(Method::PUT, &format!("{}?digest={digest}", begun.header("location")));
        let put = put.header("content-type", "application/octet-stream").body(text.to_owned()).send().await.unwrap();
        let put = Answer::of(put).await.with(201);
        self.call(Method::HEAD, put.header("location")).await.with(200);
        digest
    }

    async fn put(&self, reference: &str, manifest: &Value) -> Answer {
        let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
        let media_type = manifest["mediaType"].as_str().unwrap();
        let put = self.request(Method::PUT, &path).header("content-type", media_type).body(manifest.to_string());
        Answer::of(put.send().await.unwrap()).await
    }

    /// An image under a tag.
    async fn image(&self, tag: &str) -> (Digest, Value) {
        self.blob(tag).await;
        let manifest = image(tag);
        let put = self.put(tag, &manifest).await.with(201);
        self.call(Method::GET, put.header("location")).await.with(200);
        (digest(&manifest), manifest)
    }
}

fn descriptor(media_type: &str, text: &str) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()), "size": text.len() })
}

/// The same text is the configuration and the layer.
fn image(text: &str) -> Value {
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, text), "layers": [descriptor(LAYER, text)] })
}

fn digest(manifest: &Value) -> Digest {
    Digest::of(manifest.to_string().as_bytes())
}

#[tokio::test]
async fn pull() {
    let client = Client::start(Bed::start().await).await;
    let (digest, manifest) = client.image("pulled").await;
    client.call(Method::GET, "/v2/").await.with(200);

    for reference in ["pulled", digest.as_str()] {
        let head = client.head(&format!("manifests/{reference}")).await.with(200);
        let get = client.get(&format!("manifests/{reference}")).await.with(200);
        assert_eq!(get.body, manifest.to_string().as_bytes(), "what is pushed comes back byte by byte");
        for answer in [&head, &get] {
            assert_eq!(answer.header("docker-content-digest"), digest.as_str());
            assert_eq!(answer.header("content-type"), MANIFEST);
            assert_eq!(answer.header("content-length"), get.body.len().to_string());
        }
    }
    let layer = Digest::of(b"pulled");
    let head = client.head(&format!("blobs/{layer}")).await.with(200);
    assert_eq!(head.header("content-length"), "6");
    assert_eq!(client.get(&format!("blobs/{layer}")).await.with(200).body, b"pulled");
    let part = client.request(Method::GET, &format!("/v2/{REPOSITORY}/blobs/{layer}")).header("range", "bytes=2-3");
    let part = Answer::of(part.send().await.unwrap()).await.with(206);
    assert_eq!((part.body.as_slice(), part.header("content-range")), (b"ll".as_slice(), "bytes 2-3/6"));

    let nothing = Digest::of(b"nothing");
    client.get(&format!("blobs/{nothing}")).await.refuses(404, "BLOB_UNKNOWN");
    client.head(&format!("blobs/{nothing}")).await.with(404);
    client.get(&format!("manifests/{nothing}")).await.refuses(404, "MANIFEST_UNKNOWN");
    client.get("manifests/nothing").await.refuses(404, "MANIFEST_UNKNOWN");
    client.head("manifests/nothing").await.with(404);
    client.call(Method::GET, "/v2/no/such/manifests/latest").await.refuses(404, "NAME_UNKNOWN");
    client.call(Method::GET, "/v2/No/manifests/latest").await.refuses(400, "NAME_INVALID");
}

#[tokio::test]
async fn push_of_blobs() {
    let client = Client::start(Bed::start().await).await;
    let uploads = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let begin = async || client.call(Method::POST, &uploads).await.with(202).header("location").to_owned();
    client.blob("one put").await;

    let single = Digest::of(b"one post");
    let post = client.request(Method::POST, &format!("{uploads}?digest={single}")).body("one post");
    Answer::of(post.send().await.unwrap()).await.with(201);
    assert_eq!(client.get(&format!("blobs/{single}")).await.with(200).body, b"one post");

    // In chunks, each where the last answer says; ECR says 201 where 202 is due, and forgets how far it is.
    let chunked = Digest::of(b"in three chunks");
    let mut location = begin().await;
    for (range, chunk, told) in [("0-2", "in ", "0-2"), ("3-8", "three ", "0-2")] {
        let patch = client.request(Method::PATCH, &location).header("content-range", range).body(chunk);
        let patched = Answer::of(patch.send().await.unwrap()).await.with(201);
        assert_eq!(patched.header("range"), told);
        location = patched.header("location").to_owned();
    }
    let status = client.call(Method::GET, &location).await.with(204);
    assert_eq!(status.header("range"), "0-8", "asked for, it knows");
    let astray = client.request(Method::PATCH, &location).header("content-range", "3-8").body("three ");
    Answer::of(astray.send().await.unwrap()).await.with(416);
    let last = client.request(Method::PUT, &format!("{location}?digest={chunked}")).header("content-range", "9-14");
    let put = Answer::of(last.body("chunks").send().await.unwrap()).await.with(201);
    assert_eq!(client.call(Method::GET, put.header("location")).await.with(200).body, b"in three chunks");

    let location = begin().await;
    let wrong = client.request(Method::PUT, &format!("{location}?digest={single}")).body("another");
    Answer::of(wrong.send().await.unwrap()).await.refuses(400, "BLOB_UPLOAD_INVALID");
    let location = begin().await;
    client.call(Method::DELETE, &location).await.with(204);
    client.call(Method::GET, &location).await.refuses(404, "BLOB_UPLOAD_UNKNOWN");
    client.call(Method::POST, "/v2/no/such/blobs/uploads/").await.refuses(404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn push_by_mounting() {
    for (bed, mounts) in [(Bed::with_blob_mounting().await, true), (Bed::start().await, false)] {
        let client = Client::start(bed).await;
        client.image("mounted").await;
        let digest = Digest::of(b"mounted");
        let there = format!("/v2/conformance/two/blobs/{digest}");
        let path = format!("/v2/conformance/two/blobs/uploads/?mount={digest}&from={REPOSITORY}");
        let answer = client.call(Method::POST, &path).await.with(if mounts { 201 } else { 202 });
        match mounts {
            true => drop(client.call(Method::GET, answer.header("location")).await.with(200)),
            // An upload was begun in its place.
            false => {
                let put = client.request(Method::PUT, &format!("{}?digest={digest}", answer.header("location")));
                Answer::of(put.body("mounted").send().await.unwrap()).await.with(201);
            }
        }
        client.call(Method::HEAD, &there).await.with(200);
    }
}

#[tokio::test]
async fn push_of_manifests() {
    let client = Client::start(Bed::start().await).await;
    let (first, manifest) = client.image("first").await;
    let by_digest = client.put(first.as_str(), &manifest).await.with(201);
    assert_eq!(by_digest.header("docker-content-digest"), first.as_str());
    client.put(Digest::of(b"another").as_str(), &manifest).await.refuses(400, "MANIFEST_INVALID");

    let mut empty = image("first");
    empty["layers"] = json!([]);
    client.put("empty", &empty).await.with(201);
    let entry = json!({ "mediaType": MANIFEST, "digest": first, "size": manifest.to_string().len() });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    client.put("index", &index).await.with(201);
    assert_eq!(client.get("manifests/index").await.with(200).header("content-type"), INDEX);

    // What a manifest names has to be there: the specification lets registries ask for that, and ECR does.
    client.put("missing", &image("missing")).await.refuses(404, "MANIFEST_BLOB_UNKNOWN");
    let entry = json!({ "mediaType": MANIFEST, "digest": Digest::of(b"missing"), "size": 7 });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    client.put("missing", &index).await.refuses(404, "MANIFEST_BLOB_UNKNOWN");

    // A subject need not be there yet.
    let mut about = image("first");
    about["subject"] = json!({ "mediaType": MANIFEST, "digest": Digest::of(b"later"), "size": 5 });
    let put = client.put("about", &about).await.with(201);
    assert_eq!(put.header("oci-subject"), Digest::of(b"later").as_str());
}

#[tokio::test]
async fn discovery_of_tags() {
    let client = Client::start(Bed::start().await).await;
    let tags = async |query: &str| {
        let answer = client.get(&format!("tags/list{query}")).await.with(200);
        (answer.json()["tags"].clone(), answer.headers.get("link").map(|link| link.to_str().unwrap().to_owned()))
    };
    assert_eq!(tags("").await, (json!([]), None));
    let (_, manifest) = client.image("c").await;
    for tag in ["B", "a", "b"] {
        client.put(tag, &manifest).await.with(201);
    }
    assert_eq!(tags("").await.0, json!(["B", "a", "b", "c"]), "in lexical order");
    assert_eq!(tags("?n=0").await, (json!([]), None));
    assert_eq!(tags("?last=a").await.0, json!(["b", "c"]));
    assert_eq!(tags("?n=1&last=b").await, (json!(["c"]), None));
    let (first, link) = tags("?n=3").await;
    assert_eq!(first, json!(["B", "a", "b"]));
    let link = link.unwrap();
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    assert_eq!(client.call(Method::GET, next).await.with(200).json()["tags"], json!(["c"]));
    client.call(Method::GET, "/v2/no/such/tags/list").await.refuses(404, "NAME_UNKNOWN");
    client.call(Method::GET, "/v2/_catalog").await.with(404);
}

#[tokio::test]
async fn discovery_of_referrers() {
    let client = Client::start(Bed::start().await).await;
    let (subject, manifest) = client.image("subject").await;
    let about = json!({ "mediaType": MANIFEST, "digest": subject, "size": manifest.to_string().len() });
    let nothing = client.get(&format!("referrers/{}", Digest::of(b"nothing"))).await.with(200);
    assert_eq!((nothing.header("content-type"), &nothing.json()["manifests"]), (INDEX, &json!([])));

    // The type is the artifact's, or that of its configuration; an index has only its own.
    let mut signature = image("subject");
    signature["artifactType"] = json!("application/x.signature");
    signature["annotations"] = json!({ "by": "me" });
    let mut plain = image("subject");
    plain["config"]["mediaType"] = json!("application/x.config");
    let mut list =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "artifactType": "application/x.list" });
    for referrer in [&mut signature, &mut plain, &mut list] {
        referrer["subject"] = about.clone();
        let put = client.put(digest(referrer).as_str(), referrer).await.with(201);
        assert_eq!(put.header("oci-subject"), subject.as_str());
    }
    let listed = client.get(&format!("referrers/{subject}")).await.with(200);
    let listed = listed.json();
    let of = |manifest: &Value| {
        let all = listed["manifests"].as_array().unwrap();
        all.iter().find(|one| one["digest"] == digest(manifest).as_str()).unwrap().clone()
    };
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 3);
    let signed = of(&signature);
    assert_eq!((&signed["artifactType"], &signed["mediaType"]), (&json!("application/x.signature"), &json!(MANIFEST)));
    assert_eq!(
        (&signed["annotations"], &signed["size"]),
        (&json!({ "by": "me" }), &json!(signature.to_string().len()))
    );
    assert_eq!(of(&plain)["artifactType"], "application/x.config");
    assert_eq!((&of(&list)["artifactType"], &of(&list)["mediaType"]), (&json!("application/x.list"), &json!(INDEX)));

    let some = client.get(&format!("referrers/{subject}?artifactType=application/x.list")).await.with(200);
    assert_eq!(some.json()["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(some.header("oci-filters-applied"), "artifactType");
    client.get("referrers/sha256:short").await.refuses(400, "DIGEST_INVALID");
}
