//! Small images that are put into a registry by its API alone, without a daemon.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::primitives::Blob;
use longshore::names::Digest;
use serde_json::{Value, json};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Uploads a layer of these bytes, and returns its descriptor.
pub async fn layer(client: &Client, repository: &str, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    let there = client.batch_check_layer_availability().repository_name(repository).layer_digests(digest.to_string());
    let there = there.send().await.unwrap();
    if there.layers().is_empty() || there.layers()[0].layer_size().is_none() {
        let begun = client.initiate_layer_upload().repository_name(repository).send().await.unwrap();
        let upload = client.upload_layer_part().repository_name(repository).upload_id(begun.upload_id().unwrap());
        let last = i64::try_from(bytes.len()).unwrap() - 1;
        let part = upload.part_first_byte(0).part_last_byte(last).layer_part_blob(Blob::new(bytes));
        part.send().await.unwrap();
        let complete = client.complete_layer_upload().repository_name(repository).layer_digests(digest.to_string());
        complete.upload_id(begun.upload_id().unwrap()).send().await.unwrap();
    }
    json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
}

/// Puts a manifest there, and returns its digest.
pub async fn manifest(client: &Client, repository: &str, tag: Option<&str>, manifest: &Value) -> String {
    let put = client.put_image().repository_name(repository).image_manifest(manifest.to_string());
    let media_type = manifest["mediaType"].as_str().map(str::to_owned);
    put.set_image_manifest_media_type(media_type).set_image_tag(tag.map(str::to_owned)).send().await.unwrap();
    Digest::of(manifest.to_string().as_bytes()).to_string()
}

/// Puts an image of these layers there; its configuration has one command for each.
pub async fn image(client: &Client, repository: &str, tag: Option<&str>, layers: &[(&str, &[u8])]) -> String {
    let history: Vec<Value> =
        layers.iter().map(|(command, _)| json!({ "created": "2024-01-01T00:00:00Z", "created_by": command })).collect();
    let config = json!({ "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|(_, bytes)| Digest::of(bytes)).collect::<Vec<_>>() } });
    let config_type = "application/vnd.oci.image.config.v1+json";
    let config = layer(client, repository, config_type, config.to_string().as_bytes()).await;
    let mut described = Vec::new();
    for (_, bytes) in layers {
        described.push(layer(client, repository, "application/vnd.oci.image.layer.v1.tar", bytes).await);
    }
    let document = json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": described });
    manifest(client, repository, tag, &document).await
}

/// Puts an index of these images there, each with its platform as `os/architecture`.
pub async fn index(client: &Client, repository: &str, tag: Option<&str>, images: &[(&str, &str)]) -> String {
    let entries = images.iter().map(|(platform, digest)| {
        let (os, architecture) = platform.split_once('/').unwrap();
        json!({ "mediaType": OCI_IMAGE, "digest": digest, "size": 1,
            "platform": { "os": os, "architecture": architecture } })
    });
    let entries: Vec<Value> = entries.collect();
    let document = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
    manifest(client, repository, tag, &document).await
}
