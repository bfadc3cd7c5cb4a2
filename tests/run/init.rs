//! `longshore init`, from nothing to a run; and `run` on a Compose file.

use crate::user::{Checkout, User, names};

/// The pipeline that was written, as `longshore config` understands it.
fn config(checkout: &Checkout<'_>) -> serde_json::Value {
    serde_json::from_str(&checkout.longshore(&["config", "--json"]).succeeds()).unwrap()
}

#[test]
fn from_dockerfiles_to_a_run() {
    let user = User::new();
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    let checkout = user.checkout(&[
        ("web/Dockerfile", &dockerfile),
        ("worker/Dockerfile", &dockerfile),
        ("node_modules/other/Dockerfile", "FROM other"),
        (".github/dependabot.yml", "version: 2\n"),
    ]);
    let dry = checkout.longshore(&["init", "--dry-run"]).run().with_code(0);
    dry.says(
        "\
would write longshore.yaml: the images web (from web/Dockerfile), worker (from worker/Dockerfile)
would write .github/workflows/longshore.yml: a job for GitHub Actions
",
    );
    assert!(!checkout.at("longshore.yaml").exists());
    checkout.longshore(&["init"]).run().with_code(0).says(
        "\
wrote longshore.yaml: the images web (from web/Dockerfile), worker (from worker/Dockerfile)
wrote .github/workflows/longshore.yml: a job for GitHub Actions
next: `longshore plan` says what a run would do, `longshore run --local` tries it on this machine
",
    );
    let config = config(&checkout);
    assert_eq!(config["images"]["web"]["repository"]["name"], "checkout/web");
    assert_eq!(config["environments"]["prod"]["branch"], "main");
    // Others' tests push to repositories of the same name, each to a server of its own.
    let ended = checkout.run_local(&[]).run().with_code(0);
    assert!(ended.out().contains("HOST/checkout/web:prod DIGEST\n"), "{}", ended.out());
    let workflow: serde_json::Value = serde_yaml::from_str(&checkout.read(".github/workflows/longshore.yml")).unwrap();
    assert_eq!(workflow["jobs"]["images"]["steps"][2]["run"], "longshore run");

    let before = checkout.read("longshore.yaml");
    let again = checkout.longshore(&["init"]).run().with_code(0);
    assert!(again.err().starts_with("longshore.yaml is there already and is left as it is\n"), "{}", again.err());
    assert_eq!(checkout.read("longshore.yaml"), before);
}

