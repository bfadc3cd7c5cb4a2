//! A panic's message, a log line, a failed comparison: what any of them shows of a value is its `Debug`. So the `Debug` of
//! whatever holds a secret shows none of it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test touches the world")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use longshore::diagnostic::{Diagnostic, Diagnostics};
use longshore::effects::docker::DockerSettings;
use longshore::effects::git;
use longshore::execute::ports::{BuildInputs, Credential, Login};
use longshore::pipeline::{self, ContextSource, NamedContext};

const CANARY: &str = "canary0in0debug";

#[track_caller]
fn is_clean(value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn credentials_and_the_environment() {
    let credential = Credential::new("AWS", CANARY, None);
    is_clean(&credential);
    let login = Login { host: "127.0.0.1:5000".parse().unwrap(), credential };
    is_clean(&BuildInputs { login: Some(login.clone()), ..BuildInputs::default() });
    is_clean(&login);
    is_clean(&DockerSettings::from_environment(&BTreeMap::from([("NPM_TOKEN".to_owned(), CANARY.to_owned())])));
}

#[test]
fn addresses() {
    for url in [format!("https://me:{CANARY}@host/a.git"), format!("https://host/a.tar?sig={CANARY}")] {
        is_clean(&ContextSource::Remote(url.clone()));
        is_clean(&NamedContext::Remote(url));
    }
    assert_eq!(format!("{:?}", ContextSource::Folder("a".into())), "Folder(\"a\")");
}

const PIPELINE: &str = "\
version: 1
images:
  web:
    build:
      context: \"https://me:SECRET@host/a.git\"
      additional_contexts: { more: \"https://host/a.tar?sig=SECRET\" }
      cache_from: [\"type=gha,token=SECRET\", \"type=s3,bucket=b,region=r,secret_access_key=${MY_KEY}\"]
    repository: shop/web
    tags: [x]
";

fn read(text: &str) -> Result<(pipeline::Pipeline, Vec<Diagnostic>), Diagnostics> {
    let file = pipeline::parse("longshore.yaml", text.replace("SECRET", CANARY)).unwrap();
    is_clean(&file);
    file.resolve(&|_| Some(CANARY.to_owned()))
}

#[test]
fn a_pipeline_and_what_is_wrong_with_it() {
    let (pipeline, _) = read(PIPELINE).unwrap();
    is_clean(&pipeline);
    let printed = longshore::pipeline::to_yaml(&pipeline).unwrap();
    assert!(!printed.contains(CANARY), "{printed}");
    is_clean(&read(&PIPELINE.replace("tags", "API_TOKEN: SECRET\n    tgas")).unwrap_err());
}

#[test]
fn the_remote_of_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    let repository = git2::Repository::init(folder.path()).unwrap();
    repository.remote("origin", &format!("https://me:{CANARY}@host/shop.git")).unwrap();
    is_clean(&git::look(folder.path()).unwrap().unwrap());
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The environment is a plain map, whose `Debug` shows everything.
#[test]
fn nothing_that_holds_the_environment_derives_its_debug() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root).into_iter().filter(|path| !path.starts_with(root.join("dockerfile"))) {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("#[derive(") {
            let (derived, rest) = text[at..].split_once(']').unwrap();
            let body = rest.split("\n}").next().unwrap().split("\nimpl").next().unwrap();
            let holds = body.contains("struct ")
                && (body.contains(": Variables") || body.contains("<Variables>") || body.contains("&'a Variables"));
            assert!(!(derived.contains("Debug") && holds), "{}: {body}", path.display());
        }
    }
}
