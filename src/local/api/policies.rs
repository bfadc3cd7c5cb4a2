//! Repository policies. They are kept and given back, and not applied.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::access;
use crate::local::api::input::Target;
use crate::local::ecr::Ecr;
use crate::local::refusal::{Kind, Named, Refusal};
use crate::local::store::Repository;
use crate::names::AccountId;
use crate::tree;

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

/// Keeps a repository policy in ECR's own spelling.
pub fn set_repository_policy(ecr: &Ecr, input: SetRepositoryPolicy) -> Result<Value, Refusal> {
    let repository = input.target.repository(ecr)?;
    check(&input.policy_text)?;
    let text = rewritten(&input.policy_text);
    repository.configure(|settings| {
        settings.policy = Some(text.clone());
        Ok(())
    })?;
    Ok(answer(&repository, text))
}

/// Refuses a policy that ECR would refuse.
pub fn check(text: &str) -> Result<(), Refusal> {
    let is_policy =
        tree::json::parse(text).is_ok_and(|node| node.get("Statement").is_some() && access::read(&node).is_ok());
    if is_policy && text.chars().count() <= access::MAX_TEXT {
        return Ok(());
    }
    Err(Refusal::parameter("PolicyText", "Invalid repository policy provided"))
}

/// The policy as it is given back: with white space, and accounts as the ARNs of their roots.
fn rewritten(text: &str) -> String {
    let mut policy: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for statement in statements {
        for who in ["Principal", "NotPrincipal"] {
            match statement.get_mut(who).and_then(|who| who.get_mut("AWS")) {
                Some(Value::Array(all)) => all.iter_mut().for_each(as_root),
                Some(one) => as_root(one),
                None => {}
            }
        }
    }
    serde_json::to_string_pretty(&policy).unwrap_or_default()
}

fn as_root(principal: &mut Value) {
    if let Some(account) = principal.as_str().filter(|text| text.parse::<AccountId>().is_ok()) {
        *principal = format!("arn:aws:iam::{account}:root").into();
    }
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
