//! What to do about a gate that stays closed.

use std::collections::BTreeMap;

use super::Circumstances;
use crate::diagnostic::{Blame, Diagnostic};
use crate::scan::{NoScan, Objection, Severity, Unknown};

/// How many objections are told; the files and the JSON have all.
const MOST: usize = 5;

/// A gate that is closed.
pub(super) fn closed(
    fail_on: Severity,
    objections: &[Objection],
    released: bool,
    around: Circumstances<'_>,
) -> Diagnostic {
    let mut counts: BTreeMap<Severity, u64> = BTreeMap::new();
    for objection in objections {
        match objection {
            Objection::Finding { severity, .. } => *counts.entry(*severity).or_default() += 1,
            Objection::Unlisted { severity, count } => *counts.entry(*severity).or_default() += count,
            Objection::Unknown { .. } => {}
        }
    }
    let found: Vec<String> = counts.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    let what = match found.is_empty() {
        true => "it is not known what a scan finds in it".to_owned(),
        false => format!("its scan found {}", found.join(", ")),
    };
    let message = match (around.image, released) {
        (Some(image), _) => format!("image `{image}` is not released: {what}"),
        (None, true) => format!("the image does not pass: {what}"),
        (None, false) => format!("the image is not released: {what}"),
    };
    let mut told = Diagnostic::new(Blame::Work, message);
    for objection in objections.iter().take(MOST) {
        told = told.caused_by(objection.to_string());
    }
    if let Some(more) = objections.len().checked_sub(MOST).filter(|more| *more > 0) {
        told = told.caused_by(format!("and {more} more; `longshore scan`, --sarif and --junit give all"));
    }
    let unknown = objections.iter().find_map(|objection| match objection {
        Objection::Unknown { why, .. } => Some(why),
        Objection::Finding { .. } | Objection::Unlisted { .. } => None,
    });
    if let Some(why) = unknown {
        told = told.hint(advice(why));
    }
    let fixable = objections.iter().any(|one| matches!(one, Objection::Finding { fixed_in: Some(_), .. }));
    if fixable {
        told = told.hint("update the packages that have a fix, or the base image, and run again");
    }
    if objections.iter().any(|one| matches!(one, Objection::Finding { .. })) {
        told = told.hint(format!(
            "what can be borne for a time goes into `gate.ignore`, with `id`, `until` and `reason`; `gate.fail_on` is {fail_on}"
        ));
    }
    told
}

fn advice(why: &Unknown) -> String {
    match why {
        Unknown::Unsupported(_) => "`gate: { unsupported: warn }` lets images through that cannot be scanned",
        Unknown::NoResult(status, _) => match status.as_str() {
            "SCAN_ELIGIBILITY_EXPIRED" => "push the image again, as with `longshore run --force`: Inspector scans new images only",
            "IMAGE_ARCHIVED" => "bring the image back from the archive with `aws ecr update-image-storage-class`",
            "IMAGE_SIZE_EXCEEDED" => "make the image smaller: `longshore images show` draws its layers",
            "LIMIT_EXCEEDED" => "run again later: the account's scans of the day are used up",
            _ => "run again; if it stays so, look at the image in the ECR console",
        },
        Unknown::NeverScanned(NoScan::NoFilter) => {
            "add a filter for the repository to the registry's scanning configuration: `aws ecr put-registry-scanning-configuration`"
        }
        Unknown::NeverScanned(NoScan::NotAsked) => "turn on `repository.scan_on_push`, or remove `scan: never`",
        Unknown::NeverScanned(NoScan::DidNotBegin) => {
            "check the repository's scanning configuration: `aws ecr batch-get-repository-scanning-configuration`"
        }
        Unknown::NeverScanned(NoScan::TooSoon) => "run again tomorrow, or push a new image with `longshore run --force`",
        Unknown::NeverScanned(NoScan::Archived) => {
            "bring the image back from the archive with `aws ecr update-image-storage-class`"
        }
        Unknown::TimedOut(..) => "run again: what is pushed is not pushed again; or raise `gate.timeout`",
        Unknown::Empty => "check the image: its index lists attestations only, or nothing",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn finding(id: &str, borne: bool) -> Objection {
        Objection::Finding {
            id: id.to_owned(),
            severity: Severity::High,
            package: Some("openssl 3.0.1".to_owned()),
            fixed_in: Some("3.0.2".to_owned()),
            borne: borne.then(|| (date!(2026 - 01 - 31), "no way in".to_owned())),
        }
    }

    #[test]
    fn findings() {
        let around = Circumstances { image: Some("web"), ..Circumstances::default() };
        let objections = [finding("CVE-1", false), finding("CVE-2", true)];
        let expected = "image `web` is not released: its scan found 2 HIGH\n\
                        caused by: HIGH CVE-1 in openssl 3.0.1, fixed in 3.0.2\n\
                        caused by: HIGH CVE-2 in openssl 3.0.1, fixed in 3.0.2; it was ignored until 2026-01-31: no way in\n\
                        hint: update the packages that have a fix, or the base image, and run again\n\
                        hint: what can be borne for a time goes into `gate.ignore`, with `id`, `until` and `reason`; `gate.fail_on` is HIGH";
        let told = closed(Severity::High, &objections, false, around);
        assert_eq!((told.blame.exit_code(), told.to_string().as_str()), (1, expected));
    }

    #[test]
    fn nothing_is_known() {
        let why = Unknown::NoResult("FAILED".to_owned(), Some("out of luck".to_owned()));
        let unknown = [Objection::Unknown { of: "linux/arm64".to_owned(), why }];
        let expected = "the image does not pass: it is not known what a scan finds in it\n\
                        caused by: linux/arm64: the scan ended as FAILED: out of luck\n\
                        hint: run again; if it stays so, look at the image in the ECR console";
        assert_eq!(closed(Severity::High, &unknown, true, Circumstances::default()).to_string(), expected);
    }
}
