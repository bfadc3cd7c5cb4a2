//! `longshore key` over real git checkouts and a real registry.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test touches the world"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const PIPELINE: &str = "version: 1\nimages:\n  web:\n    build: { context: web, platform: linux/amd64, args: { B: two, A: one } }\n  \
                        worker:\n    build: { context: worker, platform: linux/amd64 }\n    depends_on: [web]\n  \
                        other:\n    build: { context: other, platform: linux/amd64 }\n";

/// A repository with three images and one commit.
struct Origin(TempDir);

impl Origin {
    fn new() -> Self {
        let origin = Origin(tempfile::tempdir().unwrap());
        let root = origin.0.path();
        for image in ["web", "worker", "other"] {
            fs::create_dir_all(root.join(image).join("src/deep")).unwrap();
            fs::write(root.join(image).join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
            fs::write(root.join(image).join("src/a"), image).unwrap();
            fs::write(root.join(image).join("src/deep/b"), "b").unwrap();
            fs::write(root.join(image).join(".dockerignore"), "*.log\n").unwrap();
        }
        fs::write(root.join("web/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(root.join("web/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("src/a", root.join("web/link")).unwrap();
        fs::write(root.join("longshore.yaml"), PIPELINE).unwrap();
        git(root, &["init", "--quiet", "--initial-branch=main"]);
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "--message=one"]);
        origin
    }

    /// A clone as another user would have made it.
    fn cloned(&self, umask: &str) -> Checkout {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("somewhere/else");
        let script = format!("umask {umask} && git clone --quiet \"$0\" \"$1\"");
        let mut clone = Command::new("sh");
        clone.args(["-c", &script]).arg(self.0.path()).arg(&path).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(clone.status().unwrap().success());
        Checkout { path, _folder: folder }
    }
}

struct Checkout {
    path: PathBuf,
    _folder: TempDir,
}

impl Checkout {
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&key(&self.path, None, &[&["--json"], arguments].concat()).0).unwrap()
    }

    /// The keys of web, worker and other.
    fn keys(&self) -> [String; 3] {
        let json = self.json(&[]);
        ["web", "worker", "other"].map(|name| json["images"][name]["key"].as_str().unwrap().to_owned())
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path.join(path), text).unwrap();
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs `longshore key`, and returns what it printed to stdout and stderr.
fn key(folder: &Path, docker_config: Option<&Path>, arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("key")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("DOCKER_CONFIG", docker_config.unwrap_or(Path::new("/nowhere")))
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "us-east-1")])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

