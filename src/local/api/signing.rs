//! The registry's managed signing: its configuration, and how far images are signed.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::authorization::Nothing;
use crate::local::api::input::{ImageId, Target};
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Refusal};
use crate::local::signing::Signing;
use crate::local::store::image_not_found;

/// Tells the registry's rules.
pub fn get(ecr: &Ecr, _: Nothing) -> Result<Value, Refusal> {
    let signing = ecr.signing.get().ok_or_else(|| not_configured(ecr))?;
    Ok(json!({ "registryId": ecr.account, "signingConfiguration": signing }))
}

/// The input of PutSigningConfiguration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    signing_configuration: Signing,
}

/// Puts other rules in the place of the registry's. Images that are there already stay as they are.
pub fn put(ecr: &Ecr, input: Put) -> Result<Value, Refusal> {
    input.signing_configuration.check()?;
    ecr.signing.put(Some(input.signing_configuration.clone()))?;
    Ok(json!({ "signingConfiguration": input.signing_configuration }))
}

/// Removes the registry's rules.
pub fn delete(ecr: &Ecr, _: Nothing) -> Result<Value, Refusal> {
    let removed = ecr.signing.change(|current| current.take().ok_or_else(|| not_configured(ecr)))?;
    Ok(json!({ "registryId": ecr.account, "signingConfiguration": removed }))
}

fn not_configured(ecr: &Ecr) -> Refusal {
    let message = format!("Signing configuration not found for the registry with id '{}'", ecr.account);
    Refusal::new(Kind::SigningConfigurationNotFound, message)
}

/// The input of DescribeImageSigningStatus.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    #[serde(flatten)]
    target: Target,
    image_id: ImageId,
}

/// Tells how far each profile is with an image; one that no rule was for when it was pushed has no entries.
pub fn describe_image(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let contents = repository.lock();
    let image = input.image_id.find(&contents.index, image_not_found)?;
    Ok(json!({
        "registryId": ecr.account,
        "repositoryName": repository.named.name,
        "imageId": input.image_id,
        "signingStatuses": ecr.signer.statuses(&repository.named.name, &image.digest),
    }))
}
