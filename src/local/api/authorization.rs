//! GetAuthorizationToken and what else belongs to the registry as a whole.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::local::ecr::Ecr;
use crate::local::refusal::Refusal;

/// An input that does not matter: `registryIds` has no effect any more. Source: ECR API model.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// A password that is good for twelve hours; the time is the answer's to tell.
pub fn get_token(ecr: &Ecr, _: Nothing) -> Result<Value, Refusal> {
    let issued = ecr.tokens.issue(ecr.clock.now())?;
    Ok(json!({ "authorizationData": [{
        "authorizationToken": issued.token,
        "expiresAt": issued.expires_at.seconds(),
        "proxyEndpoint": ecr.endpoint(),
    }]}))
}
