//! Registries that the images are copied to.

use std::collections::BTreeMap;

use longshore::execute::ports::Failure;
use longshore::execute::report::Outcome;
use longshore::plan::{ImageAction, ImagePlan, Plan, ReplicaImage, ReplicaPlan, RepositoryPlan, RepositorySpec};

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
