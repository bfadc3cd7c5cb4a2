//! Findings and policy make a verdict.

use std::collections::BTreeMap;

use time::Date;

use super::finding::{Finding, Read, Standing};
use super::policy::{Ignore, OnUnsupported, Policy};
use super::severity::Severity;
use super::wait::{End, NoScan, Waiting};
use crate::names::Digest;

/// From how many days ahead on it is said that an ignored finding will fail.
const AHEAD: i64 = 14;

/// What the wait for one manifest came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScan {
    /// The manifest.
    pub digest: Digest,
    /// The platform, where the image is one of several.
    pub platform: Option<String>,
    /// What the wait came to.
    pub end: End,
}

/// What the gate makes of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It closes the gate.
    Blocks,
    /// It is less bad than what closes the gate.
    Below,
    /// The policy bears it, still.
    Ignored(Ignore),
    /// The policy bore it, and the time is over: it closes the gate.
    Expired(Ignore),
    /// Inspector does not count it any more.
    Quiet(Standing),
}

impl Judged {
    /// Whether it closes the gate.
    pub fn blocks(&self) -> bool {
        matches!(self, Judged::Blocks | Judged::Expired(_))
    }
}

/// Why the gate stays closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// A finding is too bad.
    Finding {
        /// As in `CVE-2024-3094`.
        id: String,
        /// How bad.
        severity: Severity,
        /// As in `openssl 3.0.1`.
        package: Option<String>,
        /// The version that has it no more.
        fixed_in: Option<String>,
        /// Until when it was borne, and why.
        borne: Option<(Date, String)>,
    },
    /// ECR counts findings that it does not list.
    Unlisted {
        /// How bad.
        severity: Severity,
        /// How many.
        count: u64,
    },
    /// What was found is not known.
    Unknown {
        /// The platform, or the digest.
        of: String,
        /// Why.
        why: Unknown,
    },
}

/// Why it is not known what a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// The image cannot be scanned, in ECR's words.
    Unsupported(Option<String>),
    /// The scan ended without a result: ECR's status and words.
    NoResult(String, Option<String>),
    /// There is no scan.
    NeverScanned(NoScan),
    /// There was no result in so many seconds.
    TimedOut(u64, Waiting),
    /// The index holds no image.
    Empty,
}

/// What is to be said, though the gate is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An ignored finding will close the gate.
    Expires {
        /// As in `CVE-2024-3094`.
        id: String,
        /// The last day.
        until: Date,
        /// How many days are left.
        days: i64,
    },
    /// Nothing has this finding any more, or never had.
    Unneeded {
        /// As in `CVE-2024-3094`.
        id: String,
        /// Its time is over.
        expired: bool,
    },
    /// An image could not be scanned, and the policy lets it through.
    Unsupported {
        /// The platform, or the digest.
        of: String,
        /// What ECR says to it.
        words: Option<String>,
    },
}

/// A finding, where it is, and what the gate makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedFinding {
    /// The finding.
    pub finding: Finding,
    /// The platforms that have it; none where the image is not one of several.
    pub platforms: Vec<String>,
    /// What the gate makes of it.
    pub judged: Judged,
}

/// What the gate makes of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// All findings, the worst first.
    pub findings: Vec<JudgedFinding>,
    /// Why the gate stays closed; nothing if it opens.
    pub objections: Vec<Objection>,
    /// What is to be said in any case.
    pub notices: Vec<Notice>,
}

impl Judgement {
    /// Whether the gate opens.
    pub fn is_open(&self) -> bool {
        self.objections.is_empty()
    }

    /// How many findings there are of each severity, those that Inspector does not count left out.
    pub fn counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for one in self.findings.iter().filter(|one| !matches!(one.judged, Judged::Quiet(_))) {
            *counts.entry(one.finding.severity).or_default() += 1;
        }
        counts
    }
}

