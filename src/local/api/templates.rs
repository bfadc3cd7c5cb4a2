//! Templates for repositories that a push creates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::lifecycle;
use crate::local::api::paging::Paging;
use crate::local::api::policies;
use crate::local::api::repositories::{encryption, mutability};
use crate::local::api::tags::{self, ResourceTag};
use crate::local::ecr::Ecr;
use crate::local::mutability::{Filter, Mode, Mutability};
use crate::local::refusal::{Kind, Refusal};
use crate::local::store::Encryption;
use crate::local::templates::{ROOT, Template, Templates};
use crate::names::RepositoryName;

const USES: [&str; 3] = ["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"];

/// The input of the operations that make and change a template; what is not given stays, or is ECR's default.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    prefix: String,
    description: Option<String>,
    encryption_configuration: Option<Encryption>,
    resource_tags: Option<Vec<ResourceTag>>,
    image_tag_mutability: Option<Mode>,
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
    repository_policy: Option<String>,
    lifecycle_policy: Option<String>,
    applied_for: Option<Vec<String>>,
    custom_role_arn: Option<String>,
}

/// Makes a template.
pub fn create(ecr: &Ecr, input: Put) -> Result<Value, Refusal> {
    check_prefix(&input.prefix)?;
    if input.applied_for.is_none() {
        return Err(Refusal::parameter("appliedFor", "Member must not be null"));
    }
    let now = ecr.clock.now();
    let blank = Template {
        prefix: input.prefix.clone(),
        description: None,
        applied_for: Vec::new(),
        mutability: Mutability::default(),
        encryption: encryption(ecr, None)?,
        resource_tags: BTreeMap::new(),
        policy: None,
        lifecycle_policy: None,
        custom_role_arn: None,
        created_at: now,
        updated_at: now,
    };
    let template = changed(ecr, blank, input)?;
    ecr.templates.change(|Templates(all)| {
        if all.contains_key(&template.prefix) {
            let message = format!("A template with the prefix '{}' already exists", template.prefix);
            return Err(Refusal::new(Kind::TemplateAlreadyExists, message));
        }
        all.insert(template.prefix.clone(), template.clone());
        Ok(())
    })?;
    Ok(answer(ecr, &template))
}

/// Changes a template.
pub fn update(ecr: &Ecr, input: Put) -> Result<Value, Refusal> {
    let template = ecr.templates.change(|Templates(all)| {
        let before = all.get(&input.prefix).cloned().ok_or_else(|| missing(&input.prefix))?;
        let template = Template { updated_at: ecr.clock.now(), ..changed(ecr, before, input)? };
        all.insert(template.prefix.clone(), template.clone());
        Ok(template)
    })?;
    Ok(answer(ecr, &template))
}

fn changed(ecr: &Ecr, before: Template, input: Put) -> Result<Template, Refusal> {
    if let Some(uses) = input.applied_for.as_ref().filter(|uses| uses.iter().any(|use_| !USES.contains(&use_.as_str())))
    {
        let message = format!("Member must satisfy enum value set: [{}], not {uses:?}", USES.join(", "));
        return Err(Refusal::parameter("appliedFor", message));
    }
    let template = Template {
        description: input.description.or(before.description),
        applied_for: input.applied_for.unwrap_or(before.applied_for),
        mutability: match input.image_tag_mutability {
            Some(mode) => mutability(mode, input.image_tag_mutability_exclusion_filters)?,
            None => before.mutability,
        },
        encryption: match input.encryption_configuration {
            Some(wanted) => encryption(ecr, Some(wanted))?,
            None => before.encryption,
        },
        resource_tags: match input.resource_tags {
            Some(set) => tags::merged(&BTreeMap::new(), set)?,
            None => before.resource_tags,
        },
        policy: input.repository_policy.or(before.policy),
        lifecycle_policy: input.lifecycle_policy.or(before.lifecycle_policy),
        custom_role_arn: input.custom_role_arn.or(before.custom_role_arn),
        ..before
    };
    if let Some(policy) = &template.policy {
        policies::check(policy)?;
    }
    if let Some(policy) = template.lifecycle_policy.as_deref().filter(|policy| !policy.is_empty()) {
        lifecycle::check(policy)?;
    }
    if template.custom_role_arn.is_none()
        && (!template.resource_tags.is_empty() || template.encryption.encryption_type != "AES256")
    {
        let constraint = "a custom role is required for resource tags and for encryption with KMS";
        return Err(Refusal::parameter("customRoleArn", constraint));
    }
    Ok(template)
}

/// The input of DescribeRepositoryCreationTemplates.
#[derive(Debug, Deserialize)]
pub struct Describe {
    prefixes: Option<Vec<String>>,
    #[serde(flatten)]
    paging: Paging,
}

/// Tells of the templates with these prefixes, or of all.
pub fn describe(ecr: &Ecr, input: Describe) -> Result<Value, Refusal> {
    let wanted = |template: &Template| input.prefixes.as_ref().is_none_or(|all| all.contains(&template.prefix));
    let all = ecr.templates.get().0.into_values().filter(wanted);
    let page = input.paging.page(all.map(|template| (template.prefix.clone(), told(&template))))?;
    let mut output = page.into_output("repositoryCreationTemplates");
    output["registryId"] = json!(ecr.account);
    Ok(output)
}

/// The input of DeleteRepositoryCreationTemplate.
#[derive(Debug, Deserialize)]
pub struct Delete {
    prefix: String,
}

/// Removes a template.
pub fn delete(ecr: &Ecr, input: Delete) -> Result<Value, Refusal> {
    let gone =
        ecr.templates.change(|Templates(all)| all.remove(&input.prefix).ok_or_else(|| missing(&input.prefix)))?;
    Ok(answer(ecr, &gone))
}

fn check_prefix(prefix: &str) -> Result<(), Refusal> {
    let name = prefix.strip_suffix('/').unwrap_or(prefix);
    // A prefix may be shorter than a name.
    let legal = prefix == ROOT || format!("a/{name}").parse::<RepositoryName>().is_ok();
    if legal && (1..=256).contains(&prefix.len()) {
        return Ok(());
    }
    Err(Refusal::parameter(
        "prefix",
        "must be the beginning of a repository's name, or ROOT, and have 1 to 256 characters",
    ))
}

fn missing(prefix: &str) -> Refusal {
    Refusal::new(Kind::TemplateNotFound, format!("The template with the prefix '{prefix}' does not exist"))
}

fn answer(ecr: &Ecr, template: &Template) -> Value {
    json!({ "registryId": ecr.account, "repositoryCreationTemplate": told(template) })
}

fn told(template: &Template) -> Value {
    let mut told = json!({
        "prefix": template.prefix,
        "appliedFor": template.applied_for,
        "imageTagMutability": template.mutability.mode(),
        "encryptionConfiguration": template.encryption,
        "resourceTags": tags::listed(&template.resource_tags),
        "createdAt": template.created_at.seconds(),
        "updatedAt": template.updated_at.seconds(),
    });
    if !template.mutability.filters().is_empty() {
        told["imageTagMutabilityExclusionFilters"] = json!(template.mutability.filters());
    }
    let texts = [
        ("description", &template.description),
        ("repositoryPolicy", &template.policy),
        ("lifecyclePolicy", &template.lifecycle_policy),
        ("customRoleArn", &template.custom_role_arn),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            told[name] = json!(text);
        }
    }
    told
}
