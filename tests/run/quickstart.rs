//! The example of the README.

use std::path::Path;

use regex::Regex;

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

/// Lines as they are on every machine, in an order of their own: images are worked on at the same time.
fn anywhere(lines: &str) -> Vec<String> {
    let patterns = [
        (r"sha256:[0-9a-f]+…?", "DIGEST"),
        (r"\bsrc-[0-9a-f]{20}\b", "src-KEY"),
        (r"built [0-9a-f]{12} in [0-9.]+s( \(\d+ of \d+ steps cached\))?", "built ID in TIME"),
        (r"in [0-9.]+s \([^)]+\)$", "in TIME"),
        (r"\b[0-9a-f]{7}\b", "COMMIT"),
        (r"127\.0\.0\.1:[0-9]+", "HOST"),
    ];
    let name = |line: &str| {
        let replace = |line: String, (pattern, name): &(&str, &str)| {
            Regex::new(pattern).unwrap().replace_all(&line, *name).into_owned()
        };
        patterns.iter().fold(line.to_owned(), replace)
    };
    let mut lines: Vec<String> = lines.lines().map(name).collect();
    lines.sort();
    lines
}

#[test]
fn the_readme_shows_what_the_demonstration_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme.split("\n$ make demo\n").nth(1).unwrap().split("\n```").next().unwrap();
    let (said, from_run): (Vec<&str>, Vec<&str>) = shown.lines().partition(|line| line.starts_with("== "));

    // What the scripts say themselves stands in one of them, but for what differs from machine to machine.
    let scripts = ["scripts/demo.sh", "scripts/setup.sh", "scripts/quickstart-repository.sh"]
        .map(|script| std::fs::read_to_string(root.join(script)).unwrap())
        .concat();
    for line in said {
        let words = line.trim_start_matches("== ").split([' ', ':', ',']).filter(|word| word.len() > 3);
        let fixed = words.filter(|word| !word.contains(|c: char| c.is_ascii_digit() || "./".contains(c)));
        for word in fixed {
            assert!(scripts.contains(word), "no script says `{word}` as in `{line}`");
        }
    }

    let user = User::new();
    let checkout = quickstart(&user);
    let run = checkout.run_local(&["--progress", "plain"]).run().with_code(0);
    let printed = format!("{}{}{}", run.stderr, run.stdout, checkout.read("imageDefinitions.json"));
    // The test's own label is a step that the demonstration does not have.
    let printed = printed.replace(&format!("{}/", user.unique()), "quickstart/");
    let from_run: String = from_run.iter().filter(|line| **line != "…").map(|line| format!("{line}\n")).collect();
    assert_eq!(anywhere(&from_run), anywhere(&printed));
}
