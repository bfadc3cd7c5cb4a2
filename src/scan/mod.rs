//! What scans found, how long to wait for it, and whether it is good enough: pure.

mod finding;
mod judge;
mod policy;
mod severity;
mod targets;
mod wait;
mod words;

pub use finding::{Answer, Finding, Package, Read, Standing, Status};
pub use judge::{ImageScan, Judged, JudgedFinding, Judgement, Notice, Objection, Unknown, judge};
pub use policy::{Ignore, OnUnsupported, Policy, ScanMode};
pub use severity::Severity;
pub use targets::{Child, Contents, contents};
pub use wait::{End, Frequency, Kind, NoScan, Scanning, Started, Step, Waiter, Waiting};
