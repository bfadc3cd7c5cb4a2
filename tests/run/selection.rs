//! Which pipeline file, and which of its images.

use crate::user::{Checkout, User};

const PIPELINE: &str = "\
version: 1
defaults: { tags: [one] }
images:
  web: { build: web, repository: UNIQUE/web }
  worker: { build: worker, repository: UNIQUE/worker }
";

fn checkout(user: &User) -> Checkout<'_> {
    let dockerfile = user.dockerfile("COPY Dockerfile /\n");
    user.checkout(&[("longshore.yaml", PIPELINE), ("web/Dockerfile", &dockerfile), ("worker/Dockerfile", &dockerfile)])
}

#[test]
fn one_image_of_two() {
    let user = User::new();
    let checkout = checkout(&user);
    let ended = checkout.run_local(&["worker"]).run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/worker:one DIGEST\n");
    assert!(!ended.err().contains("web"), "{}", ended.err());
    let definitions: serde_json::Value = serde_json::from_str(&checkout.read("imagedefinitions.json")).unwrap();
    assert_eq!(definitions.as_array().unwrap().len(), 1);
}

#[test]
fn a_glob_over_names_and_what_its_images_need() {
    let user = User::new();
    let checkout = checkout(&user);
    let pipeline = PIPELINE.replace("UNIQUE/worker }", "UNIQUE/worker, depends_on: [web] }");
    checkout.write("longshore.yaml", &pipeline);
    let ended = checkout.run_local(&["work*"]).run().with_code(0);
    assert_eq!(ended.out(), "HOST/UNIQUE/web:one DIGEST\nHOST/UNIQUE/worker:one DIGEST\n");
}

#[test]
fn all_unknown_images_are_named_at_once() {
    let user = User::new();
    let checkout = checkout(&user);
    checkout.run_local(&["wbe", "web", "other"]).run().with_code(2).says(
        "\
error: there is no image `wbe` in the pipeline file
hint: did you mean `web`?
hint: its images are `web`, `worker`
error: there is no image `other` in the pipeline file
hint: its images are `web`, `worker`
",
    );
}

#[test]
fn paths_start_from_the_pipeline_file_wherever_one_stands() {
    let user = User::new();
    let checkout = checkout(&user);
    std::fs::create_dir_all(checkout.at("some/where")).unwrap();
    let data = user.at("data").display().to_string();
    let run = ["run", "--local", "--data", &data];
    let inside = user.longshore(&checkout.at("some/where"), &run).run().with_code(0);
    assert_eq!(inside.out(), "HOST/UNIQUE/web:one DIGEST\nHOST/UNIQUE/worker:one DIGEST\n");
    assert!(checkout.at("imageDefinitions.json").exists());
    let file = checkout.at("longshore.yaml").display().to_string();
    let outside = user.longshore(&user.at("home"), &run).args(&["--file", &file]).run().with_code(0);
    assert_eq!(outside.out(), inside.out());
}

#[test]
fn a_pipeline_in_a_folder_of_its_own() {
    let user = User::new();
    let checkout = user.checkout(&[("README", "")]);
    checkout.write("shop/longshore.yaml", PIPELINE);
    for image in ["web", "worker"] {
        checkout.write(&format!("shop/{image}/Dockerfile"), &user.dockerfile("COPY Dockerfile /\n"));
    }
    checkout.longshore(&["run", "--local"]).run().with_code(2).says(
        "\
error: there is no longshore.yaml here, nor in a folder above within the git repository
hint: write one with `longshore init`, or name it with `--file`
",
    );
    checkout.run_local(&["--file", "shop/longshore.yaml"]).succeeds();
    assert!(checkout.at("shop/imageDefinitions.json").exists());
}
