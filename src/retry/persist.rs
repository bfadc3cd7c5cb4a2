//! The loop around what may fail.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::{Next, Policy, State, Verdict};

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// The credential of the one before was refused.
    pub renew: bool,
}

/// Makes attempts until one succeeds or the policy gives up; then the last failure is returned as it is.
///
/// `tell` hears of each failure that is waited after, with the number of the attempt and the pause.
///
/// # Errors
/// Whatever the last attempt failed with.
pub async fn persist<T, E>(
    policy: &Policy,
    judge: impl Fn(&E) -> Verdict,
    tell: impl Fn(&E, u32, Duration),
    mut call: impl AsyncFnMut(Attempt) -> Result<T, E>,
) -> Result<T, E> {
    let mut state = State::default();
    let mut attempt = Attempt { number: 1, renew: false };
    let mut first_failure: Option<Instant> = None;
    loop {
        let error = match call(attempt).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let since = first_failure.get_or_insert_with(Instant::now).elapsed();
        match state.next(policy, judge(&error), since, fastrand::f64()) {
            Next::GiveUp => return Err(error),
            Next::Renew => attempt.renew = true,
            Next::Wait(pause) => {
                tell(&error, attempt.number, pause);
                tokio::time::sleep(pause).await;
                attempt.renew = false;
            }
        }
        attempt.number += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::retry::SERVICE;

    async fn story(verdicts: &[Verdict]) -> (Result<(), usize>, Vec<Attempt>, u32) {
        let (seen, told) = (RefCell::new(Vec::new()), Cell::new(0));
        let call = async |attempt: Attempt| {
            seen.borrow_mut().push(attempt);
            let at = seen.borrow().len() - 1;
            if at < verdicts.len() { Err(at) } else { Ok(()) }
        };
        let result = persist(&SERVICE, |at| verdicts[*at], |_, _, _| told.set(told.get() + 1), call).await;
        (result, seen.into_inner(), told.get())
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_until_it_works() {
        let passing = Verdict::Passing { after: None };
        let (result, attempts, told) = story(&[passing, Verdict::Renew, passing]).await;
        assert_eq!((result, told), (Ok(()), 2));
        let expected = [(1, false), (2, false), (3, true), (4, false)];
        assert_eq!(attempts, expected.map(|(number, renew)| Attempt { number, renew }));
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_with_the_last_failure() {
        assert_eq!(story(&[Verdict::Final]).await.0, Err(0));
        assert_eq!(story(&[Verdict::Passing { after: None }; 9]).await.0, Err(4));
        assert_eq!(story(&[Verdict::Renew, Verdict::Renew]).await.0, Err(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_service_asks_for_is_kept_to_or_not_waited_for_at_all() {
        let began = Instant::now();
        let after = |seconds| Verdict::Throttled { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(story(&[after(60)]).await.0, Ok(()));
        assert!(began.elapsed() >= Duration::from_secs(60));
        let began = Instant::now();
        assert_eq!(story(&[after(600)]).await.0, Err(0));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
