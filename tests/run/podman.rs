//! Podman in Docker's place.

use crate::podman::{self, Podman};
use crate::quickstart::quickstart;
use crate::user::User;

#[test]
fn the_quickstart_passes() {
    if podman::is_skipped("the_quickstart_passes") {
        return;
    }
    let (user, podman) = (User::new(), Podman::start());
    let checkout = quickstart(&user);
    let server = user.serve("data");
    let first = server.run(&checkout).env("DOCKER_HOST", podman.host()).run().with_code(0);
    assert!(first.out().contains("HOST/UNIQUE/web:1.2.3 DIGEST\n"), "{}", first.out());
    assert!(first.out().contains("HOST/UNIQUE/worker:prod DIGEST\n"), "{}", first.out());
    assert!(!first.err().contains("warning") && !first.err().contains("|   "), "{}", first.err());
    let second = server.run(&checkout).env("DOCKER_HOST", podman.host()).run().with_code(0);
    assert_eq!(second.stdout, first.stdout);
    assert!(second.err().contains("web: not built: its content did not change"), "{}", second.err());

    // A registry without TLS is spoken to only on loopback, and what it holds is whole: another client takes it.
    let reference = first.stdout.split_whitespace().find(|word| word.contains("/web:1.2.3")).unwrap();
    server.env(checkout.longshore(&["login"])).succeeds();
    assert!(user.docker(&["pull", "--quiet", reference]).succeeds().contains(reference));
}

#[test]
fn what_it_does_not_know_is_said_and_a_failing_step_is_shown() {
    if podman::is_skipped("what_it_does_not_know_is_said_and_a_failing_step_is_shown") {
        return;
    }
    let (user, podman) = (User::new(), Podman::start());
    let file = |build: &str| {
        format!(
            "version: 1\nimages: {{ web: {{ build: {{ context: ., {build} }}, tags: [x], repository: UNIQUE/web }} }}\n"
        )
    };
    let dockerfile = user.dockerfile("COPY busybox /bin/sh\nRUN exit 7\n");
    let checkout =
        user.checkout(&[("longshore.yaml", &file("secrets: [\"id=a,env=A\"]")), ("Dockerfile", &dockerfile)]);
    checkout.add_busybox(".");
    checkout.commit();
    let server = user.serve("data");
    let run = || server.run(&checkout).env("DOCKER_HOST", podman.host()).env("A", "secret");
    let refused = run().run().with_code(2);
    assert!(refused.err().contains("image `web`: Podman 4."), "{}", refused.err());
    assert!(refused.err().contains(" cannot do what `secrets` asks for\n"), "{}", refused.err());

    checkout.write("longshore.yaml", &file("cache: registry, extra_hosts: { a.test: 10.1.1.1, b.test: 10.2.2.2 }"));
    let failed = run().run().with_code(1);
    assert!(failed.err().contains(" does not know `cache`; it is left out\n"), "{}", failed.err());
    assert!(failed.err().contains("\n4 | RUN exit 7\n  | ^^^^^^^^^^\n"), "{}", failed.err());
    assert!(failed.err().contains("RUN exit 7` failed\n"), "{}", failed.err());
}
