//! What scans are said to find: a script in place of a scanner.
//!
//! ```yaml
//! - repository: shop/*          # `*` in all three; what is left out matches anything
//!   tag: "1.*"                  # any of the image's tags, or of an index that lists it
//!   digest: sha256:…
//!   start: LimitExceededException     # what StartImageScan answers, where it is not as usual
//!   answers:                    # of DescribeImageScanFindings, in this order; the last one stays
//!     - ScanNotFoundException   # a refusal by its name, or a status
//!     - { status: IN_PROGRESS, times: 2 }
//!     - status: COMPLETE
//!       imageScanFindings: { findings: […] }    # ECR's own form; times as numbers or in RFC 3339
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::local::wildcard;
use crate::names::{Digest, RepositoryName};

/// What is said about the scans of some images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    repository: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    /// What StartImageScan refuses with.
    pub start: Option<String>,
    #[serde(default)]
    answers: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Word(String),
    Full(Answer),
}

/// One answer of DescribeImageScanFindings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The name of a status, or of an exception.
    pub status: String,
    /// What ECR says to it.
    pub description: Option<String>,
    /// How often it is given.
    pub times: Option<u32>,
    /// As it goes over the wire.
    #[serde(default)]
    pub image_scan_findings: Option<Map<String, Value>>,
}

/// The image that is asked for.
pub struct Asked<'a> {
    /// Its repository.
    pub repository: &'a RepositoryName,
    /// Its digest.
    pub digest: &'a Digest,
    /// Its tags, and those of the indexes that list it.
    pub tags: Vec<String>,
}

/// The script, which is read anew for each answer, so that it can be changed while the server runs.
pub struct Script {
    file: Option<PathBuf>,
    /// How many answers were given, by repository, digest and entry.
    given: Mutex<BTreeMap<String, u32>>,
}

impl Script {
    /// The script in this file, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(file: Option<PathBuf>) -> io::Result<Self> {
        if let Some(file) = &file {
            read(file)?;
        }
        Ok(Script { file, given: Mutex::default() })
    }

    /// What is said about an image; nothing if the script does not speak of it.
    pub fn entry(&self, asked: &Asked<'_>) -> io::Result<Option<Entry>> {
        let Some(file) = &self.file else { return Ok(None) };
        Ok(read(file)?.into_iter().find(|entry| entry.is_about(asked)))
    }

    /// The next answer of an entry for an image; nothing if it has none at all.
    pub fn answer(&self, entry: &Entry, asked: &Asked<'_>, first_page: bool) -> io::Result<Option<Answer>> {
        let said = serde_json::to_string(entry)?;
        let key = format!("{} {} {said}", asked.repository, asked.digest);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let count = given.entry(key).or_default();
        let number = if first_page { *count } else { count.saturating_sub(1) };
        if first_page {
            *count += 1;
        }
        Ok(entry.at(number))
    }
}

impl Entry {
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let fits =
            |pattern: &Option<String>, text: &str| pattern.as_deref().is_none_or(|it| wildcard::matches(it, text));
        let tag =
            self.tag.as_deref().is_none_or(|pattern| asked.tags.iter().any(|tag| wildcard::matches(pattern, tag)));
        tag && fits(&self.repository, asked.repository.as_str()) && fits(&self.digest, asked.digest.as_str())
    }

    fn at(&self, number: u32) -> Option<Answer> {
        let mut passed = 0;
        let answers = self.answers.iter().map(|line| match line {
            Line::Word(status) => Answer { status: status.clone(), ..Answer::default() },
            Line::Full(answer) => answer.clone(),
        });
        let mut last = None;
        for answer in answers {
            passed += answer.times.unwrap_or(1);
            last = Some(answer);
            if number < passed {
                break;
            }
        }
        last
    }
}

fn read(file: &Path) -> io::Result<Vec<Entry>> {
    let text = std::fs::read_to_string(file)?;
    let mut entries: Vec<Entry> = serde_yaml::from_str(&text).map_err(io::Error::other)?;
    let answers = entries.iter_mut().flat_map(|entry| &mut entry.answers);
    for findings in answers.filter_map(|line| match line {
        Line::Full(answer) => answer.image_scan_findings.as_mut(),
        Line::Word(_) => None,
    }) {
        findings.iter_mut().for_each(|(name, value)| to_wire(name, value));
    }
    Ok(entries)
}

/// Times are numbers on the wire, and texts where the AWS CLI prints them.
fn to_wire(name: &str, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| to_wire(name, item)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| to_wire(name, value)),
        Value::String(text) if name.ends_with("At") => {
            if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
                *value = time.unix_timestamp().into();
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> (tempfile::TempDir, Script) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scans.yaml");
        std::fs::write(&file, text).unwrap();
        (folder, Script::open(Some(file)).unwrap())
    }

    #[test]
    fn answers_come_in_order_and_the_last_stays() {
        let (_folder, script) = script(
            "- tag: 1.*\n  answers:\n  - ScanNotFoundException\n  - { status: IN_PROGRESS, times: 2 }\n  - COMPLETE\n",
        );
        let (repository, digest) = ("web".parse().unwrap(), Digest::of(b"x"));
        let asked = Asked { repository: &repository, digest: &digest, tags: vec!["1.2".to_owned()] };
        let entry = script.entry(&asked).unwrap().unwrap();
        let next = || script.answer(&entry, &asked, true).unwrap().unwrap().status;
        let heard: Vec<String> = (0..6).map(|_| next()).collect();
        let expected = ["ScanNotFoundException", "IN_PROGRESS", "IN_PROGRESS", "COMPLETE", "COMPLETE", "COMPLETE"];
        assert_eq!(heard, expected);
        assert!(script.entry(&Asked { tags: vec!["2.0".to_owned()], ..asked }).unwrap().is_none());
    }

    #[test]
    fn times_of_the_command_line_are_understood() {
        let mut value = serde_json::json!({ "imageScanCompletedAt": "2026-01-02T03:04:05+00:00", "uri": "x" });
        to_wire("", &mut value);
        assert_eq!(value, serde_json::json!({ "imageScanCompletedAt": 1_767_323_045, "uri": "x" }));
    }
}
