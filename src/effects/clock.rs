//! The time.

use std::time::Instant;

use time::OffsetDateTime;

/// The time of day, in UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A moment to measure from.
pub fn instant() -> Instant {
    Instant::now()
}
