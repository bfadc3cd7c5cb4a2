use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::*;
use crate::scan::{Finding, Severity};

const BASIC: Scanning = Scanning { kind: Some(Kind::Basic), frequency: Some(Frequency::OnPush) };
const MANUAL: Scanning = Scanning { kind: Some(Kind::Basic), frequency: Some(Frequency::Manual) };
const ENHANCED: Scanning = Scanning { kind: Some(Kind::Enhanced), frequency: Some(Frequency::Continuous) };

fn status(word: &str) -> Answer {
    let read = Read {
        status: Status::of_service(word),
        description: None,
        completed_at: None,
        enhanced: false,
        counts: BTreeMap::new(),
        findings: Vec::new(),
    };
    Answer::Read(Box::new(read))
}

fn found(word: &str, ids: &[&str]) -> Answer {
    let Answer::Read(read) = status(word) else { return Answer::NotFound };
    let finding = |id: &&str| Finding {
        id: (*id).to_owned(),
        severity: Severity::Low,
        title: None,
        uri: None,
        score: None,
        exploit_available: None,
        standing: Default::default(),
        packages: Vec::new(),
    };
    let completed_at = Some(OffsetDateTime::UNIX_EPOCH);
    Answer::Read(Box::new(Read { completed_at, findings: ids.iter().map(finding).collect(), ..*read }))
}

/// Plays the answers, the last one ever again; what came of it, when, and how many scans were started.
fn play(policy: &Policy, scanning: Scanning, answers: &[Answer], start: &Started) -> (End, u64, usize) {
    let mut now = Duration::ZERO;
    let mut waiter = Waiter::new(policy, scanning, now);
    let (mut starts, mut at) = (0, 0);
    loop {
        let answer = answers[at.min(answers.len() - 1)].clone();
        at += 1;
        let mut step = waiter.next(answer, now);
        if step == Step::Start {
            starts += 1;
            step = waiter.started(start.clone(), now);
        }
        match step {
            Step::Pause(pause, _) => now += pause,
            Step::Done(end) => return (end, now.as_secs(), starts),
            Step::Start => unreachable!("a start was asked for after a start"),
        }
    }
}

fn play_all(scanning: Scanning, answers: &[Answer]) -> (End, u64, usize) {
    play(&Policy::default(), scanning, answers, &Started::Yes)
}

fn ids(end: &End) -> Vec<&str> {
    let End::Found(read) = end else { return vec!["nothing"] };
    read.findings.iter().map(|finding| finding.id.as_str()).collect()
}

#[test]
fn not_found_after_a_push_means_not_yet() {
    let answers = [Answer::NotFound, Answer::NotFound, status("IN_PROGRESS"), found("COMPLETE", &["CVE-1"])];
    let (end, _, starts) = play_all(BASIC, &answers);
    assert_eq!((ids(&end), starts), (vec!["CVE-1"], 0));
}

#[test]
fn a_scan_that_does_not_come_is_started_after_the_grace() {
    let never = [Answer::NotFound];
    let (end, took, starts) = play_all(BASIC, &never);
    assert_eq!((end, starts), (End::NeverScanned(NoScan::DidNotBegin), 1));
    assert!((60..=80).contains(&took), "{took}");
    let quiet = Policy { scan: ScanMode::Never, ..Policy::default() };
    assert_eq!(play(&quiet, BASIC, &never, &Started::Yes).2, 0);
    assert_eq!(play(&quiet, MANUAL, &never, &Started::Yes).0, End::NeverScanned(NoScan::NotAsked));
}

#[test]
fn where_nothing_comes_by_itself_a_scan_is_started_at_once() {
    let (end, took, starts) = play_all(MANUAL, &[Answer::NotFound, status("IN_PROGRESS"), found("COMPLETE", &[])]);
    assert_eq!((ids(&end), took, starts), (vec![], 4, 1));
    // What is there already needs no new scan.
    assert_eq!(play_all(MANUAL, &[found("COMPLETE", &["CVE-1"])]).2, 0);
}

#[test]
fn once_in_24_hours() {
    let policy = Policy::default();
    let (end, _, starts) = play(&policy, MANUAL, &[Answer::NotFound], &Started::TooSoon);
    assert_eq!((end, starts), (End::NeverScanned(NoScan::TooSoon), 1));
    let late = [Answer::NotFound, found("COMPLETE", &["CVE-1"])];
    assert_eq!(ids(&play(&policy, MANUAL, &late, &Started::TooSoon).0), ["CVE-1"]);
}

#[test]
fn inspectors_findings_must_stand_still() {
    let growing = [
        status("ACTIVE"),
        found("ACTIVE", &[]),
        found("ACTIVE", &["CVE-1"]),
        found("ACTIVE", &["CVE-1", "CVE-2"]),
        found("ACTIVE", &["CVE-1", "CVE-2"]),
    ];
    let (end, took, _) = play_all(ENHANCED, &growing);
    assert_eq!((ids(&end), took), (vec!["CVE-1", "CVE-2"], 46));
    // COMPLETE with nothing in it and no word of when is not complete.
    let (end, took, _) = play_all(ENHANCED, &[status("COMPLETE")]);
    let waiting = Waiting::ForFindings;
    assert_eq!((end, took), (End::TimedOut { after: Duration::from_secs(600), waiting }, 600));
}

#[test]
fn which_list_is_filled_decides_and_not_the_configuration() {
    let Answer::Read(read) = found("COMPLETE", &["CVE-1"]) else { unreachable!() };
    let enhanced = Answer::Read(Box::new(Read { enhanced: true, ..*read }));
    assert_eq!(play_all(BASIC, &[enhanced]).1, 15);
    assert_eq!(play_all(BASIC, &[found("COMPLETE", &["CVE-1"])]).1, 1);
}

#[test]
fn no_filter_matches() {
    let off = Scanning { frequency: Some(Frequency::Manual), ..ENHANCED };
    assert_eq!(play_all(off, &[Answer::NotFound]), (End::NeverScanned(NoScan::NoFilter), 0, 0));
    let (end, took, starts) = play_all(ENHANCED, &[Answer::NotFound]);
    assert_eq!((end, starts), (End::NeverScanned(NoScan::DidNotBegin), 0));
    assert!((180..200).contains(&took), "{took}");
}

#[test]
fn a_start_that_inspector_refuses() {
    let unknown = Scanning::default();
    let late = [Answer::NotFound, Answer::NotFound, found("ACTIVE", &["CVE-1"])];
    assert_eq!(ids(&play(&Policy::default(), unknown, &late, &Started::Disabled).0), ["CVE-1"]);
}

#[test]
fn every_end_is_told() {
    for word in
        ["FAILED", "SCAN_ELIGIBILITY_EXPIRED", "FINDINGS_UNAVAILABLE", "LIMIT_EXCEEDED", "IMAGE_ARCHIVED", "NEW"]
    {
        let expected = End::NoResult { status: word.to_owned(), description: None };
        assert_eq!(play_all(BASIC, &[status("PENDING"), status(word)]).0, expected);
    }
    assert_eq!(play_all(BASIC, &[status("UNSUPPORTED_IMAGE")]).0, End::Unsupported(None));
    let refused = Started::Unsupported("no".to_owned());
    let end = play(&Policy::default(), MANUAL, &[Answer::NotFound], &refused).0;
    assert_eq!(end, End::Unsupported(Some("no".to_owned())));
}
