//! Pushes that the daemon has no part in but handing the image out.

use serde_json::Value;

use crate::user::{Checkout, LocalServer, User, noise};

const PIPELINE: &str = "\
version: 1
defaults: { tags: [sha], push: direct, reuse: false, compression: \"${COMPRESSION:-gzip}\" }
images:
  web: { build: web, repository: UNIQUE/web }
";

fn checkout(user: &User) -> Checkout<'_> {
    let dockerfile = user.dockerfile("COPY noise text /\nENV QUOTED=<&>\nCOPY text /again\nCOPY text /once/more\n");
    let checkout = user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", &dockerfile),
        ("web/text", &"what compresses well\n".repeat(200_000)),
    ]);
    noise(&checkout.at("web/noise"), 3);
    checkout
}

fn report(checkout: &Checkout<'_>) -> Value {
    serde_json::from_str(&checkout.read("report.json")).unwrap()
}

/// What the registry keeps under the run's digest.
fn manifest(user: &User, server: &LocalServer, report: &Value) -> Value {
    server.env(user.longshore(&user.at("home"), &["login"])).succeeds();
    let skopeo = user.program("skopeo", &user.at("home"));
    let authfile = user.at("docker/config.json").display().to_string();
    let raw = skopeo.args(&["inspect", "--raw", "--tls-verify=false", "--authfile", &authfile]);
    let reference = report["images"][0]["references"][0].as_str().unwrap();
    serde_json::from_str(&raw.arg(format!("docker://{reference}")).succeeds()).unwrap()
}

#[test]
fn what_was_pushed_is_the_image_that_was_built() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let ran = server.run(&checkout).args(&["--report", "report.json"]).run().with_code(0);
    assert!(ran.err().contains("pushed without the daemon: `push: direct`"), "{}", ran.err());
    let first = report(&checkout);
    assert_eq!(first["images"][0]["push"]["by"], "direct");
    let manifest = manifest(&user, &server, &first);
    let built = user.images();
    assert_eq!(manifest["config"]["digest"].as_str(), Some(built[0].as_str()), "the engine's id");
    let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    assert_eq!(manifest["layers"][0]["mediaType"], layer);

    // Others pull it, and have what the engine had.
    let reference = first["images"][0]["references"][0].as_str().unwrap();
    user.remove_images();
    user.docker(&["pull", "--quiet", reference]).succeeds();
    assert_eq!(user.images(), built);

    // Once more, with what the registry has by now: nothing is sent again.
    let again = server.run(&checkout).args(&["--report", "report.json"]).run().with_code(0);
    assert!(again.err().contains("(all layers there already)"), "{}", again.err());
    assert_eq!(report(&checkout)["images"][0]["digest"], first["images"][0]["digest"]);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let user = User::new();
    let (checkout, one, all) = (checkout(&user), user.serve("one"), user.serve("all"));
    all.run(&checkout).args(&["--report", "report.json"]).succeeds();
    let digest = report(&checkout)["images"][0]["digest"].clone();
    let longshore = env!("CARGO_BIN_EXE_longshore");
    let alone = one.env(user.program("taskset", checkout.root())).args(&["-c", "0", longshore, "run"]);
    alone.args(&["--report", "report.json"]).succeeds();
    assert_eq!(report(&checkout)["images"][0]["digest"], digest);
}

#[test]
fn layers_are_zstd_where_that_is_asked_for() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    server.run(&checkout).env("COMPRESSION", "zstd").args(&["--report", "report.json"]).succeeds();
    let manifest = manifest(&user, &server, &report(&checkout));
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
    // A client that knows zstd unpacks all of it.
    let reference = report(&checkout)["images"][0]["references"][0].as_str().unwrap().to_owned();
    let authfile = user.at("docker/config.json").display().to_string();
    let skopeo = user.program("skopeo", &user.at("home")).args(&[
        "--insecure-policy",
        "copy",
        "--src-tls-verify=false",
        "--authfile",
        &authfile,
    ]);
    let folder = format!("dir:{}", user.at("image").display());
    skopeo.args(&["--dest-decompress", &format!("docker://{reference}"), &folder]).succeeds();
}
