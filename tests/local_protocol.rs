//! The small ECR, spoken to directly: what no well-behaved client does, and where ECR differs from other registries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests use the network")]

mod support;

use std::io::Write as _;
use std::time::{Duration, Instant};

use longshore::local::{Server, StartError};
use longshore::names::Digest;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use support::{Bed, credential, ecr_client, settings};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A client with a token, and one repository to begin with.
struct Client {
    bed: Bed,
    http: reqwest::Client,
    token: String,
    api: aws_sdk_ecr::Client,
}

impl Client {
    async fn of(bed: Bed, repository: &str) -> Self {
        // Only the first call in a process succeeds.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let api = ecr_client(&bed.server);
        api.create_repository().repository_name(repository).send().await.unwrap();
        Client { token: credential(&api).await, http: reqwest::Client::new(), api, bed }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.bed.server.endpoint());
        self.http.request(method, url).header("authorization", format!("Basic {}", self.token))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn begin(&self, repository: &str) -> String {
        let begun = self.request(Method::POST, &format!("/v2/{repository}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(begun.status(), StatusCode::ACCEPTED);
        header(&begun, "location").to_owned()
    }

    async fn blob(&self, repository: &str, bytes: &str) -> Digest {
        let digest = Digest::of(bytes.as_bytes());
        let location = self.begin(repository).await;
        let put = self.request(Method::PUT, &format!("{location}?digest={digest}")).body(bytes.to_owned());
        assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);
        digest
    }

    async fn put(&self, repository: &str, reference: &str, manifest: &Value) -> Response {
        let media_type = manifest["mediaType"].as_str().unwrap();
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.request(Method::PUT, &path).header("content-type", media_type);
        request.body(manifest.to_string()).send().await.unwrap()
    }

    /// An image of one layer; the same text is its configuration.
    async fn image(&self, repository: &str, tag: &str, text: &str) -> (Digest, Value) {
        self.blob(repository, text).await;
        let manifest = image_of(text);
        assert_eq!(self.put(repository, tag, &manifest).await.status(), StatusCode::CREATED);
        (Digest::of(manifest.to_string().as_bytes()), manifest)
    }
}

fn descriptor(media_type: &str, text: &str) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()), "size": text.len() })
}

fn image_of(text: &str) -> Value {
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", text),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", text)],
    })
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

async fn error(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let text = |name: &str| body["errors"][0][name].as_str().unwrap().to_owned();
    (status, text("code"), text("message"))
}

