//! Repository policies. They are kept and given back, and not applied.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::api::input::Target;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::store::Repository;

/// In characters. Source: ECR API model, `RepositoryPolicyText`.
const MAX_POLICY: usize = 10240;

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

/// Gives the repository policy.
pub fn get_repository_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let policy = repository.lock().settings.policy.clone();
    let text = policy.ok_or_else(|| no_repository_policy(&repository.named))?;
    Ok(answer(&repository, text))
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
    Ok(answer(&repository, text))
}

/// Removes the repository policy and gives it a last time.
pub fn delete_repository_policy(ecr: &Ecr, input: Of) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    let text = repository
        .configure(|settings| settings.policy.take().ok_or_else(|| no_repository_policy(&repository.named)))?;
    Ok(answer(&repository, text))
}

fn answer(repository: &Arc<Repository>, text: String) -> Value {
    let named = &repository.named;
    json!({ "registryId": named.registry_id, "repositoryName": named.name, "policyText": text })
}

fn no_repository_policy(named: &Named) -> Refusal {
    Refusal::new(Kind::RepositoryPolicyNotFound, format!("Repository policy does not exist for {named}"))
}
