//! Tags that are taken and cannot move.

use crate::user::{Checkout, User};

const PIPELINE: &str = "\
version: 1
images:
  web:
    build: .
    repository: { name: UNIQUE/web, tag_mutability: IMMUTABLE }
    tags: [semver]
";

/// A checkout of version 1.2.3, which was published.
fn published(user: &User) -> (Checkout<'_>, String) {
    let dockerfile = user.dockerfile("COPY file /\n");
    let checkout = user.checkout(&[("longshore.yaml", PIPELINE), ("Dockerfile", &dockerfile), ("file", "one")]);
    checkout.git(&["tag", "v1.2.3-rc.1"]);
    let pushed = checkout.run_local(&[]).succeeds();
    let digest = pushed.trim().rsplit_once(' ').unwrap().1.to_owned();
    for name in ["imageDefinitions.json", "imagedefinitions.json"] {
        std::fs::remove_file(checkout.at(name)).unwrap();
    }
    (checkout, digest)
}

/// Where the rule that gave the tag stands.
const PLACE: &str = " --> longshore.yaml:6:12\n  |\n6 |     tags: [semver]\n  |            ^^^^^^\n";

#[test]
fn of_the_same_commit_is_reused() {
    let user = User::new();
    let (checkout, digest) = published(&user);
    user.remove_images();
    let ended = checkout.run_local(&[]).run().with_code(0);
    let expected = "\
web: not built: its content did not change: src-KEY
web | 1.2.3-rc.1 names it already
";
    assert_eq!(ended.err(), expected);
    assert!(ended.stdout.ends_with(&format!("/web:1.2.3-rc.1 {digest}\n")), "{}", ended.stdout);
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
    assert!(checkout.read("imageDefinitions.json").contains(&digest), "the deploy file is written all the same");
}

#[test]
fn of_another_commit_ends_the_run_before_the_build() {
    let user = User::new();
    let (checkout, digest) = published(&user);
    let first = checkout.head();
    checkout.write("file", "two");
    checkout.commit();
    checkout.git(&["tag", "--force", "v1.2.3-rc.1"]);
    user.remove_images();
    let ended = checkout.run_local(&[]).run().with_code(2);
    ended.says(&format!(
        "\
error: tag `1.2.3-rc.1` is taken in `UNIQUE/web`, and that repository's tags are immutable
{PLACE}caused by: 1.2.3-rc.1 is DIGEST, built from commit COMMIT
hint: nothing was built; tag a new version in git, or except the tag from immutability under `tag_mutability`
"
    ));
    assert!(ended.stderr.contains(&format!("{digest}, built from commit {first}")), "{}", ended.stderr);
    assert_eq!(user.images(), Vec::<String>::new(), "nothing was built");
    assert!(!checkout.at("imageDefinitions.json").exists());
}

#[test]
fn of_the_same_commit_with_changes_ends_the_run_too() {
    let user = User::new();
    let (checkout, _) = published(&user);
    checkout.write("file", "changed but not committed");
    let ended = checkout.run_local(&[]).run().with_code(2);
    let warning = "warning: tracked files differ from the commit; the images are not exactly that commit\n";
    assert!(ended.err().starts_with(warning), "{}", ended.err());
    assert!(ended.err().contains("error: tag `1.2.3-rc.1` is taken in `UNIQUE/web`"), "{}", ended.err());
    assert!(!checkout.at("imageDefinitions.json").exists());
}
