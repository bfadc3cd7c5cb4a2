//! What the SDK's own classifiers get wrong for ECR.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

/// Retries ECR's name for throttling and status 429, and does not take a quota for throttling.
///
/// The SDK knows `ThrottlingException` but not `ThrottleException`, the name that ECR's guide gives, nor a bare
/// 429; and it retries `LimitExceededException`, which for ECR means a quota that no waiting lifts.
#[derive(Debug)]
pub(super) struct EcrRetries;

impl ClassifyRetry for EcrRetries {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else { return RetryAction::NoActionIndicated };
        let status = response.status().as_u16();
        let code = response.body().bytes().and_then(error_code);
        decide(status, code.as_deref())
    }

    fn name(&self) -> &'static str {
        "ECR's own throttling and quota errors"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn decide(status: u16, code: Option<&str>) -> RetryAction {
    match code {
        Some("LimitExceededException") => RetryAction::RetryForbidden,
        Some("ThrottleException") => RetryAction::throttling_error(),
        _ if status == 429 => RetryAction::throttling_error(),
        _ => RetryAction::NoActionIndicated,
    }
}

/// The `__type` of an AWS JSON 1.1 error, without the namespace before it.
fn error_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = body.get("__type")?.as_str()?;
    Some(code.rsplit('#').next().unwrap_or(code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_final_and_throttling_is_not() {
        assert_eq!(decide(400, Some("LimitExceededException")), RetryAction::RetryForbidden);
        assert_eq!(decide(400, Some("ThrottleException")), RetryAction::throttling_error());
        assert_eq!(decide(429, None), RetryAction::throttling_error());
        assert_eq!(decide(400, Some("RepositoryNotFoundException")), RetryAction::NoActionIndicated);
    }

    #[test]
    fn codes_with_and_without_a_namespace() {
        assert_eq!(
            error_code(br#"{"__type":"com.amazonaws#ThrottleException"}"#).as_deref(),
            Some("ThrottleException")
        );
        assert_eq!(error_code(br#"{"__type":"KmsException","message":"x"}"#).as_deref(), Some("KmsException"));
        assert_eq!(error_code(b"<html>"), None);
    }
}
