//! The layer cache in the registry, as a builder that starts empty finds it.

use crate::daemon::{self, Daemon};
use crate::user::{Checkout, User};

fn checkout<'u>(user: &'u User, more: &str) -> Checkout<'u> {
    let pipeline = format!(
        "version: 1\nimages:\n  web:\n    build: {{ context: ., cache: {more} }}\n    tags: [sha]\n    repository:\n      \
         name: UNIQUE/web\n      tag_mutability: {{ mode: IMMUTABLE, except: [\"src-*\"{}] }}\n",
        if more == "registry" { ", \"cache-*\"" } else { "" }
    );
    let dockerfile = user.dockerfile(
        "COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo UNIQUE > /made\"]\nCOPY content /\n",
    );
    let checkout = user.checkout(&[("longshore.yaml", &pipeline), ("Dockerfile", &dockerfile), ("content", "one")]);
    checkout.add_busybox(".");
    checkout.commit();
    checkout
}

/// Runs twice: for the first content on the machine's own daemon, for the second on one that has never built anything.
fn the_second_builder_knows_the_layers_of_the_first(more: &str, repository: &str) {
    let user = User::new();
    let checkout = checkout(&user, more);
    let server = user.serve("data");
    let first = server.run(&checkout).run().with_code(0);
    assert!(!first.stderr.contains("importing"), "{}", first.stderr);

    checkout.write("content", "two");
    checkout.commit();
    let fresh = Daemon::start();
    let second = server.run(&checkout).env("DOCKER_HOST", fresh.host()).run().with_code(0);
    let importing = format!("importing cache manifest from HOST/UNIQUE/{repository}:cache-main\n");
    assert!(second.err().contains(&importing), "{}", second.err());
    assert!(second.err().contains("(2 of 3 steps cached)"), "{}", second.err());
}

#[test]
fn a_fresh_builder_takes_layers_from_the_images_own_repository() {
    if daemon::is_skipped("a_fresh_builder_takes_layers_from_the_images_own_repository") {
        return;
    }
    the_second_builder_knows_the_layers_of_the_first("registry", "web");
}

#[test]
fn a_fresh_builder_takes_layers_from_a_repository_of_their_own() {
    if daemon::is_skipped("a_fresh_builder_takes_layers_from_a_repository_of_their_own") {
        return;
    }
    the_second_builder_knows_the_layers_of_the_first("{ repository: UNIQUE/layers }", "layers");
}

#[test]
fn a_tag_that_cannot_move_is_a_warning_with_a_way_out() {
    let user = User::new();
    let checkout = checkout(&user, "inline");
    let server = user.serve("data");
    let ended = server.run(&checkout).run().with_code(0);
    let warning = "web | warning: the layer cache is not kept: the tag `cache-main` cannot move in `UNIQUE/web`; except \
                   `cache-*` under `tag_mutability`, or give `cache` a `repository` of its own\n";
    assert!(ended.err().contains(warning), "{}", ended.err());
    // CodeBuild gets the cache without asking, and no warning of what it did not ask for.
    let unasked = checkout.read("longshore.yaml").replace(", cache: inline", "");
    checkout.write("longshore.yaml", &unasked);
    checkout.commit();
    let job = [("CODEBUILD_BUILD_ID", "web:1"), ("CODEBUILD_WEBHOOK_TRIGGER", "branch/main")];
    let ended = server.run(&checkout).args(&["--force"]).envs(&job).run().with_code(0);
    assert!(ended.err().contains("exporting cache\n"), "{}", ended.err());
    assert!(!ended.err().contains("warning: the layer cache"), "{}", ended.err());
}
