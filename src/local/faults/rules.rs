//! A fault as it is meant: which operations, which occurrence of them, when, and what.

use std::path::PathBuf;
use std::time::Duration;

use crate::local::faults::gate;
use crate::local::operation::Operation;
use crate::local::wildcard::matches;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The operations that it is for, by their names; `*` stands for any run of characters.
    pub operations: Vec<String>,
    /// The repository, likewise.
    pub repository: Option<String>,
    /// The tag or digest, likewise.
    pub reference: Option<String>,
    /// Which of the operations that it is for.
    pub nth: Nth,
    /// When it strikes.
    pub when: Moment,
    /// How long it keeps the operation waiting.
    pub delay: Option<Duration>,
    /// The file until whose appearance it keeps the operation waiting.
    pub hold: Option<PathBuf>,
    /// What it does then.
    pub deed: Option<Deed>,
}

/// Which occurrences, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nth {
    /// All.
    Every,
    /// Just these.
    These(Vec<u64>),
    /// From one to another, both included.
    Range(u64, u64),
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Moment {
    /// Before the operation takes effect.
    #[default]
    Before,
    /// When it has taken effect, before the answer goes out.
    After,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Answers in the operation's place.
    Answer(Answer),
    /// Resets the connection.
    Reset,
    /// Closes the connection after so many bytes of the answer's body.
    Truncate(usize),
    /// Falsifies the answer.
    Lie(Lie),
    /// Takes the request's token for expired, now and ever after.
    ExpireToken,
    /// Refuses what comes faster than this.
    Rate {
        /// How many a second are fine.
        per_second: u32,
        /// How many at once are.
        burst: u32,
    },
}

/// An answer in an operation's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error's code; what the service says with this status where it is left out.
    pub code: Option<String>,
    /// The error's words.
    pub message: Option<String>,
    /// A body in place of the service's own form, as a proxy would send it.
    pub body: Option<String>,
    /// The value of the header `Retry-After`.
    pub retry_after: Option<String>,
}

/// How an answer is falsified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The digest that the answer states is another.
    Digest,
    /// The first byte of the body is another.
    Body,
}

impl Fault {
    /// Whether an operation is among those that it is for.
    pub fn is_about(&self, operation: &Operation) -> bool {
        let fits = |wanted: &Option<String>, found: &Option<String>| match (wanted, found) {
            (None, _) => true,
            (Some(pattern), Some(found)) => matches(pattern, found),
            (Some(_), None) => false,
        };
        self.operations.iter().any(|pattern| matches(pattern, &operation.name))
            && fits(&self.repository, &operation.repository)
            && fits(&self.reference, &operation.reference)
    }

    /// Keeps the operation waiting.
    pub async fn wait(&self) {
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
        if let Some(file) = &self.hold {
            gate::wait_at(file).await;
        }
    }

    /// What it is, by the words that the log has for it.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let deed = self.deed.as_ref().map(|deed| match deed {
            Deed::Answer(_) => "answer",
            Deed::Reset => "reset",
            Deed::Truncate(_) => "truncate",
            Deed::Lie(Lie::Digest) => "lie about the digest",
            Deed::Lie(Lie::Body) => "lie in the body",
            Deed::ExpireToken => "expired token",
            Deed::Rate { .. } => "throttle",
        });
        let delay = self.delay.map(|_| "delay");
        let hold = self.hold.as_ref().map(|_| "hold");
        delay.into_iter().chain(hold).chain(deed)
    }
}

impl Nth {
    /// Whether an occurrence is meant.
    pub fn contains(&self, occurrence: u64) -> bool {
        match self {
            Nth::Every => true,
            Nth::These(list) => list.contains(&occurrence),
            Nth::Range(first, last) => (*first..=*last).contains(&occurrence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(operation: &str, repository: Option<&str>, reference: Option<&str>) -> Fault {
        Fault {
            operations: vec![operation.to_owned()],
            repository: repository.map(str::to_owned),
            reference: reference.map(str::to_owned),
            nth: Nth::Every,
            when: Moment::Before,
            delay: None,
            hold: None,
            deed: None,
        }
    }

    #[test]
    fn faults_are_for_what_they_name() {
        let put = Operation {
            name: "registry:PutManifest".into(),
            repository: Some("shop/web".into()),
            reference: Some("prod".into()),
        };
        assert!(fault("registry:*", Some("shop/*"), Some("prod")).is_about(&put));
        assert!(fault("*Manifest", None, None).is_about(&put));
        assert!(!fault("PutManifest", None, None).is_about(&put));
        assert!(!fault("*", Some("shop"), None).is_about(&put));
        let ping = Operation { name: "registry:Ping".into(), repository: None, reference: None };
        assert!(!fault("*", Some("*"), None).is_about(&ping), "it names no repository");
    }

    #[test]
    fn occurrences() {
        let meant = |nth: Nth| (1..=5).filter(|n| nth.contains(*n)).collect::<Vec<u64>>();
        assert_eq!(meant(Nth::Every), [1, 2, 3, 4, 5]);
        assert_eq!(meant(Nth::These(vec![2, 4])), [2, 4]);
        assert_eq!(meant(Nth::Range(3, u64::MAX)), [3, 4, 5]);
    }
}
