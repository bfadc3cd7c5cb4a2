//! How much of something is done, as a bar of letters.

/// How many letters a bar has between its brackets.
const WIDTH: u64 = 12;

/// A bar, as in `[####........]`; never more than full.
pub(super) fn bar(done: u64, of: u64) -> String {
    let filled = done.min(of).saturating_mul(WIDTH).checked_div(of).unwrap_or(0);
    (0..WIDTH).fold("[".to_owned(), |bar, at| bar + if at < filled { "#" } else { "." }) + "]"
}

/// How many steps of a stage are behind one that begins, and of how many, as builders write it before the step:
/// `[2/3] RUN make`, `[runtime 2/3] RUN make`.
pub(super) fn position(step: &str) -> Option<(u64, u64)> {
    let (place, _) = step.strip_prefix('[')?.split_once("] ")?;
    let (number, of) = place.rsplit(' ').next()?.split_once('/')?;
    Some((number.parse::<u64>().ok()?.checked_sub(1)?, of.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(bar(0, 10), "[............]");
        assert_eq!(bar(5, 10), "[######......]");
        assert_eq!(bar(11, 10), "[############]");
        assert_eq!(bar(1, 0), "[............]");
        assert_eq!(bar(u64::MAX, u64::MAX).len(), 14);
    }

    #[test]
    fn positions() {
        assert_eq!(position("[2/3] RUN make"), Some((1, 3)));
        assert_eq!(position("[a 1/12] FROM x"), Some((0, 12)));
        for other in ["exporting to image", "[auth] token", "[internal] load", "[0/3] x", "[x/y] z"] {
            assert_eq!(position(other), None, "{other}");
        }
    }
}
