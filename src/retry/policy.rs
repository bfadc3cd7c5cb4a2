//! The policy itself.

use std::time::Duration;

/// What a failed attempt means for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It would fail in the same way.
    Final,
    /// It may go well, since the service or the line was in trouble.
    Passing {
        /// How long the service asks to wait.
        after: Option<Duration>,
    },
    /// It may go well when there are fewer requests.
    Throttled {
        /// How long the service asks to wait.
        after: Option<Duration>,
    },
    /// It may go well with a new credential.
    Renew,
}

impl Verdict {
    /// What an HTTP status means, as far as it decides. Source: RFC 9110, section 15.6; RFC 6585, section 4; what the
    /// AWS SDKs take for transient.
    pub fn of_status(status: u16, after: Option<Duration>) -> Self {
        match status {
            429 => Verdict::Throttled { after },
            500 | 502 | 503 | 504 => Verdict::Passing { after },
            _ => Verdict::Final,
        }
    }
}

/// How often, and for how long, something is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// The most attempts where the service throttles, which only time lifts.
    pub attempts_when_throttled: u32,
    /// The longest pause after the first attempt; after each further one it is twice as long.
    pub first: Duration,
    /// The longest pause of all.
    pub longest: Duration,
    /// How long after the first failure it is given up, whatever is left of the attempts.
    pub patience: Duration,
}

/// For single requests.
pub const SERVICE: Policy = Policy {
    attempts: 5,
    attempts_when_throttled: 12,
    first: Duration::from_millis(200),
    longest: Duration::from_secs(20),
    patience: Duration::from_secs(120),
};

/// For whole pushes; what arrived is not sent again.
pub const PUSH: Policy = Policy {
    attempts: 6,
    attempts_when_throttled: 12,
    first: Duration::from_millis(500),
    longest: Duration::from_secs(20),
    patience: Duration::from_secs(600),
};

/// For what is retried inside: only a new credential helps.
pub const RENEWAL: Policy = Policy { attempts: 1, attempts_when_throttled: 1, ..SERVICE };

/// How far the attempts have got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// The attempts that failed, those that only lacked a credential left out.
    failed: u32,
    renewed: bool,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after this time.
    Wait(Duration),
    /// Try again at once, with a new credential.
    Renew,
    /// It has failed.
    GiveUp,
}

impl State {
    /// Decides after a failed attempt. `since` is the time since the first failure, and `random` is evenly spread from
    /// 0 to 1.
    ///
    /// Pauses are exponential, with full jitter so that parallel jobs do not come back together. Source: AWS
    /// Architecture Blog, "Exponential Backoff And Jitter". A pause that the service asks for is kept to; the jitter
    /// comes on top of it.
    pub fn next(&mut self, policy: &Policy, verdict: Verdict, since: Duration, random: f64) -> Next {
        let (attempts, after) = match verdict {
            Verdict::Final => return Next::GiveUp,
            Verdict::Renew if self.renewed => return Next::GiveUp,
            Verdict::Renew => {
                self.renewed = true;
                return Next::Renew;
            }
            Verdict::Passing { after } => (policy.attempts, after),
            Verdict::Throttled { after } => (policy.attempts_when_throttled, after),
        };
        self.failed += 1;
        if self.failed >= attempts {
            return Next::GiveUp;
        }
        let step = policy.first.saturating_mul(2u32.saturating_pow(self.failed - 1)).min(policy.longest);
        let jitter = step.mul_f64(random.clamp(0.0, 1.0));
        let pause = after.unwrap_or_default().saturating_add(jitter);
        match since.saturating_add(pause) <= policy.patience {
            true => Next::Wait(pause),
            false => Next::GiveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Verdict> {
        let after = || proptest::option::of((0u64..200_000).prop_map(Duration::from_millis));
        prop_oneof![
            1 => Just(Verdict::Final),
            8 => after().prop_map(|after| Verdict::Passing { after }),
            8 => after().prop_map(|after| Verdict::Throttled { after }),
            2 => Just(Verdict::Renew),
        ]
    }

    fn policies() -> impl Strategy<Value = Policy> {
        (1u32..20, 1u32..20, 0u64..5_000, 0u64..60_000, 0u64..600_000).prop_map(|numbers| Policy {
            attempts: numbers.0,
            attempts_when_throttled: numbers.1,
            first: Duration::from_millis(numbers.2),
            longest: Duration::from_millis(numbers.3),
            patience: Duration::from_millis(numbers.4),
        })
    }

    proptest! {
        #[test]
        fn it_ends_in_time_and_keeps_to_what_was_asked_for(
            policy in policies(),
            story in proptest::collection::vec((verdicts(), 0.0f64..1.0), 1..60),
        ) {
            let mut state = State::default();
            let (mut waited, mut pauses, mut renewals) = (Duration::ZERO, 0u32, 0u32);
            for (verdict, random) in story {
                match state.next(&policy, verdict, waited, random) {
                    Next::GiveUp => return Ok(()),
                    Next::Renew => {
                        prop_assert_eq!(verdict, Verdict::Renew);
                        renewals += 1;
                    }
                    Next::Wait(pause) => {
                        let (Verdict::Passing { after } | Verdict::Throttled { after }) = verdict else {
                            return Err(TestCaseError::fail("it waits for what is final"));
                        };
                        let asked = after.unwrap_or_default();
                        prop_assert!(pause >= asked, "{pause:?} is shorter than what was asked for, {asked:?}");
                        prop_assert!(pause - asked <= policy.longest);
                        prop_assert!(pause - asked <= policy.first * 2u32.pow(pauses.min(20)));
                        pauses += 1;
                        waited += pause;
                    }
                }
                prop_assert!(waited <= policy.patience);
                prop_assert!(pauses < policy.attempts.max(policy.attempts_when_throttled));
                prop_assert!(renewals <= 1);
            }
        }
    }

    #[test]
    fn statuses() {
        let verdict = |status| Verdict::of_status(status, None);
        for status in [200, 400, 401, 403, 404, 405, 409, 416, 501, 505] {
            assert_eq!(verdict(status), Verdict::Final, "{status}");
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(verdict(status), Verdict::Passing { after: None }, "{status}");
        }
        assert_eq!(verdict(429), Verdict::Throttled { after: None });
    }

    #[test]
    fn throttling_is_waited_for_longer() {
        let tries = |verdict| {
            let mut state = State::default();
            (1..).find(|_| state.next(&SERVICE, verdict, Duration::ZERO, 1.0) == Next::GiveUp)
        };
        assert_eq!(tries(Verdict::Passing { after: None }), Some(5));
        assert_eq!(tries(Verdict::Throttled { after: None }), Some(12));
    }
}
