//! What was tried again, for whoever wants to know.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Something that is about to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// What is being done, as in `get the registry's authorization token`.
    pub doing: String,
    /// Why it did not work.
    pub cause: String,
    /// The number of the attempt that failed, counted from 1.
    pub attempt: u32,
    /// How long it is waited.
    pub wait: Duration,
}

/// What all attempts came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many attempts were made again.
    pub retries: u64,
    /// How long was waited for them; those that waited at the same time are all counted.
    pub waited: Duration,
}

/// Counts what is tried again.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    sum: Sum,
    /// Those who hear of retries; only the last does, until it goes away.
    listeners: Vec<UnboundedSender<Retry>>,
}

impl Tally {
    /// Counts one.
    pub fn note(&self, retry: Retry) {
        let mut noted = self.noted();
        noted.sum.retries += 1;
        noted.sum.waited += retry.wait;
        let mut retry = retry;
        while let Some(listener) = noted.listeners.last() {
            match listener.send(retry) {
                Ok(()) => break,
                Err(unheard) => retry = unheard.0,
            }
            noted.listeners.pop();
        }
    }

    /// What it came to so far.
    pub fn sum(&self) -> Sum {
        self.noted().sum
    }

    /// Hears of each from now on, in place of whoever heard of them before, who hears of them again when the receiver is
    /// dropped.
    pub fn hear(&self) -> UnboundedReceiver<Retry> {
        let (sender, receiver) = unbounded_channel();
        self.noted().listeners.push(sender);
        receiver
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(doing: &str) -> Retry {
        Retry { doing: doing.to_owned(), cause: String::new(), attempt: 1, wait: Duration::from_millis(1500) }
    }

    #[test]
    fn who_hears_last_hears_alone_and_all_are_counted() {
        let tally = Tally::default();
        tally.note(retry("nobody"));
        let mut outer = tally.hear();
        tally.note(retry("outer"));
        let mut inner = tally.hear();
        tally.note(retry("inner"));
        assert_eq!(inner.try_recv().map(|retry| retry.doing), Ok("inner".to_owned()));
        drop(inner);
        tally.note(retry("outer again"));
        let heard: Vec<String> = std::iter::from_fn(|| outer.try_recv().ok()).map(|retry| retry.doing).collect();
        assert_eq!(heard, ["outer", "outer again"]);
        assert_eq!(tally.sum(), Sum { retries: 4, waited: Duration::from_secs(6) });
    }
}
