//! What a run asks for at once: each test holds one answer back, and sees in the log what is asked meanwhile.

use crate::user::{Checkout, LocalServer, Running, Signal, User};

const PIPELINE: &str = "\
version: 1
defaults: { tags: [sha] }
images:
  web: { build: web, repository: UNIQUE/web }
";

fn checkout<'u>(user: &'u User, dockerfile: &str) -> Checkout<'u> {
    user.checkout(&[("longshore.yaml", PIPELINE), ("web/Dockerfile", dockerfile), ("web/file", "web")])
}

/// Waits until these operations are answered while another is held.
fn answered_meanwhile(user: &User, running: &mut Running, held: &str, wanted: &[&str]) {
    let gate = user.at(&format!("{held}.held"));
    running.wait_for(&format!("{held} to be held"), |_| gate.exists().then_some(()));
    let answered = |_: &Running| {
        let logged = user.logged();
        wanted.iter().all(|name| logged.iter().any(|line| line["operation"] == *name)).then_some(())
    };
    running.wait_for(&format!("{wanted:?} while {held} is held"), answered);
    user.write(&user.at(held), "");
}

/// An image in the server's registry that others can be built on; the server is ended.
fn base(user: &User, server: LocalServer) {
    let folder = user.folder_of(
        "base",
        &[
            ("longshore.yaml", "version: 1\nimages: { base: { build: ., tags: ['1'], repository: UNIQUE/base } }\n"),
            ("Dockerfile", "FROM scratch\nCOPY file /\n"),
            ("file", "base"),
        ],
    );
    server.run(&folder).succeeds();
    server.end_with(Signal::TERM);
}

#[test]
fn repositories_and_the_registry_are_asked_while_a_base_image_is_looked_up() {
    let user = User::new();
    base(&user, user.serve("data"));
    let server = user.serve_with_faults(
        "data",
        "faults: [{ operation: 'registry:*Manifest', repository: '*/base', reference: '1', hold: lookup }]",
    );
    let checkout = checkout(&user, &format!("FROM {}/{}/base:1\nCOPY file /\n", server.host(), user.unique()));
    let mut running = server.env(checkout.longshore(&["plan"])).start();
    answered_meanwhile(&user, &mut running, "lookup", &["DescribeRepositories", "registry:Ping"]);
    let planned = running.end().with_code(0);
    assert!(planned.out().contains("+ web: build and push"), "{}", planned.out());
}

#[test]
fn a_run_with_nothing_to_do_asks_for_everything_at_once() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = checkout(&user, "FROM scratch\nCOPY file /\n");
    server.run(&checkout).succeeds();
    server.end_with(Signal::TERM);
    let all = ["DescribeRepositories", "GetAuthorizationToken", "BatchGetImage", "DescribeImages"];
    for held in all {
        let server = user.serve_with_faults("data", &format!("faults: [{{ operation: {held}, hold: gate-{held} }}]"));
        let mut running = server.run(&checkout).start();
        let others: Vec<&str> = all.into_iter().filter(|name| *name != held).collect();
        answered_meanwhile(&user, &mut running, &format!("gate-{held}"), &others);
        let done = running.end().with_code(0);
        assert!(done.err().contains("web: not built"), "{}", done.err());
        server.end_with(Signal::TERM);
        std::fs::remove_file(user.at("log")).unwrap();
    }
}

#[test]
fn a_run_with_nothing_to_do_waits_for_nothing_that_it_does_not_need() {
    let user = User::new();
    let server = user.serve("data");
    let checkout = checkout(&user, "FROM scratch\nCOPY file /\n");
    server.run(&checkout).succeeds();
    server.end_with(Signal::TERM);
    // The gate is never opened.
    let server = user.serve_with_faults("data", "faults: [{ operation: 'registry:*', hold: registry }]");
    let done = server.run(&checkout).run().with_code(0);
    assert!(done.err().contains("web: not built"), "{}", done.err());
    let mut logged = user.logged().into_iter().map(|line| line["operation"].as_str().unwrap().to_owned());
    assert!(!logged.any(|operation| operation.starts_with("registry:")), "{:?}", user.logged());
}

#[test]
fn repositories_are_asked_for_before_it_is_known_whose_they_are() {
    let user = User::new();
    let server = user.serve_with_faults("data", "faults: [{ operation: GetAuthorizationToken, hold: token }]");
    let checkout = checkout(&user, "FROM scratch\nCOPY file /\n");
    let mut running = server.run(&checkout).env("LONGSHORE_REGISTRY", "").start();
    answered_meanwhile(&user, &mut running, "token", &["DescribeRepositories"]);
    let refused = running.end().with_code(2);
    assert!(refused.err().contains("the AWS account is not known"), "{}", refused.err());
}
