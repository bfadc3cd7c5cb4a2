//! The registry's credential: one GetAuthorizationToken for a region and a run.

use aws_sdk_ecr::operation::get_authorization_token::GetAuthorizationTokenOutput;
use time::{Duration, OffsetDateTime};

use super::EcrClient;
use crate::effects::clock;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::names::{AccountId, RegistryHost};
use crate::secrecy;

/// A credential, and the account whose registry ECR takes for the caller's own.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) credential: Credential,
    account: Option<AccountId>,
    asked_at: OffsetDateTime,
}

impl Token {
    /// Tokens last 12 hours. One that ends within 15 minutes could end in the middle of a push.
    ///
    /// A token that was over when it was new tells of a service that does not care for the time, so it is kept.
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        let Some(end) = self.credential.expires_at else { return true };
        end <= self.asked_at || end - now > Duration::minutes(15)
    }
}

impl EcrClient {
    /// The account of the caller, as far as ECR's answer tells; a stand-in for ECR may not.
    ///
    /// # Errors
    /// Whatever keeps ECR from giving a token: no credentials, no permission, no answer.
    pub async fn account(&self) -> Result<Option<AccountId>, ServiceError> {
        Ok(self.token().await?.account)
    }

    /// The registry's token, asked for once and kept while it is good.
    pub(super) async fn token(&self) -> Result<Token, ServiceError> {
        let now = clock::now();
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let doing = "get the registry's authorization token";
        let answer = self.ask(doing, async |_| self.sdk.get_authorization_token().send().await).await;
        let answer = answer.map_err(|error| self.failed(doing, None, &error))?;
        let token = decode(&answer, now).ok_or_else(|| ServiceError {
            failure: Failure::Unexpected,
            doing: doing.to_owned(),
            cause: "the answer holds no token of the form AWS:password".to_owned(),
        })?;
        secrecy::keep(token.credential.reveal());
        secrecy::keep(&token.credential.basic());
        if let Some(hear) = self.on_credential {
            hear(&token.credential);
        }
        *kept = Some(token.clone());
        Ok(token)
    }
}

fn decode(answer: &GetAuthorizationTokenOutput, asked_at: OffsetDateTime) -> Option<Token> {
    let data = answer.authorization_data().first()?;
    let expires_at = data.expires_at().and_then(|end| OffsetDateTime::from_unix_timestamp(end.secs()).ok());
    let host: Option<RegistryHost> =
        data.proxy_endpoint().and_then(|url| url.split_once("://")?.1.trim_end_matches('/').parse().ok());
    Some(Token {
        credential: Credential::from_basic(data.authorization_token()?, expires_at)?,
        account: host.and_then(|host| host.as_ecr()).map(|ecr| ecr.account),
        asked_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecr::primitives::DateTime;
    use aws_sdk_ecr::types::AuthorizationData;
    use base64::Engine as _;

    fn answer(token: &str, expires_at: i64) -> GetAuthorizationTokenOutput {
        let data = AuthorizationData::builder()
            .authorization_token(base64::engine::general_purpose::STANDARD.encode(token))
            .expires_at(DateTime::from_secs(expires_at))
            .proxy_endpoint("https://123456789012.dkr.ecr.us-east-1.amazonaws.com")
            .build();
        GetAuthorizationTokenOutput::builder().authorization_data(data).build()
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn a_token_is_split_at_its_first_colon() {
        let token = decode(&answer("AWS:pass:word", 43_200), at(0)).unwrap();
        assert_eq!((token.credential.username.as_str(), token.credential.reveal()), ("AWS", "pass:word"));
        assert_eq!(token.account.map(|account| account.to_string()).as_deref(), Some("123456789012"));
        assert!(decode(&answer("no colon", 0), at(0)).is_none());
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        let token = decode(&answer("AWS:x", 43_200), at(0)).unwrap();
        assert!(token.is_fresh(at(42_000)));
        assert!(!token.is_fresh(at(42_500)));
    }

    #[test]
    fn a_token_that_was_never_young_is_kept() {
        assert!(decode(&answer("AWS:x", 1_000), at(2_000)).unwrap().is_fresh(at(900_000)));
    }
}
