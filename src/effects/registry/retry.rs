//! Sending again what a second attempt may mend.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

/// How long a connection may take to come about.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may stay silent.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(60);

const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Sends until the answer is neither "too many requests" nor the service's own failure, five times at most.
///
/// The last answer or error is returned as it is.
pub(super) async fn until_answered<F, R>(mut send: F) -> Result<Response, reqwest::Error>
where
    F: FnMut() -> R,
    R: Future<Output = Result<Response, reqwest::Error>>,
{
    let mut attempt = 1;
    loop {
        let result = send().await;
        let asked_pause = match &result {
            Ok(response) if is_passing(response.status()) => retry_after(response),
            // A certificate that is not trusted now will not be in a second.
            Err(error) if (error.is_connect() || error.is_timeout() || error.is_request()) && !is_tls(error) => None,
            _ => return result,
        };
        if attempt == ATTEMPTS {
            return result;
        }
        tokio::time::sleep(asked_pause.unwrap_or_else(|| pause(attempt)).min(LONGEST_PAUSE)).await;
        attempt += 1;
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// The pause after this attempt, the first being 1.
///
/// Exponential, with full jitter so that parallel jobs do not come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let whole = FIRST_PAUSE * 2u32.saturating_pow(attempt - 1);
    whole.mul_f64(fastrand::f64())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_their_step() {
        for attempt in 1..ATTEMPTS {
            let whole = FIRST_PAUSE * 2u32.pow(attempt - 1);
            let pause = pause(attempt);
            assert!(pause <= whole, "attempt {attempt}: {pause:?}");
        }
    }
}
