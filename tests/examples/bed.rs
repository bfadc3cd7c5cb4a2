//! What all CI systems are given: a repository of two images, a release to install, and a registry.

use std::path::Path;

use serde_json::Value;

use crate::user::{Call, Checkout, LocalServer, User};

pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

const PIPELINE: &str = "\
version: 1
defaults: { gate: HIGH }
images:
  web: { build: web, repository: UNIQUE/web, tags: [semver, sha] }
  worker: { build: worker, repository: UNIQUE/worker, tags: [semver, sha] }
";

/// An example's text.
pub fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// An example that is YAML.
pub fn parsed(name: &str) -> Value {
    serde_yaml::from_str(&example(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A list of texts, or a text alone.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        Value::Null => Vec::new(),
        other => panic!("{other} is no list of texts"),
    }
}

/// Variables as an example declares them.
pub fn variables(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A checkout of two images, tagged v1.2.3.
pub fn checkout(user: &User) -> Checkout<'_> {
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    let files = [
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", dockerfile.as_str()),
        ("worker/Dockerfile", dockerfile.as_str()),
        (".gitignore", "*.json\n*.env\n*.properties\n*.xml\nout/\n"),
    ];
    let checkout = user.checkout(&files);
    checkout.git(&["tag", "v1.2.3"]);
    checkout
}

/// A program in the checkout, with the registry's variables and the place of a release.
pub fn program(user: &User, server: &LocalServer, checkout: &Checkout<'_>, name: &str) -> Call {
    server
        .env(user.program(name, checkout.root()))
        .env("LONGSHORE_RELEASES", release(user))
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

/// A release of this version whose archive holds the program under test; gives its URL.
fn release(user: &User) -> String {
    let folder = user.at("releases").join(VERSION);
    if !folder.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        // A link in place of the binary, which is large while it is being developed.
        let pack = "ln -sf \"$1\" longshore && name=longshore-$2-$(uname -m)-unknown-linux-gnu.tar.gz && \
                    tar -czf \"$name\" longshore && sha256sum \"$name\" >\"$name.sha256\"";
        let binary = env!("CARGO_BIN_EXE_longshore");
        user.program("sh", &folder).args(&["-euc", pack, "sh", binary, VERSION]).succeeds();
    }
    format!("file://{}", user.at("releases").display())
}

/// What the gates found, as a CI system shows it: a suite for each image, and nothing in the way of its release.
pub fn shows_scans(junit: &str) {
    for image in ["web", "worker"] {
        assert!(junit.contains(&format!("name=\"{image}")), "no suite of `{image}` in {junit}");
    }
    assert!(junit.starts_with("<?xml ") && junit.contains("<testsuites") && !junit.contains("<failure"), "{junit}");
}

/// Puts the program under test on a PATH of the user's, for CI systems whose agents have it.
pub fn path_with_binary(user: &User) -> String {
    let bin = user.at("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let link = bin.join("longshore");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_longshore"), link).unwrap();
    }
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// Writes a program of the user's, for one that only a CI system has.
pub fn stand_in(user: &User, name: &str, script: &str) {
    let path = user.at("bin").join(name);
    user.write(&path, script);
    user.program("chmod", &user.at("home")).arg("+x").arg(path).succeeds();
}

/// The tags that a repository has, but for those of staging and of the layer cache, which CodeBuild gets.
pub fn tags(user: &User, server: &LocalServer, checkout: &Checkout<'_>, image: &str) -> Vec<String> {
    let password = server.env(checkout.longshore(&["login", "--print"])).succeeds();
    let url = format!("http://{}/v2/{}/{image}/tags/list", server.host(), user.unique());
    let credential = format!("AWS:{}", password.trim());
    let listed = user.program("curl", checkout.root()).args(&["--silent", "--user", &credential, &url]).succeeds();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let mut tags: Vec<String> =
        listed["tags"].as_array().into_iter().flatten().map(|tag| tag.as_str().unwrap().to_owned()).collect();
    tags.retain(|tag| !tag.starts_with("src-") && !tag.starts_with("cache-"));
    // Versions have a shape that sorts them; a commit may begin with any digit, so it comes last.
    let commit = checkout.head()[..7].to_owned();
    tags.sort_by_key(|tag| (*tag == commit, tag.clone()));
    tags
}