#[test]
fn from_a_compose_file_with_its_registry_and_secrets() {
    let user = User::new();
    let compose = "\
services:
  web:
    image: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop/web:${TAG:-dev}
    build: { context: ./web, target: runtime, args: { MODE: \"${MODE:-production}\" }, secrets: [npm], cgroup_parent: x }
  db: { image: postgres }
  tools: { build: ./tools }
secrets: { npm: { environment: NPM_TOKEN } }
";
    let checkout = user.checkout(&[
        ("compose.yaml", compose),
        ("web/Dockerfile", "FROM scratch AS runtime\n"),
        ("tools/Dockerfile", "FROM scratch\n"),
        (".gitlab-ci.yml", "x: {}\n"),
    ]);
    let ended = checkout.longshore(&["init"]).run().with_code(0);
    assert!(ended.err().contains(".gitlab-ci.yml is there already and is left as it is\n"), "{}", ended.err());
    let text = checkout.read("longshore.yaml");
    assert!(text.contains("      # cgroup_parent: x # field `cgroup_parent`"), "{text}");
    let config = config(&checkout);
    assert_eq!(config["registry"]["account"], "123456789012");
    assert_eq!(config["registry"]["region"], "ap-northeast-2");
    let build = &config["images"]["web"]["build"];
    assert_eq!((&build["target"], &build["args"]["MODE"]), (&"runtime".into(), &"production".into()));
    assert_eq!(config["images"]["web"]["repository"]["name"], "shop/web");
    assert_eq!(config["images"]["tools"]["repository"]["name"], "checkout/tools");
    assert_eq!(config["images"].as_object().unwrap().len(), 2);
}

#[test]
fn from_a_bake_file_with_variables_and_inheritance() {
    let user = User::new();
    let bake = r#"
variable "REGISTRY" { default = "123456789012.dkr.ecr.us-east-1.amazonaws.com" }
variable "VERSION" { default = "1" }
group "default" { targets = ["app", "docs"] }
target "_common" {
  args = { BASE = "scratch", VERSION = VERSION }
  labels = { team = "shop" }
}
target "app" {
  inherits = ["_common"]
  context = "app"
  args = { MODE = "release" }
  tags = ["${REGISTRY}/shop/app:${VERSION}"]
  contexts = { docs = "target:docs" }
}
target "docs" {
  context = "."
  dockerfile = "docs/Dockerfile"
  args = { WHEN = timestamp() }
}
target "unused" { context = "unused" }
"#;
    let checkout = user.checkout(&[
        ("docker-bake.hcl", bake),
        ("app/Dockerfile", "FROM scratch\n"),
        ("docs/Dockerfile", "FROM scratch\n"),
    ]);
    let ended = checkout.longshore(&["init", "--ci", "none"]).run().with_code(0);
    assert!(
        ended.err().contains("not taken over: docker-bake.hcl: `args` of `docs`, which is computed\n"),
        "{}",
        ended.err()
    );
    let config = config(&checkout);
    let app = &config["images"]["app"];
    let args = serde_json::json!({ "BASE": "scratch", "VERSION": "1", "MODE": "release" });
    assert_eq!(app["build"]["args"], args);
    assert_eq!(app["build"]["labels"]["team"], "shop");
    assert_eq!(app["build"]["additional_contexts"]["docs"], "image:docs");
    assert_eq!(app["repository"]["name"], "shop/app");
    assert_eq!(config["images"]["docs"]["build"]["dockerfile"], "docs/Dockerfile");
    assert_eq!(config["images"].as_object().unwrap().len(), 2, "{config}");
}

#[test]
fn from_a_workflow_that_builds() {
    let user = User::new();
    let workflow = "\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: ./api
          file: ./api/docker/Dockerfile
          build-args: |
            MODE=release
            OTHER=1
          secrets: GIT_TOKEN=${{ secrets.TOKEN }}
          tags: ${{ steps.login.outputs.registry }}/shop/api:${{ github.sha }}
";
    let checkout =
        user.checkout(&[(".github/workflows/build.yml", workflow), ("api/docker/Dockerfile", "FROM scratch\n")]);
    let printed = checkout.longshore(&["init", "--print"]).succeeds();
    assert!(!checkout.at("longshore.yaml").exists());
    checkout.write("longshore.yaml", &printed);
    let config = config(&checkout);
    let api = &config["images"]["api"];
    assert_eq!((&api["build"]["context"], &api["build"]["dockerfile"]), (&"api".into(), &"docker/Dockerfile".into()));
    assert_eq!(api["build"]["args"], serde_json::json!({ "MODE": "release", "OTHER": "1" }));
    assert_eq!(api["repository"]["name"], "shop/api");
    assert!(printed.contains("# - .github/workflows/build.yml: `secrets`, which holds an expression"), "{printed}");
}

#[test]
fn where_nothing_builds_an_image() {
    let user = User::new();
    let checkout = user.checkout(&[("README", "")]);
    checkout.longshore(&["init"]).run().with_code(2).says(
        "\
error: there is nothing here that builds an image
hint: write a Dockerfile first; Compose files, bake files and workflows are looked at as well
",
    );
    assert_eq!(names(checkout.root()), [".git", "README"]);
}

#[test]
fn a_compose_file_is_run_as_it_stands() {
    let user = User::new();
    let server = user.serve("data");
    let compose = format!(
        "\
services:
  web:
    image: {host}/UNIQUE/web:${{TAG:-dev}}
    build: ./web
    environment: {{ PASSWORD: \"${{NOT_SET}}\" }}
  hub:
    image: shop/hub
    build: ./web
  db:
    image: postgres
",
        host = server.host()
    );
    let checkout =
        user.checkout(&[("compose.yaml", &compose), ("web/Dockerfile", &user.dockerfile("COPY Dockerfile /\n"))]);
    let run = server.env(checkout.longshore(&["run", "-f", "compose.yaml"])).env("TAG", "1.2.3");
    let ended = run.run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/web:1.2.3 DIGEST\n");
    assert!(
        ended.err().contains("warning: service `hub` is left out: `shop/hub` is in no registry of ECR\n"),
        "{}",
        ended.err()
    );
    assert!(!ended.err().contains("NOT_SET"), "{}", ended.err());
}

#[cfg(unix)]
#[test]
fn what_strangers_wrote_neither_speaks_nor_leads_out() {
    let user = User::new();
    let bomb: String =
        (1..40).map(|at| format!("variable \"A{at}\" {{ default = \"${{A{0}}}${{A{0}}}\" }}\n", at - 1)).collect();
    let bake =
        format!("{bomb}variable \"A0\" {{ default = \"x\" }}\ntarget \"a\" {{\n target = A39\n context = \"a\"\n}}\n");
    let name = "##[error]x\n::set-output name=x::\u{1b}[2Jy/Dockerfile";
    let checkout =
        user.checkout(&[("docker-bake.hcl", &bake), ("a/Dockerfile", "FROM scratch\n"), (name, "FROM scratch\n")]);
    std::fs::create_dir(user.at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(user.at("elsewhere"), checkout.at(".github")).unwrap();
    let ended = checkout.longshore(&["init", "--ci", "github"]).run().with_code(0);
    let said = ended.err();
    assert!(said.contains("not taken over: docker-bake.hcl: variable `A20`, which is too large\n"), "{said}");
    assert!(said.contains(".github/workflows/longshore.yml is not written: .github is a symbolic link\n"), "{said}");
    assert!(!said.contains("\n::") && !said.contains("##[") && !said.contains('\u{1b}'), "{said:?}");
    assert_eq!(names(&user.at("elsewhere")), Vec::<String>::new());
    let config = config(&checkout);
    assert_eq!(config["images"].as_object().unwrap().len(), 2, "{config}");
    assert_eq!(
        config["images"]["error-x---set-output-name-x----2jy"]["build"]["context"],
        name.trim_end_matches("/Dockerfile")
    );
}
