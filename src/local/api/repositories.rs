//! Repositories and their settings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::{Target, check_batch, check_registry, parse_name};
use crate::local::api::paging::Paging;
use crate::local::api::tags::{self, ResourceTag};
use crate::local::ecr::Ecr;
use crate::local::mutability::{Filter, Mode, Mutability};
use crate::local::refusal::Refusal;
use crate::local::store::{Encryption, RepositorySettings};

/// The longest name of a key, in characters. Source: ECR API model.
const MAX_KEY_LENGTH: usize = 2048;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scanning {
    scan_on_push: bool,
}

/// The input of CreateRepository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    #[serde(flatten)]
    target: Target,
    #[serde(default)]
    tags: Vec<ResourceTag>,
    image_tag_mutability: Option<Mode>,
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
    #[serde(default)]
    image_scanning_configuration: Scanning,
    encryption_configuration: Option<Encryption>,
}

/// Makes a repository.
pub fn create(ecr: &Ecr, input: Create) -> Result<Value, Refusal> {
    let name = input.target.name(ecr)?;
    let mode = input.image_tag_mutability.unwrap_or_default();
    let settings = RepositorySettings {
        name,
        created_at: ecr.clock.now(),
        mutability: mutability(mode, input.image_tag_mutability_exclusion_filters)?,
        scan_on_push: input.image_scanning_configuration.scan_on_push,
        encryption: encryption(ecr, input.encryption_configuration)?,
        resource_tags: tags::merged(&BTreeMap::new(), input.tags)?,
        policy: None,
        lifecycle_policy: None,
    };
    let repository = ecr.store.create(settings)?;
    let description = describe_one(ecr, &repository.lock().settings);
    Ok(json!({ "repository": description }))
}

/// The input of DescribeRepositories.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    registry_id: Option<String>,
    repository_names: Option<Vec<String>>,
    #[serde(flatten)]
    paging: Paging,
}

/// Tells of the repositories that are named, or of all.
pub fn describe(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    if let Some(names) = input.repository_names {
        check_batch("repositoryNames", &names)?;
        if input.paging.is_given() {
            return Err(Refusal::parameter("repositoryNames", "cannot be given with maxResults or nextToken"));
        }
        let described = names.iter().map(|name| {
            check_registry(ecr, input.registry_id.as_deref(), name)?;
            let repository = ecr.store.repository(&parse_name(name)?)?;
            Ok(describe_one(ecr, &repository.lock().settings))
        });
        return Ok(json!({ "repositories": described.collect::<Result<Vec<_>, Refusal>>()? }));
    }
    let elsewhere = input.registry_id.is_some_and(|id| id != ecr.account.as_str());
    let repositories = if elsewhere { Vec::new() } else { ecr.store.repositories_from(input.paging.start()?.as_ref()) };
    let all = repositories
        .iter()
        .map(|repository| (repository.named.name.to_string(), describe_one(ecr, &repository.lock().settings)));
    Ok(input.paging.page(all)?.into_output("repositories"))
}

/// The input of DeleteRepository.
#[derive(Debug, Deserialize)]
pub struct Delete {
    #[serde(flatten)]
    target: Target,
    #[serde(default)]
    force: bool,
}

/// Removes a repository.
pub fn delete(ecr: &Ecr, input: Delete) -> Result<Value, Refusal> {
    let settings = ecr.store.delete(&input.target.name(ecr)?, input.force)?;
    Ok(json!({ "repository": describe_one(ecr, &settings) }))
}

/// The input of PutImageTagMutability.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutMutability {
    #[serde(flatten)]
    target: Target,
    image_tag_mutability: Mode,
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
}

/// Says which tags may move from now on.
pub fn put_mutability(ecr: &Ecr, input: PutMutability) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let mutability = mutability(input.image_tag_mutability, input.image_tag_mutability_exclusion_filters)?;
    let mut output = json!({
        "registryId": ecr.account,
        "repositoryName": repository.named.name,
        "imageTagMutability": mutability.mode(),
    });
    put_filters(&mut output, &mutability);
    repository.configure(|settings| {
        settings.mutability = mutability;
        Ok(())
    })?;
    Ok(output)
}

/// The input of PutImageScanningConfiguration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutScanning {
    #[serde(flatten)]
    target: Target,
    image_scanning_configuration: Scanning,
}

/// Remembers whether images are to be scanned.
pub fn put_scanning(ecr: &Ecr, input: PutScanning) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let scan_on_push = input.image_scanning_configuration.scan_on_push;
    repository.configure(|settings| {
        settings.scan_on_push = scan_on_push;
        Ok(())
    })?;
    Ok(json!({
        "registryId": ecr.account,
        "repositoryName": repository.named.name,
        "imageScanningConfiguration": { "scanOnPush": scan_on_push },
    }))
}

/// The mutability, if mode and filters go together.
pub fn mutability(mode: Mode, filters: Option<Vec<Filter>>) -> Result<Mutability, Refusal> {
    Mutability::new(mode, filters).map_err(|problem| Refusal::parameter("imageTagMutabilityExclusionFilters", problem))
}

/// How a repository is encrypted. Source: ECR user guide, "Encryption at rest". The default key is the one that the account's alias names.
pub fn encryption(ecr: &Ecr, wanted: Option<Encryption>) -> Result<Encryption, Refusal> {
    let Some(wanted) = wanted else {
        return Ok(Encryption { encryption_type: "AES256".to_owned(), kms_key: None });
    };
    let key_is_legal = wanted.kms_key.as_ref().is_none_or(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()));
    match wanted.encryption_type.as_str() {
        "AES256" if wanted.kms_key.is_none() => Ok(wanted),
        "AES256" => Err(Refusal::parameter("kmsKey", "cannot be given with the encryption type AES256")),
        "KMS" | "KMS_DSSE" if key_is_legal => {
            let default = || format!("arn:aws:kms:{}:{}:alias/aws/ecr", ecr.region, ecr.account);
            Ok(Encryption { kms_key: Some(wanted.kms_key.unwrap_or_else(default)), ..wanted })
        }
        "KMS" | "KMS_DSSE" => {
            Err(Refusal::parameter("kmsKey", format_args!("Member must have length between 1 and {MAX_KEY_LENGTH}")))
        }
        _ => Err(Refusal::parameter("encryptionType", "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]")),
    }
}

fn describe_one(ecr: &Ecr, settings: &RepositorySettings) -> Value {
    let mut description = json!({
        "repositoryArn": ecr.arn(&settings.name),
        "registryId": ecr.account,
        "repositoryName": settings.name,
        "repositoryUri": format!("{}/{}", ecr.host, settings.name),
        "createdAt": settings.created_at.seconds(),
        "imageTagMutability": settings.mutability.mode(),
        "imageScanningConfiguration": { "scanOnPush": settings.scan_on_push },
        "encryptionConfiguration": settings.encryption,
    });
    put_filters(&mut description, &settings.mutability);
    description
}

fn put_filters(output: &mut Value, mutability: &Mutability) {
    if !mutability.filters().is_empty() {
        output["imageTagMutabilityExclusionFilters"] = json!(mutability.filters());
    }
}
