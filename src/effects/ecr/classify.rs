//! From the SDK's errors to ours, by code and type.

use std::error::Error;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::EcrClient;
use crate::execute::ports::{Failure, ServiceError};
use crate::names::RepositoryName;

impl EcrClient {
    /// What an error of the SDK's means for the user. `repository` is the one that the call was about.
    pub(super) fn failed<E>(
        &self,
        doing: impl Into<String>,
        repository: Option<&RepositoryName>,
        error: &SdkError<E, HttpResponse>,
    ) -> ServiceError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (failure, cause) = match error {
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or("an error without a code");
                let message = context.err().message().unwrap_or("no message");
                let failure = by_code(code, message, context.raw().status().as_u16(), repository);
                (failure, format!("{code}: {message}"))
            }
            other => (self.without_answer(other), chain(other)),
        };
        ServiceError { failure, doing: doing.into(), cause }
    }

    fn without_answer<E: Error + 'static>(&self, error: &SdkError<E, HttpResponse>) -> Failure {
        // The instance metadata service is the chain's last resort: that it fails means that nothing came before.
        if sources(error).any(<dyn Error + 'static>::is::<ImdsError>) {
            return Failure::CredentialsMissing;
        }
        let credentials = sources(error).find_map(|source| source.downcast_ref::<CredentialsError>());
        match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_)) => return Failure::CredentialsMissing,
            Some(_) => return Failure::CredentialsUnreadable,
            None => {}
        }
        match error {
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                Failure::Unreachable { address: self.address.clone() }
            }
            SdkError::ResponseError(_) => Failure::ServiceBroken,
            _ => Failure::Unexpected,
        }
    }
}

fn by_code(code: &str, message: &str, status: u16, repository: Option<&RepositoryName>) -> Failure {
    match (code, repository) {
        ("AccessDeniedException" | "AccessDenied", _) => Failure::Denied { action: denied_action(message) },
        ("ExpiredTokenException" | "ExpiredToken" | "RequestExpired", _) => Failure::CredentialsExpired,
        (
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationTokenException",
            _,
        ) => Failure::CredentialsRefused,
        ("RepositoryNotFoundException", Some(repository)) => {
            Failure::RepositoryMissing { repository: repository.clone() }
        }
        ("ThrottlingException" | "ThrottleException" | "TooManyRequestsException", _) => Failure::Throttled,
        _ if status == 429 => Failure::Throttled,
        _ if status >= 500 => Failure::ServiceBroken,
        _ => Failure::Refused,
    }
}

/// The action in IAM's own sentence, `… is not authorized to perform: ecr:CreateRepository on resource: …`.
fn denied_action(message: &str) -> Option<String> {
    let after = message.split("is not authorized to perform: ").nth(1)?;
    after.split_whitespace().next().map(str::to_owned)
}

/// The error itself, and what caused it.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// What the SDK says where the text that matters is that of the cause.
const EMPTY_WORDS: [&str; 4] = ["dispatch failure", "io error", "other", "client error (Connect)"];

/// The texts of an error and of what caused it, without repetitions.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in sources(error).map(ToString::to_string) {
        let says_nothing = EMPTY_WORDS.contains(&text.as_str());
        if !says_nothing && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_denied_action_is_read_from_iams_sentence() {
        let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
                       ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:123456789012:repository/web because \
                       no identity-based policy allows the ecr:CreateRepository action";
        let expected = Failure::Denied { action: Some("ecr:CreateRepository".into()) };
        assert_eq!(by_code("AccessDeniedException", message, 400, None), expected);
    }

    #[test]
    fn codes_decide() {
        let web: RepositoryName = "web".parse().unwrap();
        let by = |code, status| by_code(code, "", status, Some(&web));
        assert_eq!(by("ExpiredTokenException", 400), Failure::CredentialsExpired);
        assert_eq!(by("RepositoryNotFoundException", 400), Failure::RepositoryMissing { repository: web.clone() });
        assert_eq!(by("ThrottleException", 400), Failure::Throttled);
        assert_eq!(by("Whatever", 503), Failure::ServiceBroken);
        assert_eq!(by("InvalidParameterException", 400), Failure::Refused);
    }
}
