//! How many requests may be under way at once: one more for each round that goes well, half as many when throttled, as
//! TCP does. Source: RFC 5681, section 3.1, for the form of it.

/// The window of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    limit: f64,
    most: f64,
    /// Counts the cuts, so that requests of the same burst cut only once.
    epoch: u64,
}

impl Window {
    /// As many as this, until the service throttles.
    pub fn new(most: u32) -> Self {
        let most = f64::from(most.max(1));
        Window { limit: most, most, epoch: 0 }
    }

    /// How many may be under way; at least 1.
    pub fn limit(&self) -> usize {
        // It lies between 1 and a `u32`.
        self.limit as usize
    }

    /// What a request that begins now is part of.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A request that began in this epoch went well.
    pub fn succeeded(&mut self) {
        self.limit = (self.limit + 1.0 / self.limit).min(self.most);
    }

    /// A request that began in this epoch was throttled.
    pub fn throttled(&mut self, epoch: u64) {
        if epoch == self.epoch {
            self.limit = (self.limit / 2.0).max(1.0);
            self.epoch += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_halves_once_and_success_brings_it_back() {
        let mut window = Window::new(32);
        let epoch = window.epoch();
        (0..32).for_each(|_| window.throttled(epoch));
        assert_eq!(window.limit(), 16);
        window.throttled(window.epoch());
        assert_eq!(window.limit(), 8);
        let steps = (0..).take_while(|_| {
            window.succeeded();
            window.limit() < 32
        });
        assert!((400..600).contains(&steps.count()), "about one more for each round");
    }

    proptest! {
        #[test]
        fn it_stays_between_one_and_the_most(most in 0u32..100, story in proptest::collection::vec(any::<bool>(), 0..200)) {
            let mut window = Window::new(most);
            for went_well in story {
                let before = window.limit();
                if went_well { window.succeeded() } else { window.throttled(window.epoch()) }
                prop_assert!((1..=most.max(1) as usize).contains(&window.limit()));
                let kept = if went_well { window.limit() >= before } else { window.limit() <= before };
                prop_assert!(kept, "it went the wrong way from {}", before);
            }
        }
    }
}
