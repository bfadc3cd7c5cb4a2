//! Sending again what a second attempt may mend.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

use crate::effects::clock;
use crate::retry::{Ended, Gate, Retry, SERVICE, Tally, Verdict, persist, retry_after};

/// How long a connection may take to come about.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may stay silent.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest answer that is read whole. Source: OCI distribution specification, "Pushing Manifests", for the largest
/// manifest; also ECR's limit.
pub(super) const LARGEST: usize = 4 * 1024 * 1024;

/// The most requests to one registry that are under way at once.
const AT_ONCE: u32 = 32;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The line, in the library's words.
    Line(reqwest::Error),
    /// The answer is longer than [`LARGEST`].
    TooLarge,
}

/// How requests to one registry are sent.
pub(super) struct Persistence {
    gate: Gate,
    tally: std::sync::Arc<Tally>,
}

impl Persistence {
    /// Retries are counted here.
    pub(super) fn new(tally: std::sync::Arc<Tally>) -> Self {
        Persistence { gate: Gate::new(AT_ONCE), tally }
    }

    /// Sends until there is an answer that is neither "too many requests" nor the service's own failure, or the policy
    /// gives up; then the last answer is returned as it is. The body of the answer is read as part of each attempt.
    pub(super) async fn until_answered<F, R>(&self, doing: &str, send: F) -> Result<Response, Unanswered>
    where
        F: Fn() -> R,
        R: Future<Output = Result<Response, reqwest::Error>>,
    {
        self.until(doing, async || whole(send().await.map_err(Unanswered::Line)?).await).await
    }

    /// The same for an answer whose body the caller reads.
    pub(super) async fn until_begun<F, R>(&self, doing: &str, send: F) -> Result<Response, Unanswered>
    where
        F: Fn() -> R,
        R: Future<Output = Result<Response, reqwest::Error>>,
    {
        self.until(doing, async || send().await.map_err(Unanswered::Line)).await
    }

    async fn until(
        &self,
        doing: &str,
        send: impl AsyncFn() -> Result<Response, Unanswered>,
    ) -> Result<Response, Unanswered> {
        let call = async |_| {
            let pass = self.gate.enter().await;
            let result = send().await;
            match &result {
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => pass.ended(Ended::Throttled),
                Ok(response) if response.status().is_success() => pass.ended(Ended::Well),
                _ => drop(pass),
            }
            match result {
                Ok(response) if judge_answer(&response) != Verdict::Final => Err(Failed::Answer(response)),
                Ok(response) => Ok(response),
                Err(error) => Err(Failed::None(error)),
            }
        };
        let tell = |failed: &Failed, attempt, wait| {
            self.tally.note(Retry { doing: doing.to_owned(), cause: failed.words(), attempt, wait });
        };
        match persist(&SERVICE, Failed::verdict, tell, call).await {
            Ok(response) | Err(Failed::Answer(response)) => Ok(response),
            Err(Failed::None(error)) => Err(error),
        }
    }

    /// Where retries are counted.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

enum Failed {
    Answer(Response),
    None(Unanswered),
}

impl Failed {
    fn verdict(&self) -> Verdict {
        match self {
            Failed::Answer(response) => judge_answer(response),
            // A certificate that is not trusted now will not be in a second, nor is a redirect another one.
            Failed::None(Unanswered::Line(error)) if is_tls(error) || error.is_redirect() || error.is_builder() => {
                Verdict::Final
            }
            Failed::None(Unanswered::Line(_)) => Verdict::Passing { after: None },
            Failed::None(Unanswered::TooLarge) => Verdict::Final,
        }
    }

    fn words(&self) -> String {
        match self {
            Failed::Answer(response) => response.status().to_string(),
            Failed::None(Unanswered::Line(error)) => chain(error),
            Failed::None(Unanswered::TooLarge) => String::new(),
        }
    }
}

fn judge_answer(response: &Response) -> Verdict {
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Verdict::of_status(response.status().as_u16(), after.and_then(|value| retry_after(value, clock::now())))
}

/// Reads an answer to its end, no further than it may be long.
pub(super) async fn whole(mut response: Response) -> Result<Response, Unanswered> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(Unanswered::Line)? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(Unanswered::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    let mut read = http::Response::new(Bytes::from(bytes));
    *read.status_mut() = response.status();
    *read.headers_mut() = std::mem::take(response.headers_mut());
    Ok(Response::from(read))
}

fn is_tls(error: &reqwest::Error) -> bool {
    chain(error).contains("certificate")
}

/// The texts of an error and of what caused it, without the URL, which they repeat.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next: Option<&dyn Error> = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