/// Judges an image by the scans of all its manifests. Nothing that is not known counts as good.
pub fn judge(policy: &Policy, today: Date, scans: &[ImageScan]) -> Judgement {
    let mut judgement = Judgement { findings: Vec::new(), objections: Vec::new(), notices: Vec::new() };
    let mut unlisted: BTreeMap<Severity, u64> = BTreeMap::new();
    let mut unknown = Vec::new();
    for scan in scans {
        let of = || scan.platform.clone().unwrap_or_else(|| scan.digest.to_string());
        match (&scan.end, policy.unsupported) {
            (End::Found(read), _) => {
                judgement.findings.extend(read.findings.iter().map(|finding| JudgedFinding {
                    finding: finding.clone(),
                    platforms: scan.platform.iter().cloned().collect(),
                    judged: judge_one(policy, today, finding),
                }));
                for (severity, count) in not_listed(read) {
                    let most = unlisted.entry(severity).or_default();
                    *most = count.max(*most);
                }
            }
            (End::Unsupported(words), OnUnsupported::Warn) => {
                judgement.notices.push(Notice::Unsupported { of: of(), words: words.clone() });
            }
            (end, _) => unknown.push(Objection::Unknown { of: of(), why: why(end) }),
        }
    }
    if scans.is_empty() {
        unknown.push(Objection::Unknown { of: "the index".to_owned(), why: Unknown::Empty });
    }
    judgement.findings = merged(std::mem::take(&mut judgement.findings));
    judgement.objections = unknown;
    judgement.objections.extend(judgement.findings.iter().filter_map(objection));
    let bad = unlisted.into_iter().rev().filter(|(severity, _)| *severity >= policy.fail_on);
    judgement.objections.extend(bad.map(|(severity, count)| Objection::Unlisted { severity, count }));
    let is_known = scans.iter().all(|scan| matches!(scan.end, End::Found(_)));
    notices(policy, today, is_known, &mut judgement);
    judgement
}

fn judge_one(policy: &Policy, today: Date, finding: &Finding) -> Judged {
    if finding.standing != Standing::Active {
        return Judged::Quiet(finding.standing);
    }
    let ignore = policy.ignore.iter().find(|ignore| ignore.id.eq_ignore_ascii_case(&finding.id));
    match ignore {
        Some(ignore) if today <= ignore.until => Judged::Ignored(ignore.clone()),
        Some(ignore) => Judged::Expired(ignore.clone()),
        None if finding.severity >= policy.fail_on => Judged::Blocks,
        None => Judged::Below,
    }
}

/// What of the counts has no finding in the list.
fn not_listed(read: &Read) -> Vec<(Severity, u64)> {
    let mut counted: BTreeMap<Severity, u64> = BTreeMap::new();
    for (word, count) in &read.counts {
        *counted.entry(Severity::of_service(word)).or_default() += count;
    }
    let listed =
        |severity: Severity| read.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    counted
        .into_iter()
        .map(|(severity, count)| (severity, count.saturating_sub(listed(severity))))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// One finding for all platforms that have it in the same packages, the worst first.
fn merged(all: Vec<JudgedFinding>) -> Vec<JudgedFinding> {
    let mut merged: BTreeMap<_, JudgedFinding> = BTreeMap::new();
    for one in all {
        let finding = &one.finding;
        let key =
            (std::cmp::Reverse(finding.severity), finding.packages.clone(), finding.id.clone(), finding.standing as u8);
        match merged.entry(key) {
            std::collections::btree_map::Entry::Vacant(free) => drop(free.insert(one)),
            std::collections::btree_map::Entry::Occupied(mut known) => {
                for platform in one.platforms {
                    if !known.get().platforms.contains(&platform) {
                        known.get_mut().platforms.push(platform);
                    }
                }
            }
        }
    }
    merged.into_values().collect()
}

fn objection(one: &JudgedFinding) -> Option<Objection> {
    let borne = match &one.judged {
        Judged::Expired(ignore) => Some((ignore.until, ignore.reason.clone())),
        Judged::Blocks => None,
        Judged::Below | Judged::Ignored(_) | Judged::Quiet(_) => return None,
    };
    let package = one.finding.packages.first();
    Some(Objection::Finding {
        id: one.finding.id.clone(),
        severity: one.finding.severity,
        package: package.map(|package| match &package.version {
            Some(version) => format!("{} {version}", package.name),
            None => package.name.clone(),
        }),
        fixed_in: package.and_then(|package| package.fixed_in.clone()),
        borne,
    })
}

fn why(end: &End) -> Unknown {
    match end {
        End::Unsupported(words) => Unknown::Unsupported(words.clone()),
        End::NoResult { status, description } => Unknown::NoResult(status.clone(), description.clone()),
        End::NeverScanned(why) => Unknown::NeverScanned(*why),
        End::TimedOut { after, waiting } => Unknown::TimedOut(after.as_secs(), *waiting),
        // Handled by the caller; an unknown end would be one of the above.
        End::Found(_) => Unknown::Empty,
    }
}

fn notices(policy: &Policy, today: Date, is_known: bool, judgement: &mut Judgement) {
    for ignore in &policy.ignore {
        let is_there = judgement.findings.iter().any(|one| match &one.judged {
            Judged::Ignored(known) | Judged::Expired(known) => known == ignore,
            Judged::Blocks | Judged::Below | Judged::Quiet(_) => false,
        });
        let days = (ignore.until - today).whole_days();
        let id = ignore.id.clone();
        if !is_there && is_known {
            judgement.notices.push(Notice::Unneeded { id, expired: days < 0 });
        } else if (0..=AHEAD).contains(&days) {
            judgement.notices.push(Notice::Expires { id, until: ignore.until, days });
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
