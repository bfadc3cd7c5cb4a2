//! The registry's replication: its configuration, and how far images are on their ways.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::authorization::Nothing;
use crate::local::api::input::{ImageId, Target};
use crate::local::ecr::Ecr;
use crate::local::refusal::Refusal;
use crate::local::replication::Replication;
use crate::local::store::image_not_found;

/// Tells the registry's rules.
pub fn describe_registry(ecr: &Ecr, _: Nothing) -> Result<Value, Refusal> {
    Ok(json!({ "registryId": ecr.account, "replicationConfiguration": ecr.replication.get() }))
}

/// The input of PutReplicationConfiguration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    replication_configuration: Replication,
}

/// Puts other rules in the place of the registry's. Images that are there already stay where they are.
pub fn put(ecr: &Ecr, input: Put) -> Result<Value, Refusal> {
    input.replication_configuration.check(&ecr.place())?;
    ecr.replication.put(input.replication_configuration.clone())?;
    Ok(json!({ "replicationConfiguration": input.replication_configuration }))
}

/// The input of DescribeImageReplicationStatus.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    #[serde(flatten)]
    target: Target,
    image_id: ImageId,
}

/// Tells how far an image is on its way to each destination; one that never was on its way has no entries.
pub fn describe_image(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let image = input.image_id.find(&contents.index, image_not_found)?;
    Ok(json!({
        "repositoryName": repository.named.name,
        "imageId": input.image_id,
        "replicationStatuses": ecr.replicator.statuses(&repository.named.name, &image.digest),
    }))
}
