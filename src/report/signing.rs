//! How far ECR's managed signing is.

use serde_json::{Value, json};

use crate::execute::report::{Signature, SigningState};

/// In words, as in `signed by release, being signed by audit`.
pub fn words(signatures: &[Signature]) -> String {
    if signatures.is_empty() {
        return "ECR does not sign it".to_owned();
    }
    let one = |signature: &Signature| {
        let by = name(&signature.profile);
        match (&signature.state, signature.state.failure().filter(|cause| !cause.is_empty())) {
            (SigningState::Signed, _) => format!("signed by {by}"),
            (SigningState::UnderWay, _) => format!("being signed by {by}"),
            (SigningState::Failed { .. }, Some(cause)) => format!("not signed by {by}: {cause}"),
            (SigningState::Failed { .. }, None) => format!("not signed by {by}"),
        }
    };
    signatures.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The name at the end of a signing profile's ARN.
pub fn name(profile: &str) -> &str {
    profile.rsplit_once('/').map_or(profile, |(_, name)| name)
}

/// For programs: a list with an entry for each signing profile.
pub fn json(signatures: &[Signature]) -> Value {
    let one = |signature: &Signature| {
        let (status, failure) = match &signature.state {
            SigningState::Signed => ("complete", None),
            SigningState::UnderWay => ("in_progress", None),
            SigningState::Failed { code, reason } => ("failed", Some((code, reason))),
        };
        let mut value = json!({ "profile": signature.profile, "status": status });
        if let Some((code, reason)) = failure {
            value["failure_code"] = json!(code);
            value["failure_reason"] = json!(reason);
        }
        value
    };
    signatures.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_words_and_as_json() {
        let by = |name: &str, state| Signature {
            profile: format!("arn:aws:signer:us-east-1:123456789012:/signing-profiles/{name}"),
            state,
        };
        let failed = SigningState::Failed { code: Some("AccessDenied".to_owned()), reason: None };
        let all = [by("release", SigningState::Signed), by("audit", SigningState::UnderWay), by("old", failed)];
        assert_eq!(words(&all), "signed by release, being signed by audit, not signed by old: AccessDenied");
        assert_eq!(words(&[]), "ECR does not sign it");
        let expected = json!([
            { "profile": all[0].profile, "status": "complete" },
            { "profile": all[1].profile, "status": "in_progress" },
            { "profile": all[2].profile, "status": "failed", "failure_code": "AccessDenied", "failure_reason": null },
        ]);
        assert_eq!(json(&all), expected);
    }
}
