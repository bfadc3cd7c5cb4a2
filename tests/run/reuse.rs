//! Never the same work twice, and all or nothing.

use serde_json::{Value, json};

use crate::user::{Checkout, LocalServer, User};

const PIPELINE: &str = "\
version: 1
environments: { prod: { branch: main } }
defaults: { tags: [sha, env] }
images:
  web: { build: web, repository: UNIQUE/web }
  worker: { build: worker, repository: UNIQUE/worker }
";

fn checkout(user: &User) -> Checkout<'_> {
    let dockerfile = user.dockerfile("COPY file /\n");
    user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("README", "of no image"),
        ("web/Dockerfile", &dockerfile),
        ("web/file", "web"),
        ("worker/Dockerfile", &dockerfile),
        ("worker/file", "worker"),
    ])
}

fn plan(server: &LocalServer, checkout: &Checkout<'_>, arguments: &[&str]) -> String {
    server.env(checkout.longshore(&["plan"])).args(arguments).succeeds()
}

/// The digest that each image has in what a run printed.
fn digests(printed: &str) -> Vec<(String, String)> {
    let image = |line: &str| {
        let (reference, digest) = line.split_once(' ')?;
        let name = reference.rsplit('/').next()?.split(':').next()?;
        Some((name.to_owned(), digest.to_owned()))
    };
    let mut all: Vec<_> = printed.lines().filter_map(image).collect();
    all.dedup();
    all
}

#[test]
fn an_unrelated_commit_builds_nothing_and_needs_no_daemon() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let first = server.run(&checkout).succeeds();
    checkout.write("README", "changed");
    checkout.commit();
    user.remove_images();
    let second = server.run(&checkout).env("DOCKER_HOST", "unix:///no/daemon").args(&["--report", "r.json"]);
    let second = second.run().with_code(0);
    let report: Value = serde_json::from_str(&checkout.read("r.json")).unwrap();
    assert!(report["images"][0]["size_bytes"].as_u64().is_some_and(|size| size > 0), "{report}");
    assert_eq!(digests(&second.stdout), digests(&first));
    let short = checkout.head()[..7].to_owned();
    let expected = format!(
        "\
the Docker daemon does not answer; images without a `platform` are taken for linux/amd64
web: not built: its content did not change: src-KEY
worker: not built: its content did not change: src-KEY
web    | tagged {short}
web    | prod names it already
worker | tagged {short}
worker | prod names it already
"
    );
    assert_eq!(second.err(), expected);
    assert!(checkout.read("imageDefinitions.json").contains(&digests(&first)[0].1));
}

#[test]
fn one_line_in_one_service_is_one_build() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let first = server.run(&checkout).succeeds();
    checkout.write("web/file", "another line");
    checkout.commit();
    let planned = plan(&server, &checkout, &[]);
    assert!(
        planned.contains("+ web: build and push to ") && planned.contains("\n    1 file changed: file\n"),
        "{planned}"
    );
    assert!(planned.contains("\n= worker: reuse sha256:"), "{planned}");
    assert_eq!(plan(&server, &checkout, &["--matrix"]), "[\"web\"]\n");

    let second = server.run(&checkout).run().with_code(0);
    let (before, after) = (digests(&first), digests(&second.stdout));
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
    let moved = format!("web    | tagged prod, which named {}\n", before[0].1);
    assert!(second.stderr.contains(&moved), "{}", second.stderr);
}

#[test]
fn a_plan_answers_by_its_exit_code() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let code = || server.env(checkout.longshore(&["plan", "--json", "--detailed-exitcode"])).run();
    let before = code().with_code(2);
    let plan: Value = serde_json::from_str(&before.stdout).unwrap();
    assert_eq!((&plan["changes"], &plan["images"][0]["action"]), (&json!(true), &json!("build")));
    assert_eq!(plan["images"][0]["why"], json!(["first run: the repository is new"]));
    server.run(&checkout).succeeds();
    let after = code().with_code(0);
    let plan: Value = serde_json::from_str(&after.stdout).unwrap();
    assert_eq!((&plan["changes"], &plan["images"][0]["action"]), (&json!(false), &json!("reuse")));
    checkout.write("longshore.yaml", "version: 2\n");
    code().with_code(1);
}

#[test]
fn the_same_commit_in_another_clone_is_the_same_content() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let first = server.run(&checkout).succeeds();
    let clone = user.folder_of("clone", &[]);
    clone.git(&["clone", "--quiet", &checkout.root().display().to_string(), "."]);
    clone.git(&["config", "core.sharedRepository", "0600"]);
    let second = server.run(&clone).run().with_code(0);
    assert_eq!(digests(&second.stdout), digests(&first));
    assert!(second.err().starts_with("web: not built: its content did not change: src-KEY\n"), "{}", second.err());
}

