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
    listener: Option<UnboundedSender<Retry>>,
}

impl Tally {
    /// Counts one.
    pub fn note(&self, retry: Retry) {
        let mut noted = self.noted();
        noted.sum.retries += 1;
        noted.sum.waited += retry.wait;
        if let Some(listener) = &noted.listener {
            // One that has gone away does not want to know.
            let _ = listener.send(retry);
        }
    }

    /// What it came to so far.
    pub fn sum(&self) -> Sum {
        self.noted().sum
    }

    /// Hears of each from now on, in place of whoever heard of them before.
    pub fn hear(&self) -> UnboundedReceiver<Retry> {
        let (sender, receiver) = unbounded_channel();
        self.noted().listener = Some(sender);
        receiver
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
