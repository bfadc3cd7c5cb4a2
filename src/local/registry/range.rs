//! The header `Range` of a download. Source: RFC 9110, section 14.

/// The bytes that a request wants of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// From the first to the last, both included.
    Part(u64, u64),
    /// Some that the body does not have.
    OutOfReach,
}

/// Reads the header. What is no range of bytes, or more than one, may be answered with the whole body.
pub fn parse(header: Option<&str>, length: u64) -> Wanted {
    let Some((first, last)) =
        header.and_then(|value| value.strip_prefix("bytes=")).and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::All;
    };
    let number = |text: &str| if text.is_empty() { Ok(None) } else { text.parse::<u64>().map(Some) };
    match (number(first), number(last)) {
        (Ok(Some(first)), Ok(Some(last))) if first > last => Wanted::All,
        (Ok(Some(first)), Ok(_)) if first >= length => Wanted::OutOfReach,
        (Ok(Some(first)), Ok(last)) => Wanted::Part(first, last.unwrap_or(u64::MAX).min(length - 1)),
        (Ok(None), Ok(Some(suffix))) if suffix == 0 || length == 0 => Wanted::OutOfReach,
        (Ok(None), Ok(Some(suffix))) => Wanted::Part(length.saturating_sub(suffix), length - 1),
        _ => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, wanted) in [
            ("bytes=0-3", Wanted::Part(0, 3)),
            ("bytes=4-", Wanted::Part(4, 9)),
            ("bytes=4-99", Wanted::Part(4, 9)),
            ("bytes=-3", Wanted::Part(7, 9)),
            ("bytes=-30", Wanted::Part(0, 9)),
            ("bytes=9-9", Wanted::Part(9, 9)),
            ("bytes=10-", Wanted::OutOfReach),
            ("bytes=-0", Wanted::OutOfReach),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=x-", Wanted::All),
            ("lines=0-1", Wanted::All),
        ] {
            assert_eq!(parse(Some(header), 10), wanted, "{header}");
        }
        assert_eq!(parse(None, 10), Wanted::All);
        assert_eq!(parse(Some("bytes=0-"), 0), Wanted::OutOfReach);
        assert_eq!(parse(Some("bytes=-1"), 0), Wanted::OutOfReach);
    }
}
