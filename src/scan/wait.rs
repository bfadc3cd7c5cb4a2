//! How to wait for the findings of an image: what to do after each answer. Knows no clock; the time is told to it.
//!
//! Facts: the SDK's waiter fails on ScanNotFound and runs out on ACTIVE; ENHANCED answers COMPLETE or ACTIVE seconds
//! before the findings are there; BASIC scans an image once in 24 hours, the scan on push included.

use std::time::Duration;

use super::finding::{Answer, Read, Status};
use super::policy::{Policy, ScanMode};

/// Who scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ECR itself.
    Basic,
    /// Amazon Inspector.
    Enhanced,
}

/// When images of a repository are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// As they come.
    OnPush,
    /// As they come, and ever again.
    Continuous,
    /// When somebody asks; by Inspector never.
    Manual,
}

/// What holds for a repository, as far as the credentials allow to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scanning {
    /// Who scans.
    pub kind: Option<Kind>,
    /// When.
    pub frequency: Option<Frequency>,
}

impl Scanning {
    /// Nobody will ever scan an image there.
    pub fn is_off(self) -> bool {
        self.kind == Some(Kind::Enhanced) && self.frequency == Some(Frequency::Manual)
    }
}

/// What came of the wish to start a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It runs.
    Yes,
    /// The image was scanned within 24 hours.
    TooSoon,
    /// Inspector scans here, and takes no wishes.
    Disabled,
    /// The image cannot be scanned.
    Unsupported(String),
    /// The image is in the archive.
    Archived,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Wait, then ask again.
    Pause(Duration, Waiting),
    /// Start a scan, and say what came of it.
    Start,
    /// There is nothing more to wait for.
    Done(End),
}

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// ECR does not know of a scan yet.
    ForScan,
    /// The scan is under way.
    ForFindings,
    /// There are so many findings; whether that is all shows in a second look.
    ForSecondLook(usize),
}

/// What the wait came to.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The findings are complete.
    Found(Box<Read>),
    /// The image cannot be scanned, in ECR's words.
    Unsupported(Option<String>),
    /// The scan ended without a result: ECR's status and words.
    NoResult {
        /// As in `FAILED`.
        status: String,
        /// What ECR says to it.
        description: Option<String>,
    },
    /// There is no scan, and none will come.
    NeverScanned(NoScan),
    /// The time is over.
    TimedOut {
        /// After how long.
        after: Duration,
        /// What was waited for.
        waiting: Waiting,
    },
}

/// Why there is no scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoScan {
    /// Inspector is on, and no filter of the registry matches the repository.
    NoFilter,
    /// Images are scanned when somebody asks, and the gate says never to.
    NotAsked,
    /// One was to come by itself, and did not.
    DidNotBegin,
    /// ECR scanned the image within 24 hours, but has no findings of it.
    TooSoon,
    /// The image is in the archive.
    Archived,
}

/// How long a scan that comes by itself may take to begin.
const GRACE: Duration = Duration::from_secs(30);
/// The same for Inspector.
const ENHANCED_GRACE: Duration = Duration::from_secs(180);
/// Between two equal looks at ECR's own findings, which come at once.
const BASIC_SETTLE: Duration = Duration::from_secs(1);
/// Between two looks at a scan that is under way: soon at first.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(8),
];

/// Waits for one image.
#[derive(Debug)]
pub struct Waiter<'a> {
    policy: &'a Policy,
    scanning: Scanning,
    began: Duration,
    /// Since when a scan is expected to begin.
    expected_since: Duration,
    started: Option<Started>,
    /// The last look with findings, and when.
    last: Option<(Duration, Read)>,
    looks: usize,
}

impl<'a> Waiter<'a> {
    /// Begins to wait.
    pub fn new(policy: &'a Policy, scanning: Scanning, now: Duration) -> Self {
        Waiter { policy, scanning, began: now, expected_since: now, started: None, last: None, looks: 0 }
    }

