//! `Retry-After`. Source: RFC 9110, section 10.2.3.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest text that can be one; whatever is longer is not looked at.
const LONGEST: usize = 64;

/// How long the header's value asks to wait: a number of seconds, or a date. `None` for what is neither.
pub fn retry_after(value: &str, now: OffsetDateTime) -> Option<Duration> {
    let value = value.trim();
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than anybody waits.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(date - now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = datetime!(2026-11-25 12:00:00 UTC);
        let asked = |value| retry_after(value, now);
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked(" 0 "), Some(Duration::ZERO));
        assert_eq!(asked("Wed, 25 Nov 2026 12:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Wed, 25 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO), "a date that has passed");
        assert!(asked("99999999999999999999999").is_some_and(|wait| wait > Duration::from_secs(1_000_000)));
        for nonsense in ["", "soon", "-1", "1.5", "1 2", "٣"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
