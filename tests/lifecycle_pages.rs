//! A repository of more images than any page holds, and indexes of more than one look-up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is how a test fails")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use longshore::effects::ecr::{EcrClient, EcrSettings, LocalEndpoint};
use longshore::effects::tls;
use longshore::facts::Variables;
use longshore::lifecycle::{disagreements, evaluate, read_json};
use support::Bed;

const IMAGES: usize = 1050;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pages_are_read() {
    tls::install_provider();
    let bed = Bed::start().await;
    let sdk = support::ecr_client(&bed.server);
    sdk.create_repository().repository_name("full").send().await.unwrap();
    let put = |number: usize, child: Option<String>| {
        let listed =
            child.map(|digest| format!(r#"{{"mediaType":"x","digest":"{digest}","size":1}}"#)).unwrap_or_default();
        let media_type = "application/vnd.oci.image.index.v1+json";
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{listed}],"annotations":{{"n":"{number}"}}}}"#
        );
        let call = sdk.put_image().repository_name("full").image_manifest(manifest);
        async move {
            let image = call.send().await.unwrap().image.unwrap();
            image.image_id().unwrap().image_digest().unwrap().to_owned()
        }
    };
    let child = put(0, None).await;
    let first = put(1, Some(child.clone())).await;
    stream::iter(2..IMAGES).map(|number| put(number, None)).buffer_unordered(8).collect::<Vec<_>>().await;

    let local = LocalEndpoint {
        url: bed.server.endpoint(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
    };
    let settings =
        EcrSettings { region: Some(bed.server.region().clone()), local: Some(local), ..EcrSettings::default() };
    let ecr = EcrClient::connect(&settings, &Variables::new(), &Arc::default()).await.unwrap();
    let name = "full".parse().unwrap();
    let images = ecr.images(&name).await.unwrap();
    let digests: BTreeSet<&str> = images.iter().map(|image| image.digest.as_str()).collect();
    assert_eq!(digests.len(), IMAGES);
    let index = images.iter().find(|image| image.digest == first).unwrap();
    assert_eq!(index.children, [child]);

    let policy = r#"{"rules":[{"rulePriority":7,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#;
    let policy = read_json(policy).unwrap().policy;
    let preview = ecr.preview_lifecycle(&name, Some(&policy)).await.unwrap();
    assert_eq!(preview.taken.len(), IMAGES - 2, "all but the newest and the child");
    let outcome = evaluate(&policy, &images, images.iter().map(|image| image.pushed_at).max().unwrap());
    assert_eq!(disagreements(&outcome, &preview), []);
}
