//! What a gate lets through.

use std::time::Duration;

use serde::{Serialize, Serializer};
use time::Date;

use super::severity::Severity;

/// What a gate lets through, and how long it waits to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Findings as bad as this, or worse, close the gate.
    pub fail_on: Severity,
    /// Findings that are known and bearable for a time.
    pub ignore: Vec<Ignore>,
    /// How long to wait for the findings of an image.
    #[serde(serialize_with = "seconds")]
    pub timeout: Duration,
    /// What becomes of an image that cannot be scanned.
    pub unsupported: OnUnsupported,
    /// Whether scans may be started.
    pub scan: ScanMode,
    /// For how long Inspector's findings must not change before they count as complete.
    #[serde(serialize_with = "seconds")]
    pub settle: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            fail_on: Severity::High,
            ignore: Vec::new(),
            timeout: Duration::from_secs(600),
            unsupported: OnUnsupported::Fail,
            scan: ScanMode::Auto,
            settle: Duration::from_secs(15),
        }
    }
}

/// A finding that is known and bearable for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignore {
    /// As in `CVE-2024-3094`.
    pub id: String,
    /// The last day on which it is bearable, in UTC.
    #[serde(serialize_with = "day")]
    pub until: Date,
    /// Why.
    pub reason: String,
}

/// What becomes of an image that cannot be scanned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnsupported {
    /// The gate stays closed.
    #[default]
    Fail,
    /// It opens with a warning.
    Warn,
}

/// Whether scans may be started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanMode {
    /// Where nobody else does it, and only ECR's own.
    #[default]
    Auto,
    /// Never.
    Never,
}

fn day<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// In the largest unit that gives a whole number.
fn seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let seconds = span.as_secs();
    let (factor, unit) = [(3600, "h"), (60, "m")]
        .into_iter()
        .find(|(factor, _)| seconds > 0 && seconds.is_multiple_of(*factor))
        .unwrap_or((1, "s"));
    serializer.serialize_str(&format!("{}{unit}", seconds / factor))
}