#[tokio::test]
async fn no_door_opens_without_credentials() {
    let client = Client::of(Bed::start().await, "doors").await;
    let endpoint = client.bed.server.endpoint();
    let refused = client.http.get(format!("{endpoint}/v2/")).send().await.unwrap();
    assert!(header(&refused, "www-authenticate").starts_with("Basic realm="));
    assert_eq!(error(refused).await.0, 401);
    assert_eq!(client.get("/v2/").await.status(), StatusCode::OK);
    let call = |operation: &str| {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        client.http.post(&endpoint).header("x-amz-target", target).body("{")
    };
    for (request, code) in [
        (call("DescribeRepositories"), "MissingAuthenticationTokenException"),
        (call("Nonsense").header("authorization", "AWS4-HMAC-SHA256 any"), "UnknownOperationException"),
        (call("ListImages").header("authorization", "AWS4-HMAC-SHA256 any"), "SerializationException"),
        (call("ListImages").header("authorization", "any").body("{}"), "InvalidParameterException"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(body["__type"], json!(code));
    }
}

#[tokio::test]
async fn chunks_are_answered_as_ecr_answers_them() {
    let client = Client::of(Bed::start().await, "chunks").await;
    let unknown = client.request(Method::POST, "/v2/nowhere/blobs/uploads/").send().await.unwrap();
    assert_eq!(error(unknown).await.1, "NAME_UNKNOWN");

    let location = client.begin("chunks").await;
    for (range, body, status, shown) in
        [("0-4", "first", 201, "0-4"), ("5-10", "second", 201, "0-4"), ("5-10", "second", 416, "")]
    {
        let patch = client.request(Method::PATCH, &location).header("content-range", range).body(body);
        let answer = patch.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        if status == 201 {
            assert_eq!(header(&answer, "range"), shown);
        }
    }
    assert_eq!(header(&client.get(&location).await, "range"), "0-10");
    let digest = Digest::of(b"firstsecond");
    let done = client.request(Method::PUT, &format!("{location}?digest={digest}")).send().await.unwrap();
    assert_eq!(done.status(), StatusCode::CREATED);
    assert_eq!(client.get(&location).await.status(), StatusCode::NOT_FOUND);

    let path = format!("/v2/chunks/blobs/{digest}");
    let part = client.request(Method::GET, &path).header("range", "bytes=5-8").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 5-8/11");
    assert_eq!(part.text().await.unwrap(), "seco");
    let head = client.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(header(&head, "content-length"), "11");
}

#[tokio::test]
async fn wrong_bytes_never_become_a_blob() {
    let client = Client::of(Bed::start().await, "wrong").await;
    let digest = Digest::of(b"right");
    let location = client.begin("wrong").await;
    let put = client.request(Method::PUT, &format!("{location}?digest={digest}")).body("wrong");
    let (status, code, message) = error(put.send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (400, "BLOB_UPLOAD_INVALID"));
    assert_eq!(message, "None of the provided layer digests match the calculated layer digest");
    assert_eq!(error(client.get(&format!("/v2/wrong/blobs/{digest}")).await).await.1, "BLOB_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_broke_off_goes_on_where_it_was() {
    let client = Client::of(Bed::start().await, "broken").await;
    let location = client.begin("broken").await;
    let mut connection = std::net::TcpStream::connect(client.bed.server.host().as_str()).unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {}\r\n", client.token);
    write!(connection, "{head}Content-Length: 100\r\n\r\nfirst half").unwrap();
    drop(connection);
    let deadline = Instant::now() + Duration::from_secs(20);
    while header(&client.get(&location).await, "range") != "0-9" {
        assert!(Instant::now() < deadline, "the first half never arrived");
    }
    let digest = Digest::of(b"first half, second half");
    let put = client.request(Method::PUT, &format!("{location}?digest={digest}")).header("content-range", "10-22");
    assert_eq!(put.body(", second half").send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_manifest_needs_what_it_names() {
    let client = Client::of(Bed::start().await, "needs").await;
    client.api.create_repository().repository_name("other").send().await.unwrap();
    client.blob("other", "layer").await;
    let (status, code, message) = error(client.put("needs", "1", &image_of("layer")).await).await;
    assert_eq!((status, code.as_str()), (404, "MANIFEST_BLOB_UNKNOWN"), "a layer of another repository is none");
    assert!(message.contains(Digest::of(b"layer").as_str()), "{message}");

    let (child, _) = client.image("needs", "1", "layer").await;
    let index = |child: &Digest| {
        json!({ "schemaVersion": 2, "mediaType": INDEX,
            "manifests": [{ "mediaType": MANIFEST, "digest": child, "size": 1 }] })
    };
    let (_, code, message) = error(client.put("needs", "all", &index(&Digest::of(b"none"))).await).await;
    assert_eq!(code, "MANIFEST_BLOB_UNKNOWN");
    assert!(message.starts_with("Images with digests '[sha256:"), "{message}");
    assert_eq!(client.put("needs", "all", &index(&child)).await.status(), StatusCode::CREATED);
    let put = client.put("needs", Digest::of(b"other").as_str(), &image_of("layer")).await;
    assert_eq!(error(put).await.1, "MANIFEST_INVALID");
    let large = client.request(Method::PUT, "/v2/needs/manifests/large").body(vec![b' '; 4 * 1024 * 1024 + 1]);
    assert_eq!(large.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);

    let id = aws_sdk_ecr::types::ImageIdentifier::builder().image_digest(child.as_str()).build();
    let deleted = client.api.batch_delete_image().repository_name("needs").image_ids(id).send().await.unwrap();
    let failure = deleted.failures()[0].failure_code().unwrap();
    assert_eq!(failure, &aws_sdk_ecr::types::ImageFailureCode::ImageReferencedByManifestList);
    let images = client.api.describe_images().repository_name("needs").send().await.unwrap();
    assert!(images.image_details().iter().all(|image| image.image_size_in_bytes() == Some(10)), "{images:?}");
}

#[tokio::test]
async fn layers_are_mounted_only_where_the_account_allows_it() {
    for allowed in [false, true] {
        let bed = if allowed { Bed::with_blob_mounting().await } else { Bed::start().await };
        let client = Client::of(bed, "source").await;
        client.api.create_repository().repository_name("target").send().await.unwrap();
        client.image("source", "1", "used").await;
        client.blob("source", "loose").await;
        for (text, mounted) in [("used", allowed), ("loose", false)] {
            let digest = Digest::of(text.as_bytes());
            let path = format!("/v2/target/blobs/uploads/?mount={digest}&from=source");
            let answer = client.request(Method::POST, &path).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), if mounted { 201 } else { 202 }, "{text} {allowed}");
            let blob = client.get(&format!("/v2/target/blobs/{digest}")).await;
            assert_eq!(blob.status().is_success(), mounted);
        }
    }
}

#[tokio::test]
async fn referrers_and_tags() {
    let client = Client::of(Bed::start().await, "about").await;
    let (subject, _) = client.image("about", "v1", "image").await;
    let mut signature = image_of("image");
    signature["artifactType"] = json!("application/vnd.example.signature");
    signature["subject"] = json!({ "mediaType": MANIFEST, "digest": subject, "size": 1 });
    signature["annotations"] = json!({ "by": "me" });
    let put = client.put("about", "v2", &signature).await;
    assert_eq!(header(&put, "oci-subject"), subject.as_str());
    for (query, count) in [("", 1), ("?artifactType=application/vnd.example.signature", 1), ("?artifactType=x", 0)] {
        let listed = client.get(&format!("/v2/about/referrers/{subject}{query}")).await;
        assert_eq!(header(&listed, "content-type"), INDEX);
        let listed: Value = serde_json::from_slice(&listed.bytes().await.unwrap()).unwrap();
        assert_eq!(listed["manifests"].as_array().unwrap().len(), count, "{query}");
        assert!(count == 0 || listed["manifests"][0]["annotations"] == json!({ "by": "me" }));
    }
    let page = client.get("/v2/about/tags/list?n=1").await;
    assert_eq!(header(&page, "link"), "</v2/about/tags/list?n=1&last=v1>; rel=\"next\"");
    assert_eq!(page.text().await.unwrap(), r#"{"name":"about","tags":["v1"]}"#);
    let page = client.get("/v2/about/tags/list?n=1&last=v1").await;
    assert!(page.headers().get("link").is_none());
    assert_eq!(page.text().await.unwrap(), r#"{"name":"about","tags":["v2"]}"#);
}

#[tokio::test]
async fn the_sdk_pages_and_knows_the_errors() {
    let client = Client::of(Bed::start().await, "page/0").await;
    for number in 1..5 {
        client.api.create_repository().repository_name(format!("page/{number}")).send().await.unwrap();
    }
    let pages = client.api.describe_repositories().into_paginator().page_size(2).items().send();
    let repositories = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    let names: Vec<_> = repositories.iter().filter_map(|repository| repository.repository_name()).collect();
    assert_eq!(names, ["page/0", "page/1", "page/2", "page/3", "page/4"]);
    let refused = client.api.describe_repositories().max_results(0).send().await.unwrap_err();
    assert!(refused.into_service_error().is_invalid_parameter_exception());
    let refused = client.api.create_repository().repository_name("page/0").send().await.unwrap_err();
    assert!(refused.into_service_error().is_repository_already_exists_exception());

    for (tag, text) in [("1", "layer"), ("2", "layer"), ("3", "layer"), ("1", "other"), ("4", "third")] {
        client.image("page/0", tag, text).await;
    }
    let ids = client.api.list_images().repository_name("page/0").into_paginator().page_size(1).items().send();
    let mut ids = ids.collect::<Result<Vec<_>, _>>().await.unwrap();
    ids.sort_by_key(|id| id.image_tag().map(str::to_owned));
    assert_eq!(ids.iter().filter_map(|id| id.image_tag()).collect::<Vec<_>>(), ["1", "2", "3", "4"]);
    let details = client.api.describe_images().repository_name("page/0").into_paginator().page_size(1).items().send();
    assert_eq!(details.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 3);

    let refused = client.api.delete_repository().repository_name("page/0").send().await.unwrap_err();
    assert!(refused.into_service_error().is_repository_not_empty_exception());
    let digest = Digest::of(b"layer");
    let link = client.api.get_download_url_for_layer().repository_name("page/0").layer_digest(digest.as_str());
    let link = link.send().await.unwrap().download_url().unwrap().to_owned();
    assert_eq!(client.http.get(&link).send().await.unwrap().text().await.unwrap(), "layer");
    let forged = link.replace("expires=1", "expires=2");
    assert_eq!(client.http.get(forged).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    client.api.delete_repository().repository_name("page/0").force(true).send().await.unwrap();
    assert_eq!(client.http.get(&link).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_server_for_one_folder_and_one_port() {
    let bed = Bed::start().await;
    match Server::start(settings(&bed.data(), 0)).await {
        Err(StartError::InUse { endpoint, .. }) => assert_eq!(endpoint, Some(bed.server.endpoint())),
        other => panic!("{:?}", other.err()),
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let port = bed.port();
    match Server::start(settings(elsewhere.path(), port)).await {
        Err(StartError::PortTaken { port: taken }) => assert_eq!(taken, port),
        other => panic!("{:?}", other.err()),
    }
}
