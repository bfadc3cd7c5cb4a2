//! Images of a pipeline that others are built on.

use crate::user::User;

const PIPELINE: &str = "\
version: 1
defaults: { tags: [sha] }
images:
  worker:
    build: { context: worker, additional_contexts: { base: \"image:web\" } }
    repository: UNIQUE/worker
  web: { build: web, repository: UNIQUE/web }
";

#[test]
fn an_image_is_built_on_the_one_that_this_run_made() {
    let user = User::new();
    let web = user.dockerfile("COPY file /\n");
    let worker = "ARG WHAT=base\nFROM ${WHAT} AS own\nCOPY more /\nFROM scratch\nCOPY --from=base /file /copied\nCOPY --from=own /more /\n";
    let checkout = user.checkout(&[
        ("longshore.yaml", PIPELINE),
        ("web/Dockerfile", &web),
        ("web/file", "web"),
        ("worker/Dockerfile", worker),
        ("worker/more", "worker"),
    ]);
    let server = user.serve("data");
    let first = server.run(&checkout).succeeds();
    let plan = server.env(checkout.longshore(&["plan"])).succeeds();
    assert!(!plan.contains("build "), "{plan}");
    assert_eq!(server.run(&checkout).succeeds(), first, "what is there is used again");

    checkout.write("web/file", "another");
    checkout.commit();
    let changed = server.run(&checkout).succeeds();
    assert!(changed.contains("/worker") && changed != first, "{changed}");
}
