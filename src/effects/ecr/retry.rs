//! Asking ECR again where that may help.
//!
//! The SDK's own retries are turned off: it takes `LimitExceededException`, which for ECR is a quota that no waiting
//! lifts, for throttling, and does not know `ThrottleException`, the name that ECR's guide gives, nor a bare 429.

use std::error::Error;
use std::time::Duration;

use aws_sdk_ecr::config::timeout::TimeoutConfig;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::EcrClient;
use crate::effects::clock;
use crate::facts::Variables;
use crate::retry::{Attempt, Ended, Policy, Retry, SERVICE, Verdict, persist, retry_after};

/// How long one attempt may take; the largest answers are some megabytes of JSON.
const ATTEMPT: Duration = Duration::from_secs(60);

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The policy, with as many attempts as the user says in the environment.
pub(super) fn policy(variables: &Variables) -> Policy {
    let stated = variables.get("AWS_MAX_ATTEMPTS").and_then(|text| text.parse().ok()).filter(|stated| *stated > 0);
    match stated {
        Some(attempts) => Policy { attempts, attempts_when_throttled: attempts, ..SERVICE },
        None => SERVICE,
    }
}

pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

impl EcrClient {
    /// Makes a call, again where that may help; `doing` is what the user would call it.
    pub(super) async fn ask<T, E>(
        &self,
        doing: &str,
        call: impl AsyncFn(Attempt) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let judge = |error: &SdkError<E, HttpResponse>| self.verdict(error);
        let tell = |error: &SdkError<E, HttpResponse>, attempt, wait| {
            let cause = self.failed(doing, None, error).cause;
            self.tally.note(Retry { doing: doing.to_owned(), cause, attempt, wait });
        };
        persist(&self.policy, judge, tell, async |attempt| self.ask_once(async || call(attempt).await).await).await
    }

    /// Makes a call whose answer can be done without, so that no time is lost on a second attempt.
    pub(super) async fn ask_once<T, E>(
        &self,
        call: impl AsyncFnOnce() -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let pass = self.gate.enter().await;
        let result = call().await;
        match &result {
            Ok(_) => pass.ended(Ended::Well),
            Err(error) if matches!(self.verdict(error), Verdict::Throttled { .. }) => pass.ended(Ended::Throttled),
            Err(_) => drop(pass),
        }
        result
    }

    fn verdict<E>(&self, error: &SdkError<E, HttpResponse>) -> Verdict
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let after = error.raw_response().and_then(|response| response.headers().get("retry-after"));
        let after = after.and_then(|value| retry_after(value, clock::now()));
        match self.failed("", None, error).failure.verdict() {
            Verdict::Passing { .. } => Verdict::Passing { after },
            Verdict::Throttled { .. } => Verdict::Throttled { after },
            // The credentials of AWS are not ours to renew; the SDK does it before they end.
            Verdict::Renew | Verdict::Final => Verdict::Final,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_may_say_how_often() {
        let of = |value: &str| policy(&Variables::from([("AWS_MAX_ATTEMPTS".to_owned(), value.to_owned())])).attempts;
        assert_eq!((of("2"), of("0"), of("many")), (2, SERVICE.attempts, SERVICE.attempts));
    }
}