#[test]
fn a_build_can_be_forced_and_stopped_before_the_release() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    let staged = server.run(&checkout).args(&["--no-tag"]).run().with_code(0);
    assert!(staged.out().starts_with("HOST/UNIQUE/web@DIGEST DIGEST\n"), "{}", staged.out());
    assert!(!checkout.at("imageDefinitions.json").exists());
    let forced = server.run(&checkout).args(&["--force"]).run().with_code(0);
    assert!(forced.err().contains("web    | built ID in TIME"), "{}", forced.err());
    assert!(forced.err().contains("web    | tagged prod\n"), "{}", forced.err());
}

#[test]
fn two_runs_at_once_release_the_same_images() {
    let user = User::new();
    let (checkout, server) = (checkout(&user), user.serve("data"));
    // Two labels that are no part of the key, so that the two images differ in their digests.
    let clone = user.folder_of("clone", &[]);
    clone.git(&["clone", "--quiet", &checkout.root().display().to_string(), "."]);
    let version =
        |checkout: &Checkout<'_>, tag: &str| server.run(checkout).args(&["--git-tag", tag, "--env", "prod"]).start();
    let (first, second) = (version(&checkout, "v1.0.0"), version(&clone, "v2.0.0"));
    let (first, second) = (first.end(), second.end());
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}\n{}", first.stderr, second.stderr);
    let plan = plan(&server, &checkout, &["--git-tag", "v1.0.0", "--env", "prod", "--json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["changes"], json!(false), "every tag names the one image of this content: {plan}");
}

#[test]
fn a_base_that_moved_is_built_on_also_where_the_daemon_has_an_older_copy() {
    let user = User::new();
    let server = user.serve("data");
    let base = user.checkout(&[
        ("longshore.yaml", "version: 1\nimages: { base: { build: ., repository: UNIQUE/base, tags: [one] } }\n"),
        ("Dockerfile", &user.dockerfile("COPY file /base\n")),
        ("file", "old"),
    ]);
    let reference = format!("{}/{}/base:one", server.host(), user.unique());
    server.run(&base).succeeds();
    server.env(base.longshore(&["login"])).succeeds();
    user.docker(&["pull", "--quiet", &reference]).succeeds();
    base.write("file", "new");
    base.commit();
    server.run(&base).succeeds();

    let web = user.folder_of("web", &[]);
    web.write("longshore.yaml", "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n");
    web.add_busybox("");
    web.write("Dockerfile", &format!("FROM {reference}\nLABEL longshore.test=UNIQUE\nCOPY busybox /bin/busybox\n"));
    let built = server.run(&web).run().with_code(0);
    let image = built.stdout.split_whitespace().next().unwrap();
    let cat = ["run", "--rm", "--network=none", "--entrypoint=/bin/busybox", image, "cat", "/base"];
    assert_eq!(user.docker(&cat).succeeds(), "new");
    let planned = plan(&server, &web, &[]);
    assert!(planned.contains("= web: reuse "), "{planned}");
}

#[test]
fn a_context_that_holds_git_is_warned_of() {
    let user = User::new();
    let pipeline = "version: 1\nimages: { web: { build: ., repository: UNIQUE/web, tags: [one] } }\n";
    let checkout = user.checkout(&[("longshore.yaml", pipeline), ("Dockerfile", &user.dockerfile("COPY . /\n"))]);
    let told = "warning: the context of image `web` holds `.git`: it is built anew for every commit\n\
                hint: list `.git` in a `.dockerignore` beside it, unless the build needs it\n";
    let plan = checkout.longshore(&["plan", "--local", "--data"]).arg(user.at("data")).run().with_code(0);
    assert_eq!(plan.stderr, told);
    checkout.write(".dockerignore", ".git\n");
    let plan = checkout.longshore(&["plan", "--local", "--data"]).arg(user.at("data")).run().with_code(0);
    assert_eq!(plan.stderr, "");
    checkout.write("longshore.yaml", &pipeline.replace("tags:", "reuse: false, tags:"));
    std::fs::remove_file(checkout.at(".dockerignore")).unwrap();
    checkout.commit();
    let plan = checkout.longshore(&["plan", "--local", "--data"]).arg(user.at("data")).run().with_code(0);
    assert_eq!(plan.stderr, "", "who builds always is not told why");
}
