//! What a registry can name already is neither compressed nor sent by the push.

use serde_json::Value;

use crate::user::{Call, LocalServer, User, noise};

const PIPELINE: &str = "\
version: 1
defaults: { tags: [sha], build: { args: { BASE: \"${BASE}\" } } }
images:
  web: { build: web, repository: UNIQUE/web }
  worker: { build: worker, repository: UNIQUE/worker }
";

/// An image with one layer over 10 MB in a registry, pushed by the shared daemon, which so remembers its digest.
fn base(user: &User, mirror: &LocalServer) -> String {
    let reference = format!("{}/{}/base:1", mirror.host(), user.unique());
    noise(&user.at("base/noise"), 12);
    user.write(&user.at("base/Dockerfile"), &user.dockerfile("COPY noise /\n"));
    let aws = |arguments: &[&str]| {
        let call = mirror.env(user.program("aws", &user.at("home")));
        call.args(&["ecr", "--endpoint-url", &format!("http://{}", mirror.host())]).args(arguments).succeeds();
    };
    aws(&["create-repository", "--repository-name", &format!("{}/base", user.unique())]);
    mirror.env(user.longshore(&user.at("home"), &["login"])).succeeds();
    user.docker(&["build", "--quiet", "--tag", &reference, "base"]).succeeds();
    user.docker(&["push", "--quiet", &reference]).succeeds();
    reference
}

/// What the registry keeps under a reference: the digests of the layers.
fn layers(user: &User, server: &LocalServer, reference: &str) -> Vec<String> {
    let skopeo = server.env(user.program("skopeo", &user.at("home")));
    let authfile = user.at("docker/config.json").display().to_string();
    let raw = skopeo.args(&["inspect", "--raw", "--tls-verify=false", "--authfile", &authfile]);
    let manifest: Value = serde_json::from_str(&raw.arg(format!("docker://{reference}")).succeeds()).unwrap();
    manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

fn run(server: &LocalServer, checkout: &crate::user::Checkout<'_>, base: &str) -> Call {
    server.run(checkout).env("BASE", base)
}

#[test]
fn the_base_s_own_blobs_are_put_there_while_the_image_builds() {
    let user = User::new();
    let (mirror, server) = (user.serve("mirror"), user.serve("data"));
    let base = base(&user, &mirror);
    let dockerfile =
        "ARG BASE\nFROM $BASE AS built\nCOPY file /\nFROM built\nCOPY file /again\nLABEL longshore.test=UNIQUE\n";
    let checkout = user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", dockerfile),
        ("web/file", "web"),
        ("worker/Dockerfile", dockerfile),
        ("worker/file", "worker"),
    ]);
    let ran = run(&server, &checkout, &base).run().with_code(0);
    for image in ["web   ", "worker"] {
        let told = format!("{image} | 1 layer of its base in place");
        assert!(ran.err().contains(&told), "{}", ran.err());
        let told = ran.err();
        let pushed = told.lines().find(|line| line.starts_with(image) && line.contains("pushed")).unwrap();
        assert!(pushed.ends_with("(2 layers sent, 1 there already)"), "{pushed}");
    }
    mirror.env(user.longshore(&user.at("home"), &["login"])).succeeds();
    let original = layers(&user, &mirror, &base).remove(0);
    server.env(user.longshore(&user.at("home"), &["login"])).succeeds();
    for line in ran.stdout.lines() {
        let reference = line.split(' ').next().unwrap();
        let layers = layers(&user, &server, reference);
        assert_eq!(layers[0], original, "the engine took the base's blob for its own layer");
    }
}
