//! Keeping to a rate.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// At most so many calls in any second.
pub(super) struct Pace {
    most: usize,
    recent: RefCell<VecDeque<Duration>>,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        Pace { most, recent: RefCell::default() }
    }

    /// How long the next call has to wait, if it is made now; counts it as made after that.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let mut recent = self.recent.borrow_mut();
        let mut at = now;
        if recent.len() >= self.most
            && let Some(oldest) = recent.pop_front()
        {
            at = at.max(oldest + Duration::from_secs(1));
        }
        recent.push_back(at);
        at.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_its_share() {
        let pace = Pace::new(10);
        let mut now = Duration::ZERO;
        let mut made = Vec::new();
        for _ in 0..35 {
            now += pace.wait(now);
            made.push(now);
        }
        assert_eq!(made[9], Duration::ZERO, "a burst is fine");
        assert_eq!(made[34], Duration::from_secs(3));
        for (first, eleventh) in made.iter().zip(&made[10..]) {
            assert!(*eleventh - *first >= Duration::from_secs(1));
        }
    }

    #[test]
    fn who_is_slow_never_waits() {
        let pace = Pace::new(2);
        assert!((0..20).all(|n| pace.wait(Duration::from_secs(n)) == Duration::ZERO));
    }
}
