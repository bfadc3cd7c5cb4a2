use time::macros::date;

use super::*;
use crate::scan::{Package, Status};

const TODAY: Date = date!(2026 - 03 - 01);

fn finding(id: &str, severity: Severity) -> Finding {
    let package = Package {
        name: "openssl".to_owned(),
        version: Some("3.0.1".to_owned()),
        fixed_in: Some("3.0.2".to_owned()),
        ..Package::default()
    };
    Finding {
        id: id.to_owned(),
        severity,
        title: None,
        uri: None,
        score: None,
        exploit_available: None,
        standing: Standing::Active,
        packages: vec![package],
    }
}

fn scan(platform: Option<&str>, end: End) -> ImageScan {
    let name = platform.unwrap_or("image");
    ImageScan { digest: Digest::of(name.as_bytes()), platform: platform.map(str::to_owned), end }
}

fn found(findings: &[Finding], counts: &[(&str, u64)]) -> End {
    End::Found(Box::new(Read {
        status: Status::Complete,
        description: None,
        completed_at: None,
        enhanced: false,
        counts: counts.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect(),
        findings: findings.to_vec(),
    }))
}

fn ignoring(id: &str, until: Date) -> Policy {
    let ignore = Ignore { id: id.to_owned(), until, reason: "no way in".to_owned() };
    Policy { ignore: vec![ignore], ..Policy::default() }
}

#[test]
fn what_is_as_bad_as_said_or_worse_closes_the_gate() {
    let all = [
        finding("CVE-1", Severity::Medium),
        finding("CVE-2", Severity::High),
        finding("CVE-3", Severity::Critical),
        finding("CVE-4", Severity::Undefined),
    ];
    let judgement = judge(&Policy::default(), TODAY, &[scan(None, found(&all, &[]))]);
    let worst: Vec<&str> = judgement.findings.iter().map(|one| one.finding.id.as_str()).collect();
    assert_eq!(worst, ["CVE-3", "CVE-2", "CVE-1", "CVE-4"]);
    assert_eq!(judgement.objections.len(), 2);
    let first = Objection::Finding {
        id: "CVE-3".to_owned(),
        severity: Severity::Critical,
        package: Some("openssl 3.0.1".to_owned()),
        fixed_in: Some("3.0.2".to_owned()),
        borne: None,
    };
    assert_eq!(judgement.objections[0], first);
    let any = Policy { fail_on: Severity::Undefined, ..Policy::default() };
    assert_eq!(judge(&any, TODAY, &[scan(None, found(&all, &[]))]).objections.len(), 4);
}

#[test]
fn an_ignored_finding_is_borne_to_the_end_of_its_last_day() {
    let all = [scan(None, found(&[finding("CVE-1", Severity::Critical)], &[]))];
    let policy = ignoring("cve-1", TODAY);
    let judgement = judge(&policy, TODAY, &all);
    assert!(judgement.is_open());
    assert_eq!(judgement.notices, [Notice::Expires { id: "cve-1".to_owned(), until: TODAY, days: 0 }]);
    let later = judge(&policy, TODAY.next_day().unwrap(), &all);
    assert!(!later.is_open());
    assert!(matches!(&later.objections[0], Objection::Finding { borne: Some((until, _)), .. } if *until == TODAY));
}

#[test]
fn fourteen_days_ahead_it_is_said() {
    let all = [scan(None, found(&[finding("CVE-1", Severity::Critical)], &[]))];
    let notices = |until| judge(&ignoring("CVE-1", until), TODAY, &all).notices.len();
    assert_eq!((notices(date!(2026 - 03 - 15)), notices(date!(2026 - 03 - 16))), (1, 0));
}

#[test]
fn an_expired_ignore_fails_whatever_the_severity_and_only_where_the_finding_is() {
    let expired = ignoring("CVE-1", date!(2026 - 01 - 01));
    let low = [scan(None, found(&[finding("CVE-1", Severity::Low)], &[]))];
    assert!(!judge(&expired, TODAY, &low).is_open());
    let gone = judge(&expired, TODAY, &[scan(None, found(&[], &[]))]);
    assert!(gone.is_open());
    assert_eq!(gone.notices, [Notice::Unneeded { id: "CVE-1".to_owned(), expired: true }]);
}

#[test]
fn platforms_are_judged_together_and_told_once() {
    let all = [
        scan(Some("linux/amd64"), found(&[finding("CVE-1", Severity::High)], &[])),
        scan(Some("linux/arm64"), found(&[finding("CVE-1", Severity::High), finding("CVE-2", Severity::High)], &[])),
    ];
    let judgement = judge(&Policy::default(), TODAY, &all);
    assert_eq!(judgement.findings.len(), 2);
    assert_eq!(judgement.findings[0].platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(judgement.findings[1].platforms, ["linux/arm64"]);
    assert_eq!(judgement.counts(), BTreeMap::from([(Severity::High, 2)]));
}

#[test]
fn what_is_not_known_never_counts_as_good() {
    let ends = [
        End::NoResult { status: "FAILED".to_owned(), description: None },
        End::NeverScanned(NoScan::NoFilter),
        End::TimedOut { after: std::time::Duration::from_secs(600), waiting: Waiting::ForScan },
        End::Unsupported(None),
    ];
    for end in ends {
        let half = [scan(Some("linux/amd64"), found(&[], &[])), scan(Some("linux/arm64"), end)];
        let judgement = judge(&Policy::default(), TODAY, &half);
        assert!(matches!(&judgement.objections[..], [Objection::Unknown { of, .. }] if of == "linux/arm64"));
    }
    assert!(!judge(&Policy::default(), TODAY, &[]).is_open());
    let lenient = Policy { unsupported: OnUnsupported::Warn, ..Policy::default() };
    let judgement = judge(&lenient, TODAY, &[scan(None, End::Unsupported(None))]);
    assert!(judgement.is_open());
    assert!(matches!(judgement.notices[..], [Notice::Unsupported { .. }]));
}

#[test]
fn findings_that_are_counted_but_not_listed_close_the_gate() {
    let counted = [scan(None, found(&[finding("CVE-1", Severity::Low)], &[("HIGH", 2), ("LOW", 5), ("UNTRIAGED", 1)]))];
    let judgement = judge(&Policy::default(), TODAY, &counted);
    assert_eq!(judgement.objections, [Objection::Unlisted { severity: Severity::High, count: 2 }]);
}

#[test]
fn what_inspector_suppresses_is_told_and_not_counted() {
    let quiet = Finding { standing: Standing::Suppressed, ..finding("CVE-1", Severity::Critical) };
    let judgement = judge(&Policy::default(), TODAY, &[scan(None, found(&[quiet], &[("CRITICAL", 1)]))]);
    assert!(judgement.is_open());
    assert!(judgement.counts().is_empty());
    assert_eq!(judgement.findings.len(), 1);
}
