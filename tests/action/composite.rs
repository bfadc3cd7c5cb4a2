//! The action as a workflow uses it: its own steps, run by bash, against the small ECR and the real daemon.

use serde_json::{Value, json};

use crate::runner::{Outcome, root, uses};
use crate::user::{Checkout, LocalServer, User};

const PIPELINE: &str = "\
version: 1
images:
  web: { build: web, repository: UNIQUE/web, tags: [sha, latest-one] }
  worker: { build: worker, repository: UNIQUE/worker, tags: [sha] }
";

pub fn checkout<'a>(user: &'a User, web: &str) -> Checkout<'a> {
    let (web, worker) = (user.dockerfile(web), user.dockerfile("COPY Dockerfile /\n"));
    let files =
        [("longshore.yaml", PIPELINE), ("web/Dockerfile", web.as_str()), ("worker/Dockerfile", worker.as_str())];
    user.checkout(&files)
}

/// A release of this version whose archive holds the program under test.
pub fn release(user: &User) -> String {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let folder = user.at("releases").join(version);
    std::fs::create_dir_all(&folder).unwrap();
    let binary = env!("CARGO_BIN_EXE_longshore");
    let name = format!("longshore-{version}-x86_64-unknown-linux-gnu.tar.gz");
    // A link in place of the binary, which is large while it is being developed.
    let pack = "ln -sf \"$1\" longshore && tar -czf \"$2\" longshore && sha256sum \"$2\" >\"$2.sha256\"";
    user.program("sh", &folder).args(&["-euc", pack, "sh", binary, &name]).succeeds();
    format!("file://{}", user.at("releases").display())
}

fn used(user: &User, checkout: &Checkout<'_>, server: &LocalServer, with: &[(&str, &str)]) -> Outcome {
    uses(user, checkout, Some(server), with, &[("LONGSHORE_RELEASES", &release(user))])
}

pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn it_hands_over_what_was_pushed() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    let first = used(&user, &checkout, &server, &[]);
    assert_eq!(first.code, Some(0), "{}", first.raw);
    let out = |name: &str| first.outputs[name].as_str();
    let (host, short) = (server.host(), &checkout.head()[..7]);
    let name = |image: &str| format!("{host}/{}/{image}", user.unique());
    let tags = format!("{}:{short}\n{}:latest-one\n{}:{short}", name("web"), name("web"), name("worker"));
    assert_eq!((out("tags"), out("version"), out("tag")), (tags.as_str(), short, short));
    assert_eq!((out("registry"), out("repository")), (host, format!("{}/web", user.unique()).as_str()));
    assert_eq!(out("image-uri"), format!("{}@{}", name("web"), out("digest")));
    assert_eq!((parsed(out("built")), parsed(out("reused"))), (json!(["web", "worker"]), json!([])));
    let images = parsed(out("images"));
    assert_eq!(images["web"]["digest"], out("digest"));
    assert_eq!(images["worker"]["tags"], json!([short]));
    let definitions = std::fs::read_to_string(out("image-definitions")).unwrap();
    assert_eq!(parsed(&definitions)[0], json!({ "name": "web", "imageUri": out("image-uri") }));
    assert_eq!(parsed(&std::fs::read_to_string(out("report")).unwrap())["status"], "succeeded");

    let again = used(&user, &checkout, &server, &[("images", "web")]);
    assert_eq!((again.code, parsed(&again.outputs["reused"])), (Some(0), json!(["web"])), "{}", again.raw);
    assert_eq!(again.outputs["digest"], out("digest"));
    assert!(again.summary.starts_with("### Longshore: 0 built, 1 reused in "), "{}", again.summary);
}

#[test]
fn the_log_has_a_group_for_each_image_and_no_token() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    let outcome = used(&user, &checkout, &server, &[]);
    let mut groups = outcome.log.texts("group");
    groups.sort_unstable();
    assert_eq!(groups, ["web", "worker"], "{}", outcome.raw);
    assert_eq!(outcome.log.texts("endgroup").len(), 2);
    let secrets = outcome.log.texts("add-mask");
    assert_eq!(secrets.len(), 2, "the password, and how it stands in a header");
    assert!(outcome.raw.starts_with(&format!("{}::add-mask::", up_to_mask(&outcome.raw))));
    for secret in secrets {
        assert!(secret.len() > 20 && !outcome.log.visible.contains(secret), "{}", outcome.log.visible);
        assert_eq!(outcome.raw.matches(secret).count(), 1, "said once, to have it hidden");
    }
    let rows: Vec<&str> = outcome.summary.lines().filter(|line| line.starts_with("| **w")).collect();
    assert_eq!(rows.len(), 2, "{}", outcome.summary);
    assert!(
        rows[0].contains("built") && rows[0].contains("`latest-one`") && rows[0].contains("`sha256:"),
        "{}",
        rows[0]
    );
    assert!(outcome.summary.contains("```mermaid\ngantt\n") && outcome.summary.contains("  section web\n  build "));
}