    /// What to do after this answer.
    pub fn next(&mut self, answer: Answer, now: Duration) -> Step {
        match answer {
            Answer::NotFound => self.no_scan(now),
            Answer::Read(read) => match &read.status {
                Status::InProgress | Status::Pending => self.pause(Waiting::ForFindings, now),
                Status::Complete | Status::Active => self.findings(*read, now),
                Status::Unsupported => Step::Done(End::Unsupported(read.description)),
                Status::Ended(status) => {
                    Step::Done(End::NoResult { status: status.clone(), description: read.description })
                }
            },
        }
    }

    /// What to do after a scan was to be started.
    pub fn started(&mut self, started: Started, now: Duration) -> Step {
        self.expected_since = now;
        self.started = Some(started.clone());
        match started {
            Started::Unsupported(words) => Step::Done(End::Unsupported(Some(words))),
            Started::Archived => Step::Done(End::NeverScanned(NoScan::Archived)),
            Started::Disabled => {
                self.scanning.kind = Some(Kind::Enhanced);
                self.pause(Waiting::ForScan, now)
            }
            Started::Yes => self.pause(Waiting::ForFindings, now),
            Started::TooSoon => self.pause(Waiting::ForScan, now),
        }
    }

    fn findings(&mut self, read: Read, now: Duration) -> Step {
        if !read.is_usable() {
            return self.pause(Waiting::ForFindings, now);
        }
        let is_basic = self.scanning.kind == Some(Kind::Basic) && !read.enhanced && !read.lacks_findings();
        let settle = if is_basic { BASIC_SETTLE.min(self.policy.settle) } else { self.policy.settle };
        let waiting = Waiting::ForSecondLook(read.findings.len());
        match &self.last {
            Some((since, last)) if last.agrees_with(&read) => match (*since + settle).saturating_sub(now) {
                Duration::ZERO => Step::Done(End::Found(Box::new(read))),
                left => self.pause_for(left, waiting, now),
            },
            _ => {
                self.last = Some((now, read));
                self.pause_for(settle, waiting, now)
            }
        }
    }

    fn no_scan(&mut self, now: Duration) -> Step {
        let patience = now.saturating_sub(self.expected_since);
        if self.scanning.is_off() {
            return Step::Done(End::NeverScanned(NoScan::NoFilter));
        }
        if self.scanning.kind == Some(Kind::Enhanced) {
            return match patience < ENHANCED_GRACE {
                true => self.pause(Waiting::ForScan, now),
                false => Step::Done(End::NeverScanned(NoScan::DidNotBegin)),
            };
        }
        let comes_by_itself = self.scanning.frequency != Some(Frequency::Manual);
        let expected = comes_by_itself || self.started.is_some();
        if expected && patience < GRACE {
            return self.pause(Waiting::ForScan, now);
        }
        match (&self.started, self.policy.scan) {
            (None, ScanMode::Auto) => Step::Start,
            (None, ScanMode::Never) if comes_by_itself => Step::Done(End::NeverScanned(NoScan::DidNotBegin)),
            (None, ScanMode::Never) => Step::Done(End::NeverScanned(NoScan::NotAsked)),
            (Some(Started::TooSoon), _) => Step::Done(End::NeverScanned(NoScan::TooSoon)),
            (Some(_), _) => Step::Done(End::NeverScanned(NoScan::DidNotBegin)),
        }
    }

    fn pause(&mut self, waiting: Waiting, now: Duration) -> Step {
        let pause = PAUSES[self.looks.min(PAUSES.len() - 1)];
        self.looks += 1;
        self.pause_for(pause, waiting, now)
    }

    /// The last look is at the very end of the time.
    fn pause_for(&self, pause: Duration, waiting: Waiting, now: Duration) -> Step {
        let left = (self.began + self.policy.timeout).saturating_sub(now);
        match left.is_zero() {
            true => Step::Done(End::TimedOut { after: now.saturating_sub(self.began), waiting }),
            false => Step::Pause(pause.min(left), waiting),
        }
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