#[test]
fn the_same_commit_has_the_same_keys_wherever_it_is() {
    let origin = Origin::new();
    let first = origin.cloned("022");
    let second = origin.cloned("077");
    // Only root can give files away; where that cannot be tried, times and modes differ all the same.
    let _ = Command::new("chown").args(["-R", "12345:54321"]).arg(&second.path).status();
    fs::File::options()
        .write(true)
        .open(second.path.join("web/src/a"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(first.keys(), second.keys());
    assert_eq!(first.keys().iter().collect::<BTreeSet<_>>().len(), 3);
    let (plain, _) = key(&first.path, None, &["web"]);
    assert_eq!(plain.trim(), first.keys()[0]);
}

#[test]
fn what_changes_a_key_and_what_does_not() {
    let origin = Origin::new();
    let checkout = origin.cloned("022");
    let [web, worker, other] = checkout.keys();

    // Nothing that the builder sees.
    checkout.write("web/debug.log", "ignored");
    checkout.write("README", "outside");
    fs::set_permissions(checkout.path.join("web/src/a"), fs::Permissions::from_mode(0o660)).unwrap();
    git(&checkout.path, &["commit", "--quiet", "--allow-empty", "--message=two"]);
    assert_eq!(checkout.keys(), [web.clone(), worker.clone(), other.clone()]);

    // One byte, and with it the image that depends on it.
    checkout.write("web/src/a", "wEb");
    let changed = checkout.keys();
    assert!(changed[0] != web && changed[1] != worker && changed[2] == other);
    checkout.write("web/src/a", "web");
    assert_eq!(checkout.keys()[0], web);

    let path = |name: &str| checkout.path.join("web").join(name);
    fs::set_permissions(path("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_ne!(checkout.keys()[0], web, "the executable bit");
    fs::set_permissions(path("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();

    fs::rename(path("src/a"), path("src/c")).unwrap();
    assert_ne!(checkout.keys()[0], web, "a name");
    fs::rename(path("src/c"), path("src/a")).unwrap();

    fs::remove_file(path("link")).unwrap();
    fs::copy(path("src/a"), path("link")).unwrap();
    assert_ne!(checkout.keys()[0], web, "a file in place of a link to it");
    fs::remove_file(path("link")).unwrap();
    std::os::unix::fs::symlink("src/a", path("link")).unwrap();
    assert_eq!(checkout.keys(), [web.clone(), worker, other]);

    checkout.write("longshore.yaml", &PIPELINE.replace("{ B: two, A: one }", "[A=one, B=two]"));
    assert_eq!(checkout.keys()[0], web, "the order of arguments does not count");
    checkout.write(
        "longshore.yaml",
        &PIPELINE.replace("A: one }", "A: one }, labels: { org.opencontainers.image.revision: x }"),
    );
    assert_eq!(checkout.keys()[0], web, "nor do labels that change with each commit");
    checkout.write("longshore.yaml", &PIPELINE.replace("A: one", "A: three"));
    assert_ne!(checkout.keys()[0], web);
}

#[test]
fn a_context_with_its_git_folder_follows_the_commit_only_where_it_can_be_copied() {
    let origin = Origin::new();
    let pipeline = "version: 1\nimages:\n  all: { build: { context: ., platform: linux/amd64, dockerfile_inline: \"FROM scratch\\nCOPY . /\" } }\n  \
                    part: { build: { context: ., platform: linux/amd64, dockerfile_inline: \"FROM scratch\\nCOPY web /\" } }\n";
    fs::write(origin.0.path().join("longshore.yaml"), pipeline).unwrap();
    git(origin.0.path(), &["commit", "--quiet", "--all", "--message=pipeline"]);
    let keys = |checkout: &Checkout| {
        let json = checkout.json(&[]);
        ["all", "part"].map(|name| json["images"][name]["key"].as_str().unwrap().to_owned())
    };
    let (first, second) = (origin.cloned("022"), origin.cloned("002"));
    assert_eq!(keys(&first), keys(&second));
    git(&first.path, &["commit", "--quiet", "--allow-empty", "--message=two"]);
    let after = keys(&first);
    assert_ne!(after[0], keys(&second)[0]);
    assert_eq!(after[1], keys(&second)[1]);
    git(&second.path, &["tag", "v1"]);
    assert_ne!(keys(&second)[0], keys(&origin.cloned("022"))[0], "`git describe` would say so as well");
}

#[test]
fn an_image_whose_inputs_are_not_known_says_so() {
    let origin = Origin::new();
    let checkout = origin.cloned("022");
    checkout.write("web/Dockerfile", "FROM scratch\nADD https://example.com/x /\n");
    let (plain, warnings) = key(&checkout.path, None, &["web", "worker"]);
    assert_eq!(plain.trim(), "");
    assert!(
        warnings.contains("image `web` has no key and is always built: its Dockerfile adds `https://example.com/x`")
    );
    assert!(warnings.contains("image `worker` has no key and is always built: image `web`, which it depends on"));
    let (explained, _) = key(&checkout.path, None, &["--explain", "other"]);
    assert!(explained.starts_with("other  ") && explained.contains(", kept as src-"), "{explained}");
}

#[test]
fn who_builds_on_an_image_of_the_same_pipeline_is_always_built() {
    let origin = Origin::new();
    let checkout = origin.cloned("022");
    // Nothing answers there, so a look-up would fail.
    checkout.write("longshore.yaml", &PIPELINE.replace("images:", "registry: { host: '127.0.0.1:1' }\nimages:"));
    let based = "FROM 127.0.0.1:1/web:latest\nCOPY . /\n";
    checkout.write("worker/Dockerfile", based);
    checkout.write("other/Dockerfile", based);
    let json = checkout.json(&[]);
    let reason =
        "its base `127.0.0.1:1/web:latest` is image `web` of this pipeline, and its tag moves at the end of the run";
    assert!(json["images"]["web"]["key"].is_string());
    for name in ["worker", "other"] {
        assert_eq!(json["images"][name]["always_built"], reason, "{name}");
    }
}

/// What few builds have enters the key, and is told; what is fetched from a URL is known only by its commit.
#[test]
fn named_contexts_and_options_enter() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (path, text) in
        [("web/Dockerfile", "FROM scratch\nCOPY --from=shared . /\n"), ("shared/a", "1"), ("shared/b", "1")]
    {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    fs::write(root.join("shared/.dockerignore"), "b\n").unwrap();
    let shown = |more: &str| {
        let build = format!("context: web, platform: linux/amd64, additional_contexts: {{ shared: shared }}{more}");
        fs::write(root.join("longshore.yaml"), format!("version: 1\nimages: {{ web: {{ build: {{ {build} }} }} }}\n"))
            .unwrap();
        key(root, None, &[]).0
    };
    let before = shown("");
    assert_eq!(before, shown(", no_cache_filter: [a]"), "it changes no result");
    let others = [
        ", ulimits: { nofile: 10 }",
        ", ssh: default",
        ", privileged: true",
        ", sbom: true",
        ", secrets: [\"id=a,src=nowhere\"]",
        ", dockerfile_inline: FROM scratch",
    ];
    let all: BTreeSet<String> = others.iter().map(|more| shown(more)).chain([before.clone()]).collect();
    assert_eq!(all.len(), others.len() + 1);
    fs::write(root.join("shared/b"), "2").unwrap();
    assert_eq!(before, shown(""), "the folder's own .dockerignore leaves it out");
    fs::write(root.join("shared/a"), "2").unwrap();
    assert_ne!(before, shown(""));

    let commit = "0123456789abcdef0123456789abcdef01234567";
    let remote = |fragment: &str| {
        let build = format!(
            "context: 'https://me:hunter2@example.com/a.git{fragment}', dockerfile_inline: FROM scratch, platform: linux/amd64"
        );
        fs::write(root.join("longshore.yaml"), format!("version: 1\nimages: {{ web: {{ build: {{ {build} }} }} }}\n"))
            .unwrap();
        key(root, None, &["--explain"]).0
    };
    let pinned = remote(&format!("#{commit}"));
    assert!(pinned.contains(&format!("https://example.com/a.git#{commit}")), "{pinned}");
    let moving = remote("#main");
    assert!(
        moving.contains("always built: its context, `https://example.com/a.git#main`, may hold something else"),
        "{moving}"
    );
    assert!(!pinned.contains("hunter2") && !moving.contains("hunter2"));
}