/// What stands before the first secret; only results may, which hold none.
fn up_to_mask(raw: &str) -> &str {
    raw.split("::add-mask::").next().unwrap_or_default()
}

#[test]
fn what_a_build_prints_is_never_a_command() {
    let user = User::new();
    let lines = "COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo '::error::gotcha'; \
                 echo '  ::add-mask::a'; echo 'x ##[warning]gotcha'; echo ::endgroup::; exit 3\"]\n";
    let checkout = checkout(&user, lines);
    checkout.add_busybox("web");
    checkout.commit();
    let server = user.serve("data");
    let outcome = used(&user, &checkout, &server, &[]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.raw);
    let untrusted = |text: &str| outcome.log.untrusted.iter().any(|line| line.contains(text));
    assert!(untrusted("#[warning]gotcha") && untrusted("::add-mask::a"), "{}", outcome.raw);
    assert!(outcome.log.texts("warning").is_empty() && !outcome.log.texts("add-mask").contains(&"a"));

    // The one annotation is ours, at the line of the Dockerfile, named from the workspace.
    let errors: Vec<_> = outcome.log.commands.iter().filter(|(command, _)| command.starts_with("error")).collect();
    let [(command, text)] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(command.starts_with("error file=web/Dockerfile,line=4,col=1,"), "{command}");
    assert!(text.starts_with("image `web`: step `[2/2] RUN [\"/bin/busybox\""), "{text}");
    assert!(outcome.summary.starts_with("### Longshore failed in "), "{}", outcome.summary);
    assert_eq!((outcome.outputs["images"].as_str(), outcome.outputs["digest"].as_str()), ("{}", ""));
    assert_eq!(parsed(&std::fs::read_to_string(&outcome.outputs["report"]).unwrap())["status"], "failed");
}

#[test]
fn a_mistake_in_the_pipeline_file_is_shown_at_its_line() {
    let user = User::new();
    let checkout = user.checkout(&[("app/longshore.yaml", "version: 1\nimages:\n  web: { build: ., tagz: [a] }\n")]);
    let server = user.serve("data");
    let outcome = used(&user, &checkout, &server, &[("working-directory", "app")]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.raw);
    let expected = (
        "error file=app/longshore.yaml,line=3,col=20,endColumn=24,title=longshore".to_owned(),
        "unknown field `tagz` in `images.web`\nhint: did you mean `tags`?".to_owned(),
    );
    assert!(outcome.log.commands.contains(&expected), "{:?}", outcome.log.commands);
}

