//! Registries that the images are copied to.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore::execute::ports::{Failure, Hitch, Progress, Replication};
use longshore::execute::report::Outcome;
use longshore::plan::{ImageAction, ImagePlan, Plan, ReplicaImage, ReplicaPlan, RepositoryPlan, RepositorySpec, Wait};

use crate::world::{World, digest_of, image, outcomes, plan};

/// The plan with a replica in which nothing is there yet.
fn replicated(mut plan: Plan, create: &[&str]) -> Plan {
    let images =
        plan.images.iter().map(|image| ReplicaImage { taken: BTreeMap::new(), staging: image.staging.clone() });
    plan.replicas = vec![ReplicaPlan {
        registry: "s.example".parse().unwrap(),
        repositories: create
            .iter()
            .map(|name| RepositoryPlan::Create(RepositorySpec::plain(name.parse().unwrap())))
            .collect(),
        images: images.collect(),
        wait: None,
    }];
    plan
}

#[test]
fn no_registry_gets_a_release_tag_before_all_have_every_image() {
    let world = World::default();
    let keyed = |name: &str| ImagePlan { staging: Some("src-key".parse().unwrap()), ..image(name, &["1"]) };
    let report = world.run(&replicated(plan(vec![keyed("web"), image("api", &["1"])], &["web"]), &["web"]));
    assert!(report.is_success());
    let api = digest_of("api");
    let expected = [
        "create web",
        "create web",
        "build web",
        "push r.example/web:src-key with token 0",
        "build api",
        "push r.example/api:src-api with token 0",
        "copy to s.example/web:src-key",
        &format!("copy to s.example/api@{api}"),
        "tag r.example/web:1",
        "tag r.example/api:1",
        "tag s.example/web:1",
        "tag s.example/api:1",
    ];
    assert_eq!(world.calls(), expected);
    let places: Vec<_> = report.images[0].moves.iter().map(|written| written.replica.clone()).collect();
    assert_eq!(places, [None, Some("s.example".parse().unwrap())]);
}

#[test]
fn a_copy_that_fails_lets_nothing_be_released_anywhere() {
    let line = format!("copy to s.example/web@{}", digest_of("web"));
    let world = World::failing(&line, &[Failure::Refused]);
    let report = world.run(&replicated(plan(vec![image("web", &["1"]), image("api", &["1"])], &[]), &[]));
    assert_eq!(outcomes(&report), ["failed", "staged"]);
    assert!(!world.calls().iter().any(|call| call.starts_with("tag ")), "{:?}", world.calls());

    let world = World::failing(&line, &[Failure::Throttled, Failure::CredentialsExpired, Failure::ServiceBroken]);
    assert!(world.run(&replicated(plan(vec![image("web", &["1"])], &[]), &[])).is_success());
}

#[test]
fn an_image_that_another_run_staged_meanwhile_is_copied_before_replicas_release_it() {
    let world = World::default();
    let keyed = ImagePlan { staging: Some("src-key".parse().unwrap()), ..image("web", &["1"]) };
    *world.meanwhile.borrow_mut() = Some(("r.example/web:src-key".into(), digest_of("theirs")));
    assert!(world.run(&replicated(plan(vec![keyed], &[]), &[])).is_success());
    assert_eq!(world.tags.borrow()["s.example/web:src-key"], digest_of("theirs"));
    assert_eq!(world.tags.borrow()["s.example/web:1"], digest_of("theirs"));
}

#[test]
fn what_is_promoted_out_of_a_registry_gets_no_tag_there() {
    let world = World::default();
    let reuse = ImageAction::Reuse { digest: digest_of("old"), why: String::new() };
    let promoted = Plan {
        release_here: false,
        ..replicated(plan(vec![ImagePlan { action: reuse, ..image("web", &["1"]) }], &[]), &[])
    };
    let report = world.run(&promoted);
    let old = digest_of("old");
    assert_eq!(world.calls(), [format!("copy to s.example/web@{old}"), "tag s.example/web:1".to_owned()]);
    let Outcome::Published(published) = &report.images[0].outcome else { unreachable!() };
    assert_eq!(published.references[0].to_string(), "s.example/web:1");
}

fn way(progress: Progress) -> Vec<Replication> {
    vec![Replication { region: "eu-west-1".into(), account: "123456789012".into(), progress }]
}

/// The same plan, for a replica that ECR itself replicates to.
fn awaited(plan: Plan) -> Plan {
    let mut plan = replicated(plan, &[]);
    let wait = Wait { account: None, region: "eu-west-1".parse().unwrap(), timeout: Duration::from_secs(1200) };
    plan.replicas[0].wait = Some(wait);
    plan
}

#[test]
fn ecrs_own_replication_is_waited_for_before_any_release_tag() {
    let world = World::default();
    *world.replications.borrow_mut() = vec![vec![], way(Progress::UnderWay), way(Progress::Done)];
    assert!(world.run(&awaited(plan(vec![image("web", &["1"])], &[]))).is_success());
    let expected = [
        "build web",
        "push r.example/web:src-web with token 0",
        "replications of web",
        "replications of web",
        "replications of web",
        "tag r.example/web:1",
        "tag s.example/web:1",
    ];
    assert_eq!(world.calls(), expected);
}

#[test]
fn a_replication_that_does_not_arrive_lets_nothing_be_released() {
    let failure = |answers: Vec<Vec<Replication>>| {
        let world = World::default();
        *world.replications.borrow_mut() = answers;
        let report = world.run(&awaited(plan(vec![image("web", &["1"])], &[])));
        assert!(!world.calls().iter().any(|call| call.starts_with("tag ")), "{:?}", world.calls());
        let Outcome::Failed(error) = &report.images[0].outcome else { unreachable!() };
        let Failure::NotReplicated { hitch, to, .. } = error.failure.clone() else { unreachable!("{error:?}") };
        assert_eq!(to, "eu-west-1");
        (hitch, world.calls().len())
    };
    let code = Some("DENIED".to_owned());
    assert_eq!(failure(vec![way(Progress::Failed(code.clone()))]), (Hitch::Failed(code), 3));
    assert_eq!(failure(vec![way(Progress::UnderWay)]).0, Hitch::Late(Duration::from_secs(1200)));
    let (hitch, calls) = failure(vec![vec![]]);
    assert_eq!(hitch, Hitch::NoWay);
    assert!(calls < 12, "that there is no rule is known long before the time is over: {calls} calls");
}

#[test]
fn what_ecr_will_not_replicate_any_more_is_copied() {
    for answer in [vec![], way(Progress::Failed(None))] {
        let world = World::default();
        *world.replications.borrow_mut() = vec![answer];
        let reuse = ImageAction::Reuse { digest: digest_of("web"), why: String::new() };
        let images = vec![ImagePlan { action: reuse, ..image("web", &["1"]) }];
        assert!(world.run(&awaited(plan(images, &[]))).is_success());
        let copy = format!("copy to s.example/web@{}", digest_of("web"));
        assert_eq!(world.calls(), ["replications of web", &copy, "tag r.example/web:1", "tag s.example/web:1"]);
    }
}
