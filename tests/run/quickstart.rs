//! The example of the README.

use std::path::Path;

use crate::user::{Checkout, User};

/// The quickstart as `make demo` makes it, with repositories and images of this test's own.
pub fn quickstart(user: &User) -> Checkout<'_> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/quickstart-repository.sh");
    let made = user.at("made");
    user.program(&script.display().to_string(), &user.at("home")).arg(&made).succeeds();
    std::fs::rename(&made, user.at("quickstart")).unwrap();
    let checkout = user.folder_of("quickstart", &[]);
    checkout.write("longshore.yaml", &checkout.read("longshore.yaml").replace("quickstart/", "UNIQUE/"));
    for service in ["web", "worker"] {
        let dockerfile = checkout.read(&format!("{service}/Dockerfile"));
        checkout.write(&format!("{service}/Dockerfile"), &format!("{dockerfile}LABEL longshore.test=UNIQUE\n"));
    }
    checkout.commit();
    checkout.git(&["tag", "--force", "v1.2.3"]);
    checkout
}

#[test]
fn the_second_run_builds_and_pushes_nothing_anew() {
    let user = User::new();
    let checkout = quickstart(&user);
    let server = user.serve("data");
    let first = server.run(&checkout).run().with_code(0);
    let short = &checkout.head()[..7];
    let references = |service: &str| -> String {
        let line = |tag| format!("HOST/UNIQUE/{service}:{tag} DIGEST\n");
        ["1.2.3", "1.2", "1", short, "prod"].map(line).concat()
    };
    assert_eq!(first.out(), references("web") + &references("worker"));
    let deploy_file = checkout.read("imageDefinitions.json");

    let second = server.run(&checkout).args(&["--jobs", "1"]).run().with_code(0);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(checkout.read("imageDefinitions.json"), deploy_file);
    let not_built = |service: &str| format!("{service}: not built: its content did not change: src-KEY\n");
    let tagged = |service: &str| -> String {
        let line = |tag| format!("{service:6} | {tag} names it already\n");
        ["1.2.3", "1.2", "1", short, "prod"].map(line).concat()
    };
    let expected = not_built("web") + &not_built("worker") + &tagged("web") + &tagged("worker");
    assert_eq!(second.err(), expected);
}

#[test]
fn both_spellings_of_the_deploy_file_name_images_that_can_be_pulled_and_run() {
    let user = User::new();
    let checkout = quickstart(&user);
    let server = user.serve("data");
    let pushed = server.run(&checkout).succeeds();
    let deploy_file = checkout.read("imageDefinitions.json");
    assert_eq!(checkout.read("imagedefinitions.json"), deploy_file);

    let digest = |service: &str| -> &str {
        let start = format!("{}/{}/{service}:1.2.3 ", server.host(), user.unique());
        pushed.lines().find_map(|line| line.strip_prefix(&start)).unwrap()
    };
    let uri = |service: &str| format!("{}/{}/{service}@{}", server.host(), user.unique(), digest(service));
    let entry = |name: &str| format!("  {{\n    \"name\": \"{name}\",\n    \"imageUri\": \"{}\"\n  }}", uri(name));
    assert_eq!(deploy_file, format!("[\n{},\n{}\n]\n", entry("web"), entry("worker")));

    server.env(checkout.longshore(&["login"])).succeeds();
    user.remove_images();
    for service in ["web", "worker"] {
        user.docker(&["pull", "--quiet", &uri(service)]).succeeds();
    }
    let page = ["run", "--rm", "--network=none", "--entrypoint=/bin/busybox", &uri("web"), "cat", "/site/index.html"];
    assert!(user.docker(&page).succeeds().contains("Hello from Longshore"));
}

#[test]
fn one_command_does_it_all_without_an_aws_account() {
    let user = User::new();
    let checkout = quickstart(&user);
    let first = checkout.run_local(&[]).run().with_code(0);
    assert!(
        first.err().contains("created repository UNIQUE/web\ncreated repository UNIQUE/worker\n"),
        "{}",
        first.err()
    );
    // The server of the second run may answer on another port, but it has the same images.
    let second = checkout.run_local(&[]).run().with_code(0);
    assert_eq!(second.out(), first.out());
    assert_eq!(
        second.err().matches(": not built: its content did not change: src-KEY\n").count(),
        2,
        "{}",
        second.err()
    );
    assert_eq!(second.err().matches(" names it already\n").count(), 10, "{}", second.err());
    assert_eq!(user.left_behind(), Vec::<String>::new());
}
