//! The time, which a test may move forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The form of AWS JSON 1.1: seconds since 1970 with their fraction.
    pub fn seconds(self) -> f64 {
        // Exact for the next quarter of a million years.
        self.0 as f64 / 1000.0
    }

    /// Whole seconds since 1970.
    pub fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment that many seconds after 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1000))
    }

    /// The moment that much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Timestamp(self.0.saturating_add(milliseconds(time)))
    }
}

/// The server's clock: the machine's, and whatever it was put forward by.
#[derive(Debug, Default)]
pub struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// The moment that it shows.
    pub fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(milliseconds(since).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Puts it forward.
    pub fn advance(&self, time: Duration) {
        self.ahead.fetch_add(milliseconds(time), Ordering::Relaxed);
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
