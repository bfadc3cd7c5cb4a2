//! `longshore config`

use serde_json::json;

use crate::user::User;

const PIPELINE: &str = r#"version: 1
registry: { account: "123456789012", region: eu-west-1, fips: false }
environments: { prod: { branch: main }, dev: { branch: "**" } }
defaults:
  tags: [semver, sha]
  repository: { scan_on_push: true }
images:
  web:
    build: { context: web, target: runtime, args: { MODE: "${MODE:-on}", COST: "5$$", EMPTY: "" } }
    repository: { name: shop/web, tag_mutability: { mode: IMMUTABLE, except: [latest] }, encryption: KMS }
  worker: { build: { context: ., dockerfile_inline: "FROM scratch\nCOPY . /\n" }, tags: ["0123456", "1e3", "no"] }
outputs: { image_uri: tag }
"#;

#[test]
fn what_is_printed_means_what_was_read() {
    let user = User::new();
    let folder = user.folder_of("source", &[("longshore.yaml", PIPELINE)]);
    let printed = folder.longshore(&["config"]).succeeds();
    folder.write("again.yaml", &printed);
    let again = folder.longshore(&["config", "--file", "again.yaml"]).run().with_code(0);
    assert_eq!(again.stdout, printed);
    assert_eq!(again.stderr, "");
    let as_json = |file: &str| folder.longshore(&["config", "--json", "--file", file]).succeeds();
    assert_eq!(as_json("again.yaml"), as_json("longshore.yaml"));
    let parsed: serde_json::Value = serde_json::from_str(&as_json("again.yaml")).unwrap();
    assert_eq!(parsed["images"]["web"]["build"]["args"], json!({ "MODE": "on", "COST": "5$", "EMPTY": "" }));
    assert_eq!(parsed["images"]["worker"]["tags"], json!(["0123456", "1e3", "no"]));
}

#[test]
fn every_problem_is_told_at_once_and_nothing_on_stdout() {
    let user = User::new();
    let text = "version: 1\nimages:\n  web:\n    build: .\n    repository: Shop/Web\n    tagz: [a]\n";
    let folder = user.folder_of("source", &[("longshore.yaml", text)]);
    let ended = folder.longshore(&["config"]).run().with_code(2);
    assert_eq!(ended.stdout, "");
    let errors = ended.err().lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 2, "{}", ended.err());
}
