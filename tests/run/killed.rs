//! Runs that were killed, at every phase, and the run after them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::user::{Checkout, LocalServer, Signal, User, is_running, wait_for};

const PIPELINE: &str = "\
version: 1
environments: { prod: { branch: main } }
defaults: { tags: [sha, env] }
images:
  web: { build: web, repository: UNIQUE/web }
  worker: { build: worker, repository: UNIQUE/worker, depends_on: [web] }
";

const IMAGES: [&str; 2] = ["web", "worker"];

fn checkout<'a>(user: &'a User, worker: &str) -> Checkout<'a> {
    let checkout = user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", &user.dockerfile("COPY file /\n")),
        ("web/file", "web"),
        ("worker/Dockerfile", &user.dockerfile(worker)),
        ("worker/file", "worker"),
    ]);
    checkout.add_busybox("worker");
    checkout.commit();
    checkout
}

/// Kills a run while an operation is held, lets it go, and looks at what came of it and of the runs after.
fn killed_while_held(operation: &str) {
    let user = User::new();
    let server = user.serve_with_faults("data", &format!("faults: [{{ {operation}, hold: gate }}]\n"));
    let checkout = checkout(&user, "COPY file /\n");
    let mut running = server.run(&checkout).start();
    running.wait_for("the held operation", |_| user.at("gate.held").exists().then_some(()));
    running.signal(Signal::KILL);
    running.end();
    let left = all_tags(&server, &user);
    user.write(&user.at("gate"), "");
    converges(&user, &server, &checkout, &left);
}

/// What every tag names, by image and tag.
fn all_tags(server: &LocalServer, user: &User) -> BTreeMap<(String, String), String> {
    let of = |image: &str| {
        let tags = server.tags(&format!("{}/{image}", user.unique()));
        let image = image.to_owned();
        tags.into_iter().map(move |(tag, digest)| ((image.clone(), tag), digest))
    };
    IMAGES.iter().flat_map(|image| of(image)).collect()
}

/// The next run does what is left, the one after it nothing, and no release tag was ever written before every image
/// was staged.
fn converges(user: &User, server: &LocalServer, checkout: &Checkout<'_>, left: &BTreeMap<(String, String), String>) {
    let again = server.run(checkout).run().with_code(0);
    assert_eq!(again.out().matches(" DIGEST\n").count(), 4, "{}", again.out());
    let after = all_tags(server, user);
    for (name, digest) in left {
        assert_eq!(after.get(name), Some(digest), "{name:?} named something that the next run did not stand by");
    }
    let nothing = server.run(checkout).run().with_code(0);
    assert!(!nothing.err().contains("built ID") && !nothing.err().contains("tagged "), "{}", nothing.err());
    assert_eq!(nothing.stdout, again.stdout);
    for image in IMAGES {
        let of_image: Vec<_> = after.iter().filter(|((name, _), _)| name == image).collect();
        assert_eq!(of_image.len(), 3, "the staging tag and two release tags: {of_image:?}");
        assert!(of_image.iter().all(|(_, digest)| *digest == of_image[0].1), "{of_image:?}");
    }
    assert_eq!(user.left_behind(), Vec::<String>::new());

    let mut staged = Vec::new();
    for line in user.logged().iter().filter(|line| is_written(line)) {
        let (repository, tag) = (line["repository"].as_str().unwrap(), line["reference"].as_str().unwrap());
        if tag.starts_with("src-") {
            staged.push(repository.to_owned());
        } else if !tag.starts_with("sha256") {
            let all = IMAGES.iter().all(|image| staged.contains(&format!("{}/{image}", user.unique())));
            assert!(all, "`{tag}` was written when only {staged:?} were staged");
        }
    }
}

/// Whether a line of the log is a manifest that arrived.
fn is_written(line: &Value) -> bool {
    line["operation"] == "registry:PutManifest" && line["status"] == 201
}

#[test]
fn before_anything_is_there() {
    killed_while_held("operation: CreateRepository, nth: 1");
}

#[test]
fn between_two_repositories() {
    killed_while_held("operation: CreateRepository, nth: 1, when: after");
}

#[test]
fn in_the_middle_of_a_build() {
    let user = User::new();
    let server = user.serve_with_faults("data", "{}");
    // A time that no other process sleeps.
    let seconds = format!("2.{}", fastrand::u64(100_000_000_000..1_000_000_000_000));
    let sleeping = format!("COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sleep\", \"{seconds}\"]\n");
    let checkout = checkout(&user, &sleeping);
    let mut running = server.run(&checkout).start();
    running.wait_for("the sleeping step", |_| is_running(&seconds).then_some(()));
    running.signal(Signal::KILL);
    running.end();
    wait_for("the end of the step, which the daemon stops when its client is gone", || {
        (!is_running(&seconds)).then_some(())
    });
    let left = all_tags(&server, &user);
    assert!(left.keys().all(|(image, tag)| image == "web" && tag.starts_with("src-")), "{left:?}");
    converges(&user, &server, &checkout, &left);
}

#[test]
fn in_the_middle_of_a_push() {
    killed_while_held("operation: registry:FinishUpload, repository: '*/web', nth: 1");
}

#[test]
fn when_a_layer_is_up_but_not_the_next() {
    killed_while_held("operation: registry:FinishUpload, repository: '*/web', nth: 1, when: after");
}

#[test]
fn before_the_manifest() {
    killed_while_held("operation: registry:PutManifest, repository: '*/worker', reference: 'src-*', nth: 1");
}

#[test]
fn when_all_is_staged_and_nothing_released() {
    killed_while_held("operation: registry:PutManifest, repository: '*/web', reference: 'src-*', nth: 1, when: after");
}

#[test]
fn between_two_tags_of_an_image() {
    killed_while_held("operation: registry:PutManifest, repository: '*/web', reference: prod, nth: 1");
}

#[test]
fn between_two_images() {
    killed_while_held("operation: registry:PutManifest, repository: '*/web', reference: prod, nth: 1, when: after");
}
