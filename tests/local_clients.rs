//! The small ECR, used by the programs that people use with the real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Bed, Image};

fn digest_of(bed: &Bed, repository: &str, tag: &str) -> String {
    let id = format!("imageTag={tag}");
    let described = bed.ecr(&["describe-images", "--repository-name", repository, "--image-ids", &id]).json();
    described["imageDetails"][0]["imageDigest"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_the_shell_script() {
    let bed = Bed::start().await;
    let created = bed.ecr(&["create-repository", "--repository-name", "shop/steps"]).json();
    let repository = &created["repository"];
    assert_eq!(repository["repositoryUri"], json!(bed.uri("shop/steps")));
    assert_eq!(repository["repositoryArn"], json!("arn:aws:ecr:us-east-1:123456789012:repository/shop/steps"));
    bed.docker_login();
    let image = bed.build(&bed.uri("shop/steps:1.0"), "steps");
    let pushed = bed.program("docker", &["push", &image.name]).succeeds();
    let digest = digest_of(&bed, "shop/steps", "1.0");
    assert!(pushed.contains(&format!("1.0: digest: {digest}")), "{pushed}");

    let described = bed.ecr(&["describe-images", "--repository-name", "shop/steps"]).json();
    let detail = &described["imageDetails"][0];
    assert_eq!(detail["imageTags"], json!(["1.0"]));
    assert_eq!(detail["imageManifestMediaType"], json!("application/vnd.docker.distribution.manifest.v2+json"));
    assert!(detail["imageSizeInBytes"].as_u64().unwrap() > 100_000, "{detail}");

    for reference in [bed.uri("shop/steps:1.0"), format!("{}@{digest}", bed.uri("shop/steps"))] {
        bed.program("docker", &["rmi", "--force", &image.name]).succeeds();
        bed.program("docker", &["pull", "--quiet", &reference]).succeeds();
        let printed = bed.program("docker", &["run", "--rm", "--network=none", &reference]).succeeds();
        assert_eq!(printed, "steps");
        drop(Image::named(reference));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_has_to_exist() {
    let bed = Bed::start().await;
    bed.docker_login();
    let image = bed.build(&bed.uri("nowhere:1.0"), "nowhere");
    let complaint = bed.program("docker", &["push", &image.name]).fails();
    let words = "The repository with name 'nowhere' does not exist in the registry with id '123456789012'";
    assert!(complaint.contains(words), "{complaint}");
    let complaint = bed.ecr(&["list-images", "--repository-name", "nowhere"]).fails();
    assert!(complaint.contains("RepositoryNotFoundException") && complaint.contains(words), "{complaint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials() {
    let bed = Bed::start().await;
    bed.create_repository("doors");
    let image = bed.build(&bed.uri("doors:1.0"), "doors");
    let complaint = bed.program("docker", &["push", &image.name]).fails();
    assert!(complaint.contains("no basic auth credentials"), "{complaint}");
    let login = ["login", "--username", "AWS", "--password", "guess", bed.server.host().as_str()];
    bed.program("docker", &login).fails();

    bed.docker_login();
    bed.server.advance(std::time::Duration::from_secs(13 * 60 * 60));
    let complaint = bed.program("docker", &["push", &image.name]).fails();
    assert!(complaint.contains("Your authorization token has expired. Reauthenticate and try again."), "{complaint}");
    bed.docker_login();
    bed.program("docker", &["push", &image.name]).succeeds();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_immutable_tag_is_refused_at_both_doors() {
    let bed = Bed::start().await;
    bed.ecr(&["create-repository", "--repository-name", "fixed", "--image-tag-mutability", "IMMUTABLE"]).succeeds();
    bed.docker_login();
    let first = bed.build(&bed.uri("fixed:1.0"), "first");
    bed.program("docker", &["push", &first.name]).succeeds();
    let words = "The image tag '1.0' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.";
    let again = bed.program("docker", &["push", &first.name]).fails();
    assert!(again.contains(words), "also for the same image: {again}");

    let second = bed.build(&bed.uri("fixed:1.0"), "second");
    let complaint = bed.program("docker", &["push", &second.name]).fails();
    assert!(complaint.contains(words), "{complaint}");

    let tag = bed.uri("fixed:2.0");
    bed.program("docker", &["tag", &second.name, &tag]).succeeds();
    let other = Image::named(tag);
    bed.program("docker", &["push", &other.name]).succeeds();
    let ids = ["batch-get-image", "--repository-name", "fixed", "--image-ids", "imageTag=2.0"];
    let manifest = bed.ecr(&ids).json()["images"][0]["imageManifest"].as_str().unwrap().to_owned();
    let put = |tag: &str| {
        bed.ecr(&["put-image", "--repository-name", "fixed", "--image-manifest", &manifest, "--image-tag", tag]).fails()
    };
    let complaint = put("1.0");
    assert!(complaint.contains("ImageTagAlreadyExistsException") && complaint.contains(words), "{complaint}");
    assert!(put("2.0").contains("ImageAlreadyExistsException"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_come_and_go() {
    let bed = Bed::start().await;
    bed.create_repository("moving");
    bed.docker_login();
    let reference = bed.uri("moving:latest");
    let first = bed.build(&reference, "moving-1");
    bed.program("docker", &["push", &first.name]).succeeds();
    let old = digest_of(&bed, "moving", "latest");
    let second = bed.build(&reference, "moving-2");
    bed.program("docker", &["push", &second.name]).succeeds();
    let new = digest_of(&bed, "moving", "latest");
    assert_ne!(old, new);

    let list = |filter: &str| {
        let filter = format!("tagStatus={filter}");
        bed.ecr(&["list-images", "--repository-name", "moving", "--filter", &filter]).json()["imageIds"].clone()
    };
    assert_eq!(list("UNTAGGED"), json!([{ "imageDigest": old }]));
    assert_eq!(list("TAGGED"), json!([{ "imageDigest": new, "imageTag": "latest" }]));

    let ids = ["batch-get-image", "--repository-name", "moving", "--image-ids"];
    let got = bed.ecr(&[&ids[..], &["imageTag=latest", "imageTag=gone"]].concat()).json();
    assert_eq!(got["images"][0]["imageId"], json!({ "imageDigest": new, "imageTag": "latest" }));
    assert_eq!(got["failures"][0]["failureCode"], json!("ImageNotFound"));
    let manifest = got["images"][0]["imageManifest"].as_str().unwrap();
    let put = ["put-image", "--repository-name", "moving", "--image-tag", "stable", "--image-manifest", manifest];
    assert_eq!(bed.ecr(&put).json()["image"]["imageId"], json!({ "imageDigest": new, "imageTag": "stable" }));
    let wrong = format!("sha256:{}", "0".repeat(64));
    let complaint = bed.ecr(&[&put[..], &["--image-digest", &wrong]].concat()).fails();
    assert!(complaint.contains("ImageDigestDoesNotMatchException"), "{complaint}");

    let delete = |id: &str| bed.ecr(&["batch-delete-image", "--repository-name", "moving", "--image-ids", id]).json();
    assert_eq!(delete("imageTag=latest")["imageIds"], json!([{ "imageDigest": new, "imageTag": "latest" }]));
    assert_eq!(list("TAGGED"), json!([{ "imageDigest": new, "imageTag": "stable" }]));
    delete("imageTag=stable");
    assert_eq!(list("ANY"), json!([{ "imageDigest": old }]));
    assert_eq!(delete(&format!("imageDigest={old}"))["imageIds"], json!([{ "imageDigest": old }]));
    assert_eq!(delete("imageTag=latest")["failures"][0]["failureCode"], json!("ImageNotFound"));
    assert_eq!(list("ANY"), json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_a_repository() {
    let bed = Bed::start().await;
    let name = ["--repository-name", "set"];
    let with = |operation: &'static str, more: &[&str]| bed.ecr(&[&[operation], &name[..], more].concat());
    let filter = "filterType=WILDCARD,filter=v*";
    let create =
        ["--image-tag-mutability", "MUTABLE_WITH_EXCLUSION", "--image-tag-mutability-exclusion-filters", filter];
    let more = ["--encryption-configuration", "encryptionType=KMS", "--tags", "Key=team,Value=shop"];
    let scan = ["--image-scanning-configuration", "scanOnPush=true"];
    let created = with("create-repository", &[&create[..], &more, &scan].concat()).json()["repository"].clone();
    assert_eq!(created["imageTagMutability"], json!("MUTABLE_WITH_EXCLUSION"));
    assert_eq!(created["imageTagMutabilityExclusionFilters"], json!([{ "filterType": "WILDCARD", "filter": "v*" }]));
    assert_eq!(created["encryptionConfiguration"]["encryptionType"], json!("KMS"));
    assert_eq!(created["imageScanningConfiguration"], json!({ "scanOnPush": true }));
    let described = bed.ecr(&["describe-repositories", "--repository-names", "set"]).json();
    assert_eq!(described["repositories"], json!([created]));
    assert!(with("create-repository", &[]).fails().contains("RepositoryAlreadyExistsException"));
    assert!(with("put-image-tag-mutability", &create[..2]).fails().contains("InvalidParameterException"));
    let put = with("put-image-tag-mutability", &["--image-tag-mutability", "IMMUTABLE"]).json();
    assert_eq!(put["imageTagMutability"], json!("IMMUTABLE"));

    let arn = created["repositoryArn"].as_str().unwrap();
    bed.ecr(&["tag-resource", "--resource-arn", arn, "--tags", "Key=stage,Value=prod"]).succeeds();
    bed.ecr(&["untag-resource", "--resource-arn", arn, "--tag-keys", "team"]).succeeds();
    let tags = bed.ecr(&["list-tags-for-resource", "--resource-arn", arn]).json();
    assert_eq!(tags["tags"], json!([{ "Key": "stage", "Value": "prod" }]));

    assert!(with("get-repository-policy", &[]).fails().contains("RepositoryPolicyNotFoundException"));
    let policy = |who: &str| {
        let statement = json!({ "Effect": "Allow", "Principal": { "AWS": who }, "Action": "ecr:BatchGetImage" });
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    };
    with("set-repository-policy", &["--policy-text", &policy("123456789012").to_string()]).succeeds();
    let given = with("get-repository-policy", &[]).json()["policyText"].as_str().unwrap().to_owned();
    let given: Value = serde_json::from_str(&given).unwrap();
    assert_eq!(given, policy("arn:aws:iam::123456789012:root"), "ECR writes a policy anew");
    let refused = with("set-repository-policy", &["--policy-text", &policy("nobody").to_string()]).fails();
    assert!(refused.contains("Invalid repository policy provided"), "{refused}");
    with("delete-repository-policy", &[]).succeeds();
    assert!(with("get-lifecycle-policy", &[]).fails().contains("LifecyclePolicyNotFoundException"));
    let policy = json!({ "rules": [{ "rulePriority": 1, "selection": {
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1,
    }, "action": { "type": "expire" } }] });
    with("put-lifecycle-policy", &["--lifecycle-policy-text", &policy.to_string()]).succeeds();
    assert_eq!(with("get-lifecycle-policy", &[]).json()["lifecyclePolicyText"], json!(policy.to_string()));
    with("delete-repository", &[]).succeeds();
    assert!(with("delete-repository", &[]).fails().contains("RepositoryNotFoundException"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skopeo_both_ways() {
    let bed = Bed::start().await;
    bed.create_repository("skopeo/one");
    bed.create_repository("skopeo/two");
    let credentials = format!("AWS:{}", bed.password());
    let image = bed.build("longshore-test/skopeo:1", "skopeo");
    let skopeo = |arguments: &[&str]| bed.program("skopeo", &[&["--insecure-policy"], arguments].concat());
    let one = format!("docker://{}", bed.uri("skopeo/one:1"));
    let two = format!("docker://{}", bed.uri("skopeo/two:1"));
    let local = format!("docker-daemon:{}", image.name);
    let to = ["--dest-tls-verify=false", "--dest-creds", &credentials];
    let from = ["--src-tls-verify=false", "--src-creds", &credentials];
    skopeo(&[&["copy"], &to[..], &[&local, &one]].concat()).succeeds();
    skopeo(&[&["copy", "--format", "oci"], &from[..], &to, &[&one, &two]].concat()).succeeds();
    let inspect = |name: &str, more: &[&str]| -> Value {
        skopeo(&[&["inspect", "--tls-verify=false", "--creds", &credentials], more, &[name]].concat()).json()
    };
    let inspected = inspect(&two, &[]);
    assert_eq!(inspected["Digest"], json!(digest_of(&bed, "skopeo/two", "1")));
    assert_eq!(inspected["RepoTags"], json!(["1"]));
    assert_eq!(inspect(&two, &["--raw"])["config"]["mediaType"], json!("application/vnd.oci.image.config.v1+json"));
    let back = Image::named("longshore-test/skopeo:back");
    skopeo(&[&["copy"], &from[..], &[&two, &format!("docker-daemon:{}", back.name)]].concat()).succeeds();
    assert_eq!(bed.program("docker", &["run", "--rm", "--network=none", &back.name]).succeeds(), "skopeo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_nothing() {
    let bed = Bed::start().await;
    bed.create_repository("kept");
    bed.docker_login();
    let image = bed.build(&bed.uri("kept:1.0"), "kept");
    bed.program("docker", &["push", &image.name]).succeeds();
    let describe = |bed: &Bed| {
        let repositories = bed.ecr(&["describe-repositories"]).json();
        (repositories, bed.ecr(&["describe-images", "--repository-name", "kept"]).json())
    };
    let before = describe(&bed);
    let bed = bed.restart().await;
    assert_eq!(describe(&bed), before);
    bed.program("docker", &["rmi", "--force", &image.name]).succeeds();
    // The login from before the restart still opens the door.
    bed.program("docker", &["pull", "--quiet", &image.name]).succeeds();
    assert_eq!(bed.program("docker", &["run", "--rm", "--network=none", &image.name]).succeeds(), "kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_through_the_control_plane() {
    let bed = Bed::start().await;
    bed.create_repository("parts");
    let with =
        |operation: &'static str, more: &[&str]| bed.ecr(&[&[operation, "--repository-name", "parts"], more].concat());
    let layer = b"not really a tar archive";
    let digest = longshore::names::Digest::of(layer).to_string();
    let availability = || with("batch-check-layer-availability", &["--layer-digests", &digest]).json();
    assert_eq!(availability()["layers"][0]["layerAvailability"], json!("UNAVAILABLE"));
    let part = format!("fileb://{}", bed.file("layer", layer).display());
    let begun = with("initiate-layer-upload", &[]).json();
    let id = ["--upload-id", begun["uploadId"].as_str().unwrap()];
    assert!(
        with("complete-layer-upload", &[&id[..], &["--layer-digests", &digest]].concat())
            .fails()
            .contains("EmptyUpload")
    );
    let blob = ["--layer-part-blob", &part, "--part-last-byte"];
    let first = |first: &'static str, last: &'static str| {
        with("upload-layer-part", &[&id[..], &blob, &[last, "--part-first-byte", first]].concat())
    };
    assert!(first("5", "28").fails().contains("InvalidLayerPartException"));
    assert_eq!(first("0", "23").json()["lastByteReceived"], json!(23));
    let completed = with("complete-layer-upload", &[&id[..], &["--layer-digests", &digest]].concat()).json();
    assert_eq!(completed["layerDigest"], json!(digest));
    assert_eq!(availability()["layers"][0]["layerSize"], json!(24));

    let descriptor = |media_type: &str| json!({ "mediaType": media_type, "digest": digest, "size": 24 });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar")],
    });
    let put = with("put-image", &["--image-manifest", &manifest.to_string(), "--image-tag", "1"]).json();
    assert_eq!(put["image"]["imageId"]["imageTag"], json!("1"));
}
