//! The example workflows, job after job: the action's steps as they are declared, and the steps beside them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::composite::{checkout, parsed, release};
use crate::runner::{evaluate, root, uses};
use crate::user::{Checkout, LocalServer, User};

/// What expressions may name.
type Context = BTreeMap<String, String>;

/// The step of an example that uses this action.
fn step_of(name: &str, action: &str) -> Value {
    let text = std::fs::read_to_string(root().join("examples/github-actions").join(name)).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap().clone());
    let mut found = steps.filter(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(action)));
    found.next().unwrap_or_else(|| panic!("{name} has no step with {action}"))
}

/// What the steps other than the action said.
fn workflow(user: &User, checkout: &Checkout<'_>, server: &LocalServer, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("examples/github-actions").join(name)).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    let (mut needs, mut said) = (Context::new(), Vec::new());
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        // A list comes out of an expression that the runner itself reads as JSON.
        let images = job["strategy"]["matrix"]["image"].as_str().map(|expression| {
            let inner = expression.replace("fromJSON(", "").replace(")", "");
            parsed(&evaluate(&inner, &needs)).as_array().unwrap().clone()
        });
        for image in images.unwrap_or_else(|| vec![Value::Null]) {
            let mut context = needs.clone();
            context.extend(image.as_str().map(|image| ("matrix.image".to_owned(), image.to_owned())));
            for step in job["steps"].as_array().unwrap() {
                said.extend(run(user, checkout, server, step, &mut context));
            }
            for (output, value) in job["outputs"].as_object().into_iter().flatten() {
                let value = evaluate(value.as_str().unwrap(), &context);
                needs.insert(format!("needs.{name}.outputs.{output}"), value);
            }
        }
    }
    said
}

fn run(
    user: &User,
    checkout: &Checkout<'_>,
    server: &LocalServer,
    step: &Value,
    context: &mut Context,
) -> Option<String> {
    if let Some(script) = step["run"].as_str() {
        let mut call = user.program("bash", checkout.root()).args(&["-e", "-c", script]);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            call = call.env(name, evaluate(value.as_str().unwrap(), context));
        }
        return Some(call.succeeds());
    }
    let action = step["uses"].as_str().unwrap();
    if !action.starts_with("OWNER/longshore@") {
        return None;
    }
    let with: Vec<(String, String)> = step["with"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), evaluate(value.as_str().unwrap(), context)))
        .collect();
    let with: Vec<(&str, &str)> = with.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let outcome = uses(user, checkout, Some(server), &with, &[("LONGSHORE_RELEASES", &release(user))]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.raw);
    if let Some(id) = step["id"].as_str() {
        context.extend(outcome.outputs.into_iter().map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value)));
    }
    None
}

#[test]
fn the_deploy_job_knows_the_digest() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    // With gates, there is something for code scanning.
    checkout.write("longshore.yaml", &format!("{}defaults: {{ gate: HIGH }}\n", checkout.read("longshore.yaml")));
    let said = workflow(&user, &checkout, &server, "workflow.yml");
    let uploads = step_of("workflow.yml", "github/codeql-action/upload-sarif@");
    let sarif = uploads["with"]["sarif_file"].as_str().unwrap();
    assert!(uploads["if"].as_str().unwrap().contains(&format!("hashFiles('{sarif}')")), "{uploads}");
    assert_eq!(parsed(&checkout.read(sarif))["version"], "2.1.0");
    let definitions = parsed(&checkout.read("imageDefinitions.json"));
    let digest = definitions[0]["imageUri"].as_str().unwrap().split_once('@').unwrap().1.to_owned();
    assert_eq!(said, [format!("to deploy {}/web@{digest}\n", user.unique())]);
}

#[test]
fn a_matrix_builds_apart_and_releases_together() {
    let user = User::new();
    let checkout = checkout(&user, "COPY Dockerfile /\n");
    let server = user.serve("data");
    // Its last step fails if the release has built anything anew.
    assert_eq!(workflow(&user, &checkout, &server, "matrix.yml"), [""]);
    assert_eq!(parsed(&checkout.read("imageDefinitions.json")).as_array().unwrap().len(), 2);
}
