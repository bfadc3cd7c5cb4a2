//! Repository policies and lifecycle policies. Both are kept and given back; neither is applied.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::Target;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::store::Repository;

/// In characters. Source: ECR API model, `RepositoryPolicyText`.
const MAX_POLICY: usize = 10240;
/// In characters. Source: ECR API model, `LifecyclePolicyText`.
const MAX_LIFECYCLE_POLICY: usize = 30720;
/// Source: ECR user guide, "Service quotas".
const MAX_RULES: usize = 50;

/// The input of the operations that only read or delete a policy.
#[derive(Debug, Deserialize)]
pub struct Of {
    #[serde(flatten)]
    target: Target,
}

/// The input of SetRepositoryPolicy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetRepositoryPolicy {
    #[serde(flatten)]
    target: Target,
    policy_text: String,
}

/// The input of PutLifecyclePolicy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutLifecyclePolicy {
    #[serde(flatten)]
    target: Target,
    lifecycle_policy_text: String,
}

/// Gives the repository policy.
pub fn get_repository_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let policy = repository.lock().settings.policy.clone();
    let text = policy.ok_or_else(|| no_repository_policy(&repository.named))?;
    Ok(answer(&repository, "policyText", text))
}

/// Keeps a repository policy, if it is a JSON object with statements.
pub fn set_repository_policy(ecr: &Ecr, input: SetRepositoryPolicy) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = input.policy_text;
    let policy = serde_json::from_str::<Value>(&text).unwrap_or_default();
    if text.chars().count() > MAX_POLICY || policy.get("Statement").is_none() {
        return Err(Refusal::parameter("PolicyText", "Invalid repository policy provided"));
    }
    repository.configure(|settings| {
        settings.policy = Some(text.clone());
        Ok(())
    })?;
    Ok(answer(&repository, "policyText", text))
}

/// Removes the repository policy and gives it a last time.
pub fn delete_repository_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = repository
        .configure(|settings| settings.policy.take().ok_or_else(|| no_repository_policy(&repository.named)))?;
    Ok(answer(&repository, "policyText", text))
}

/// Gives the lifecycle policy.
pub fn get_lifecycle_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let policy = repository.lock().settings.lifecycle_policy.clone();
    let text = policy.ok_or_else(|| no_lifecycle_policy(&repository.named))?;
    Ok(answer(&repository, "lifecyclePolicyText", text))
}

/// Keeps a lifecycle policy, if it is a list of rules at all.
pub fn put_lifecycle_policy(ecr: &Ecr, input: PutLifecyclePolicy) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = input.lifecycle_policy_text;
    let invalid = |problem: &str| {
        Refusal::parameter("LifecyclePolicyText", format_args!("Lifecycle policy validation failure:\n{problem}"))
    };
    if text.chars().count() > MAX_LIFECYCLE_POLICY {
        return Err(invalid(&format!("the policy is longer than {MAX_LIFECYCLE_POLICY} characters")));
    }
    let policy = serde_json::from_str::<Value>(&text).ok();
    let rules = policy.as_ref().and_then(|policy| policy.get("rules")).and_then(Value::as_array);
    match rules.map(Vec::len) {
        None => return Err(invalid("Could not map policyString into LifecyclePolicy.")),
        Some(1..=MAX_RULES) => {}
        Some(count) => return Err(invalid(&format!("there are {count} rules, 1 to {MAX_RULES} are allowed"))),
    }
    repository.configure(|settings| {
        settings.lifecycle_policy = Some(text.clone());
        Ok(())
    })?;
    Ok(answer(&repository, "lifecyclePolicyText", text))
}

/// Removes the lifecycle policy and gives it a last time.
pub fn delete_lifecycle_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = repository
        .configure(|settings| settings.lifecycle_policy.take().ok_or_else(|| no_lifecycle_policy(&repository.named)))?;
    Ok(answer(&repository, "lifecyclePolicyText", text))
}

fn answer(repository: &Arc<Repository>, member: &str, text: String) -> Value {
    let named = &repository.named;
    json!({ "registryId": named.registry_id, "repositoryName": named.name, member: text })
}

fn no_repository_policy(named: &Named) -> Refusal {
    Refusal::new(Kind::RepositoryPolicyNotFound, format!("Repository policy does not exist for {named}"))
}

fn no_lifecycle_policy(named: &Named) -> Refusal {
    Refusal::new(Kind::LifecyclePolicyNotFound, format!("Lifecycle policy does not exist for {named}"))
}
