//! Which repositories are scanned: the registry's configuration, and what of it holds for each.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::parse_name;
use crate::local::ecr::Ecr;
use crate::local::refusal::Refusal;
use crate::local::scanning::{Frequency, Scanning};

/// The most names of one call. Source: ECR API model.
const MAX_NAMES: usize = 25;

/// The input of GetRegistryScanningConfiguration: nothing.
#[derive(Debug, Deserialize)]
pub struct Get {}

/// Gives the registry's configuration.
pub fn get(ecr: &Ecr, _input: Get) -> Result<Value, Refusal> {
    Ok(json!({ "registryId": ecr.account, "scanningConfiguration": ecr.scanning.get() }))
}

/// Puts another configuration in the place of the registry's.
pub fn put(ecr: &Ecr, input: Scanning) -> Result<Value, Refusal> {
    input.check()?;
    ecr.scanning.put(input.clone())?;
    Ok(json!({ "registryScanningConfiguration": input }))
}

/// The input of BatchGetRepositoryScanningConfiguration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchGet {
    repository_names: Vec<String>,
}

/// Tells what holds for each of some repositories.
pub fn batch_get(ecr: &Ecr, input: BatchGet) -> Result<Value, Refusal> {
    if !(1..=MAX_NAMES).contains(&input.repository_names.len()) {
        let constraint = format!("Member must have length between 1 and {MAX_NAMES}");
        return Err(Refusal::parameter("repositoryNames", constraint));
    }
    let scanning = ecr.scanning.get();
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in &input.repository_names {
        let Ok(repository) = ecr.store.repository(&parse_name(name)?) else {
            failures.push(json!({
                "repositoryName": name,
                "failureCode": "REPOSITORY_NOT_FOUND",
                "failureReason": "REPOSITORY_NOT_FOUND",
            }));
            continue;
        };
        let contents = repository.lock();
        let effective = scanning.effective(&contents.settings);
        found.push(json!({
            "repositoryArn": ecr.arn(&repository.named.name),
            "repositoryName": repository.named.name,
            "scanOnPush": effective.frequency != Frequency::Manual,
            "scanFrequency": effective.frequency,
            "appliedScanFilters": effective.filters,
        }));
    }
    Ok(json!({ "scanningConfigurations": found, "failures": failures }))
}