#[test]
fn warnings_are_shown_at_their_lines_too() {
    let user = User::new();
    let pipeline =
        "version: 1\nimages:\n  web: { build: { context: ., args: { UNUSED: a } }, container: my.app, tags: [one] }\n";
    let checkout =
        user.checkout(&[("app/longshore.yaml", pipeline), ("app/Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    let server = user.serve("data");
    // Another folder than the checkout's root is named where a job checks out several repositories.
    let job = [("GITHUB_WORKSPACE", "/elsewhere"), ("DOCKER_BUILDKIT", "0"), ("LONGSHORE_RELEASES", &release(&user))];
    let outcome = uses(&user, &checkout, Some(&server), &[("working-directory", "app")], &job);
    assert_eq!(outcome.code, Some(0), "{}", outcome.raw);
    let warnings: Vec<_> = outcome.log.commands.iter().filter(|(command, _)| command.starts_with("warning")).collect();
    let [(at_line, container), (without, unused)] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(at_line, "warning file=app/longshore.yaml,line=3,col=3,endColumn=6,title=longshore");
    assert!(container.starts_with("image `web`: `my.app` cannot be the name of a container"), "{container}");
    // The classic builder names no line.
    assert_eq!(without, "warning title=longshore");
    assert!(unused.starts_with("image `web`: One or more build-args [UNUSED] were not consumed"), "{unused}");
}

#[test]
fn a_mistake_in_a_flag_is_in_no_file() {
    let user = User::new();
    let folder = user.folder_of("source", &[]);
    let call = folder.longshore(&["tags", "--rule", "type=smver"]).env("GITHUB_ACTIONS", "true");
    let told = call.run().with_code(2).stderr;
    let annotation = told.lines().find(|line| line.starts_with("::error ")).unwrap_or_else(|| panic!("{told}"));
    assert!(annotation.starts_with("::error title=longshore::"), "{annotation}");
}

#[test]
fn a_single_image_takes_the_inputs_of_build_push_action() {
    let user = User::new();
    // What is compared stands in a file, since the builder says each step's text.
    let dockerfile = user.dockerfile(
        "COPY busybox /bin/busybox\nCOPY expected /\nARG PRICE\nARG NAME\nRUN --mount=type=secret,id=token \
         [\"/bin/busybox\", \"sh\", \"-c\", \"{ /bin/busybox env | /bin/busybox grep -E '^(PRICE|NAME)='; \
         /bin/busybox cat /run/secrets/token; } >/got; /bin/busybox cmp /expected /got\"]\n",
    );
    let expected = "PRICE=5$x $$y\nNAME=a b\ns=cr$et";
    let checkout = user.checkout(&[("app/expected", expected), ("docker/Dockerfile.web", &dockerfile)]);
    checkout.add_busybox("app");
    checkout.commit();
    let server = user.serve("data");
    let repository = format!("{}/single", user.unique());
    let with = [
        ("repository", repository.as_str()),
        ("context", "app"),
        ("file", "docker/Dockerfile.web"),
        ("build-args", "PRICE=5$x $$y\n\n  NAME=a b\n"),
        ("secrets", "token=s=cr$et\n"),
        ("labels", "com.example.team=shop"),
        ("tags", "type=raw,value=one\ntwo"),
    ];
    let outcome = used(&user, &checkout, &server, &with);
    assert_eq!(outcome.code, Some(0), "{}", outcome.raw);
    let reference = |tag| format!("{}/{repository}:{tag}", server.host());
    assert_eq!(outcome.outputs["tags"], format!("{}\n{}", reference("one"), reference("two")));
    assert!(!outcome.raw.contains("s=cr$et"), "{}", outcome.raw);
    let inspect = ["image", "inspect", "--format", "{{index .Config.Labels \"com.example.team\"}}"];
    assert_eq!(user.docker(&inspect).args(&[&user.images()[0]]).succeeds().trim(), "shop");
    assert_eq!(parsed(&std::fs::read_to_string(checkout.at("imageDefinitions.json")).unwrap())[0]["name"], "single");
}

#[test]
fn a_plan_gives_the_matrix() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    let plan = || used(&user, &checkout, &server, &[("command", "plan")]);
    let first = plan();
    assert_eq!(first.code, Some(0), "{}", first.raw);
    assert_eq!((first.outputs["matrix"].as_str(), first.outputs["changes"].as_str()), (r#"["web","worker"]"#, "true"));
    server.run(&checkout).succeeds();
    let second = plan();
    assert_eq!((second.outputs["matrix"].as_str(), second.outputs["changes"].as_str()), ("[]", "false"));
}

#[test]
fn staged_images_are_promoted_later() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    let staged = used(&user, &checkout, &server, &[("images", "web"), ("arguments", "--no-tag\n--force\n")]);
    assert_eq!((staged.code, staged.outputs["tags"].as_str()), (Some(0), ""), "{}", staged.raw);
    let digest = staged.outputs["digest"].as_str();
    let with = [("command", "promote"), ("arguments", &format!("{digest}\n--to\n1.2.3")), ("images", "web")];
    let promoted = used(&user, &checkout, &server, &with);
    assert_eq!(promoted.code, Some(0), "{}", promoted.raw);
    assert_eq!((promoted.outputs["digest"].as_str(), promoted.outputs["tag"].as_str()), (digest, "1.2.3"));
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn the_action_is_valid() {
    let user = User::new();
    let validator = root().join("target/setup/node/node_modules/.bin/action-validator");
    if !validator.exists() {
        eprintln!("skipped: `make test` installs action-validator where there is an npm");
        return;
    }
    let mut files = vec![root().join("action.yml")];
    for folder in ["examples/github-actions", ".github/workflows"] {
        files.extend(std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        user.program(&validator.display().to_string(), root()).arg(file).succeeds();
    }
}
