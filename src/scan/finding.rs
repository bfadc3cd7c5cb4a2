//! What one scan found, in one form for ECR's own scans and for Inspector's.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::severity::Severity;

/// A package that has a weakness.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The version that is in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that has it no more, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_in: Option<String>,
    /// What it is installed with, as in `OS` or `NPM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// The file that it was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What Inspector makes of a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It holds.
    #[default]
    Active,
    /// One of Inspector's suppression rules takes it out of sight.
    Suppressed,
    /// It is no longer there.
    Closed,
}

/// A weakness in an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// As in `CVE-2024-3094`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is called, or about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it is written up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The CVSS score, 0 to 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Whether somebody knows how to use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploit_available: Option<bool>,
    /// What Inspector makes of it.
    pub standing: Standing,
    /// The packages that have it, sorted.
    pub packages: Vec<Package>,
}

/// How far a scan is. Source: ECR API model, `ScanStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// IN_PROGRESS
    InProgress,
    /// PENDING
    Pending,
    /// COMPLETE
    Complete,
    /// ACTIVE: Inspector watches the image.
    Active,
    /// UNSUPPORTED_IMAGE
    Unsupported,
    /// All others, from which nothing more comes, by their names: FAILED, SCAN_ELIGIBILITY_EXPIRED,
    /// FINDINGS_UNAVAILABLE, LIMIT_EXCEEDED, IMAGE_ARCHIVED, IMAGE_SIZE_EXCEEDED, and what ECR may yet add.
    Ended(String),
}

impl Status {
    /// From ECR's word.
    pub fn of_service(word: &str) -> Self {
        match word {
            "IN_PROGRESS" => Status::InProgress,
            "PENDING" => Status::Pending,
            "COMPLETE" => Status::Complete,
            "ACTIVE" => Status::Active,
            "UNSUPPORTED_IMAGE" => Status::Unsupported,
            other => Status::Ended(other.to_owned()),
        }
    }

    /// In ECR's word.
    pub fn as_str(&self) -> &str {
        match self {
            Status::InProgress => "IN_PROGRESS",
            Status::Pending => "PENDING",
            Status::Complete => "COMPLETE",
            Status::Active => "ACTIVE",
            Status::Unsupported => "UNSUPPORTED_IMAGE",
            Status::Ended(word) => word,
        }
    }
}

/// One look at a scan, with all its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// How far it is.
    pub status: Status,
    /// What ECR says to it.
    pub description: Option<String>,
    /// When the scan was done.
    pub completed_at: Option<OffsetDateTime>,
    /// Whether Inspector's list was filled, whatever the configuration says.
    pub enhanced: bool,
    /// How many findings there are of each severity, in ECR's words.
    pub counts: BTreeMap<String, u64>,
    /// The findings, sorted.
    pub findings: Vec<Finding>,
}

impl Read {
    /// Whether there is anything that was found, or word that nothing was.
    pub fn is_usable(&self) -> bool {
        self.completed_at.is_some() || !self.findings.is_empty() || !self.counts.is_empty()
    }

    /// Whether both say the same of the image. When the scan was done does not matter: Inspector looks again and again.
    pub fn agrees_with(&self, other: &Read) -> bool {
        self.findings == other.findings && self.counts == other.counts
    }

    /// Fewer findings came than were counted, so some may be still on their way.
    pub fn lacks_findings(&self) -> bool {
        self.counts.values().sum::<u64>() > u64::try_from(self.findings.len()).unwrap_or(u64::MAX)
    }
}

/// What ECR answers when it is asked for the findings of an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It knows of no scan.
    NotFound,
    /// It knows of one.
    Read(Box<Read>),
}
