//! `longshore images` and `longshore cost` where ECR has to be asked again.

use serde_json::json;

use crate::user::User;

const ONCE: &str = "
faults:
  - { operation: DescribeImages, nth: 1, answer: { status: 400, code: ThrottlingException } }
  - { operation: BatchGetImage, nth: 1, answer: { status: 503 } }
  - { operation: DescribeRepositories, nth: 1, answer: { status: 500, code: ServerException } }
  - { operation: BatchDeleteImage, nth: 1, reset: true }
";

#[test]
fn what_passes_is_waited_for() {
    let user = User::new();
    let server = user.serve_with_faults("data", ONCE);
    server.ask("CreateRepository", &json!({ "repositoryName": "shop/web" }));
    // An index of nothing needs nothing.
    let index = "application/vnd.oci.image.index.v1+json";
    for tag in ["1.0", "2.0"] {
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": index, "manifests": [], "annotations": { "tag": tag } });
        server.ask(
            "PutImage",
            &json!({ "repositoryName": "shop/web", "imageTag": tag, "imageManifest": manifest.to_string() }),
        );
    }
    let longshore = |arguments: &[&str]| server.env(user.longshore(&user.at("home"), arguments)).succeeds();
    let listed = longshore(&["images", "ls", "shop/web"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(longshore(&["cost"]).starts_with("shop/web: 0 B in 2 images"));
    longshore(&["images", "rm", "shop/web", "1.0", "--yes"]);
    assert_eq!(server.tags("shop/web").into_keys().collect::<Vec<_>>(), ["2.0"]);
    let struck = user.logged().into_iter().filter(|line| line.get("faults").is_some()).count();
    assert_eq!(struck, 4, "each of the faults struck");
}
