//! Gates: no release tag, here or in a replica, before it is known what is in the images.

use longshore::execute::events::{Event, ImageEvent, ScanEvent};
use longshore::execute::ports::Failure;
use longshore::execute::report::Outcome;
use longshore::plan::{GatePlan, ImageAction, ImagePlan, Plan, ReplicaImage, ReplicaPlan};
use longshore::scan::{
    Answer, Finding, Frequency, Kind, NoScan, Objection, Policy, Read, Scanning, Severity, Status, Unknown, Waiting,
};
use time::macros::date;

use crate::world::{World, digest_of, image, outcomes, plan};

const BASIC: Scanning = Scanning { kind: Some(Kind::Basic), frequency: Some(Frequency::OnPush) };

fn gated(name: &str) -> ImagePlan {
    let gate = GatePlan { policy: Policy::default(), today: date!(2026 - 03 - 01) };
    ImagePlan { gate: Some(gate), ..image(name, &["1"]) }
}

fn answer(status: &str, found: &[Severity]) -> Answer {
    let finding = |(at, severity): (usize, &Severity)| Finding {
        id: format!("CVE-{at}"),
        severity: *severity,
        title: None,
        uri: None,
        score: None,
        exploit_available: None,
        standing: Default::default(),
        packages: Vec::new(),
    };
    Answer::Read(Box::new(Read {
        status: Status::of_service(status),
        description: None,
        completed_at: (status == "COMPLETE").then_some(time::OffsetDateTime::UNIX_EPOCH),
        enhanced: false,
        counts: Default::default(),
        findings: found.iter().enumerate().map(finding).collect(),
    }))
}

fn world(scans: &[(&str, Vec<Answer>)]) -> World {
    let world = World::default();
    world.scanning.set(BASIC);
    world.scans.borrow_mut().extend(scans.iter().map(|(name, answers)| ((*name).to_owned(), answers.clone())));
    world
}

fn wrote_tags(world: &World) -> bool {
    world.calls().iter().any(|call| call.starts_with("tag ") || call.starts_with("copy "))
}

fn objections(outcome: &Outcome) -> Vec<Objection> {
    let Outcome::Failed(error) = outcome else { return Vec::new() };
    let Failure::GateClosed { objections, .. } = &error.failure else { return Vec::new() };
    objections.clone()
}

fn with_replica(plan: Plan) -> Plan {
    let images = plan.images.iter().map(|_| ReplicaImage::default()).collect();
    let replica =
        ReplicaPlan { registry: "other.example".parse().unwrap(), repositories: Vec::new(), images, wait: None };
    Plan { replicas: vec![replica], ..plan }
}

#[test]
fn a_gate_that_opens_lets_everything_go_on() {
    let answers = vec![Answer::NotFound, answer("IN_PROGRESS", &[]), answer("COMPLETE", &[Severity::Low])];
    let world = world(&[("web", answers)]);
    let report = world.run(&with_replica(plan(vec![gated("web")], &[])));
    assert!(report.is_success());
    let calls = world.calls();
    let at = |line: &str| calls.iter().position(|call| call == line).unwrap();
    let last_look = calls.iter().rposition(|call| call.starts_with("findings ")).unwrap();
    assert!(at("push r.example/web:src-web with token 0") < last_look);
    assert!(last_look < at("tag r.example/web:1") && last_look < at("tag other.example/web:1"));
    let told: Vec<ScanEvent> = world
        .events
        .borrow()
        .iter()
        .filter_map(|event| match event {
            Event::Image(_, ImageEvent::Scan(event)) => Some(event.clone()),
            _ => None,
        })
        .collect();
    let waiting = |waiting| ScanEvent::Waiting { platform: None, waiting };
    assert_eq!(told[..3], [Waiting::ForScan, Waiting::ForFindings, Waiting::ForSecondLook(1)].map(waiting));
    let expected = ScanEvent::Judged { open: true, counts: vec![(Severity::Low, 1)], blocking: 0, notices: Vec::new() };
    assert_eq!(told[3..], [expected]);
}

#[test]
fn one_closed_gate_keeps_every_release_tag_as_it_is() {
    let good = vec![answer("COMPLETE", &[])];
    let bad = vec![answer("COMPLETE", &[Severity::Critical, Severity::Low])];
    let world = world(&[("web", good), ("api", bad)]);
    let report = world.run(&with_replica(plan(vec![gated("web"), gated("api"), image("free", &["1"])], &[])));
    assert!(!wrote_tags(&world), "{:?}", world.calls());
    assert_eq!(outcomes(&report), ["staged", "failed", "staged"]);
    assert!(matches!(objections(&report.images[1].outcome)[..], [Objection::Finding { .. }]));
    assert_eq!(report.images[0].gate.as_ref().unwrap().judgement.findings.len(), 0);
}

#[test]
fn a_reused_image_is_gated_too() {
    let world = world(&[("web", vec![answer("COMPLETE", &[Severity::High])])]);
    let reused = ImageAction::Reuse { digest: digest_of("web"), why: String::new() };
    let report = world.run(&plan(vec![ImagePlan { action: reused, ..gated("web") }], &[]));
    assert_eq!(outcomes(&report), ["failed"]);
    assert!(!wrote_tags(&world));
}

#[test]
fn what_nobody_will_ever_scan_fails_before_anything_is_built() {
    let world = world(&[]);
    world.scanning.set(Scanning { kind: Some(Kind::Enhanced), frequency: Some(Frequency::Manual) });
    let report = world.run(&plan(vec![gated("web"), image("api", &["1"])], &[]));
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    let why = Unknown::NeverScanned(NoScan::NoFilter);
    assert_eq!(objections(&report.images[0].outcome), [Objection::Unknown { of: "web".to_owned(), why }]);
}

#[test]
fn a_scan_that_never_ends_is_a_closed_gate_in_the_end() {
    let world = world(&[("web", vec![answer("PENDING", &[])])]);
    let report = world.run(&plan(vec![gated("web")], &[]));
    let objections = objections(&report.images[0].outcome);
    let timed_out = Unknown::TimedOut(600, Waiting::ForFindings);
    assert!(matches!(&objections[..], [Objection::Unknown { why, .. }] if *why == timed_out));
    assert!(!wrote_tags(&world));
}

#[test]
fn a_service_that_stumbles_is_asked_again() {
    let world = world(&[("web", vec![answer("COMPLETE", &[])])]);
    let line = format!("findings of web {}", digest_of("web").short());
    world.failing.borrow_mut().insert(line, vec![Failure::ServiceBroken, Failure::Throttled]);
    assert!(world.run(&plan(vec![gated("web")], &[])).is_success());
}
