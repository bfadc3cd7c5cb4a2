//! The order of effects, and what a failure leaves behind, through ports that write down what is asked of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod gate;
mod replicas;
mod signing;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use longshore::execute::events::{CopyEvent, PushEvent};
use longshore::execute::ports::{
    Brought, Credential, Destination, Failure, Freight, Layer, LayerBlob, Manifest, Registry, ServiceError, Source,
};
use longshore::execute::report::{Move, Outcome};
use longshore::execute::{self, Goal, Services};
use longshore::names::{Digest, ImageRef, Platform, RepositoryName};
use longshore::plan::{BuildPlan, ImageAction, ImagePlan, PartAction, PartPlan, Record};
use longshore::retry::Tally;

use world::{World, build, digest_of, image, outcomes, plan};

#[test]
fn no_release_tag_is_written_before_every_image_is_up() {
    let world = World::default();
    let report = world.run(&plan(vec![image("web", &["1", "2"]), image("api", &["1"])], &["web"]));
    let expected = [
        "create web",
        "build web",
        "push r.example/web:src-web with token 0",
        "build api",
        "push r.example/api:src-api with token 0",
        "tag r.example/web:1",
        "tag r.example/web:2",
        "tag r.example/api:1",
    ];
    assert_eq!(world.calls(), expected);
    assert!(report.is_success());
    let Outcome::Published(published) = &report.images[0].outcome else { unreachable!() };
    assert_eq!((published.size, published.references.len()), (Some(321), 2));
}

#[test]
fn a_build_that_fails_lets_the_others_finish_and_nothing_be_released() {
    let failure = Failure::BuildFailed { step: None, output: Vec::new() };
    let world = World::failing("build web", &[failure]);
    let report = world.run(&plan(vec![image("web", &["1"]), image("api", &["1"])], &[]));
    assert_eq!(world.calls(), ["build web", "build api", "push r.example/api:src-api with token 0"]);
    assert_eq!(outcomes(&report), ["failed", "staged"]);
}

#[test]
fn a_push_that_fails_lets_nothing_be_released() {
    let world = World::failing("push r.example/api:src-api with token 0", &[Failure::Refused]);
    let report = world.run(&plan(vec![image("web", &["1", "2"]), image("api", &["1"])], &[]));
    assert!(!world.calls().iter().any(|call| call.starts_with("tag ")));
    assert_eq!(outcomes(&report), ["staged", "failed"]);
}

#[test]
fn a_tag_that_fails_half_way_leaves_word_of_those_that_are_written() {
    let world = World::failing("tag r.example/web:2", &[Failure::ServiceBroken]);
    world.tags.borrow_mut().insert("r.example/web:1".into(), digest_of("old"));
    let report = world.run(&plan(vec![image("web", &["1", "2", "3"]), image("api", &["1"])], &[]));
    assert_eq!(outcomes(&report), ["failed", "staged"]);
    let moved =
        Move { tag: "1".parse().unwrap(), before: Some(digest_of("old")), after: digest_of("web"), replica: None };
    assert_eq!(report.images[0].moves, [moved]);
    // The second run does what is left, and nothing else.
    world.calls.borrow_mut().clear();
    assert!(world.run(&plan(vec![image("web", &["1", "2", "3"]), image("api", &["1"])], &[])).is_success());
    let tagged: Vec<_> = world.calls().into_iter().filter(|call| call.starts_with("tag ")).collect();
    assert_eq!(tagged, ["tag r.example/web:2", "tag r.example/web:3", "tag r.example/api:1"]);
}

#[test]
fn the_image_that_another_run_staged_meanwhile_is_released_by_both() {
    let world = World::default();
    let keyed = ImagePlan { staging: Some("src-key".parse().unwrap()), ..image("web", &["1"]) };
    *world.meanwhile.borrow_mut() = Some(("r.example/web:src-key".into(), digest_of("theirs")));
    let report = world.run(&plan(vec![keyed], &[]));
    assert!(report.is_success());
    assert_eq!(world.tags.borrow()["r.example/web:1"], digest_of("theirs"));
}

#[test]
fn a_staging_tag_that_cannot_move_names_the_image_to_release() {
    let taken = Failure::TagTaken { tag: "src-web".parse().unwrap(), repository: "web".parse().unwrap() };
    let world = World::failing("push r.example/web:src-web with token 0", &[taken]);
    world.tags.borrow_mut().insert("r.example/web:src-web".into(), digest_of("theirs"));
    assert!(world.run(&plan(vec![image("web", &["1"])], &[])).is_success());
    assert_eq!(world.tags.borrow()["r.example/web:1"], digest_of("theirs"));
}

#[test]
fn a_repository_that_cannot_be_created_ends_the_run_before_any_build() {
    let world = World::failing("create web", &[Failure::Denied { action: None }]);
    let report = world.run(&plan(vec![image("web", &["1"])], &["web"]));
    assert_eq!(world.calls(), ["create web"]);
    assert_eq!((report.failures().count(), report.is_success()), (1, false));
}

#[test]
fn a_token_that_expired_is_renewed_once() {
    let world = World::failing("push r.example/web:src-web with token 0", &[Failure::CredentialsExpired]);
    assert!(world.run(&plan(vec![image("web", &["1"])], &[])).is_success());
    assert_eq!(
        world.calls()[1..3],
        ["push r.example/web:src-web with token 0", "push r.example/web:src-web with token 1"]
    );

    let world = World::failing("push r.example/web:src-web with token 0", &[Failure::CredentialsExpired]);
    let again = ("push r.example/web:src-web with token 1".to_owned(), vec![Failure::CredentialsExpired]);
    world.failing.borrow_mut().extend([again]);
    assert_eq!(outcomes(&world.run(&plan(vec![image("web", &["1"])], &[]))), ["failed"]);
}

#[test]
fn a_busy_registry_is_asked_again_and_a_refusal_is_final() {
    let line = "push r.example/web:src-web with token 0";
    let missing = Failure::RepositoryMissing { repository: "web".parse::<RepositoryName>().unwrap() };
    let world = World::failing(line, &[Failure::Throttled, missing, Failure::ServiceBroken]);
    assert!(world.run(&plan(vec![image("web", &["1"])], &[])).is_success());
    let world = World::failing(line, &vec![Failure::Throttled; 12]);
    assert_eq!(outcomes(&world.run(&plan(vec![image("web", &["1"])], &[]))), ["failed"]);
    let world = World::failing(line, &[Failure::Refused]);
    assert_eq!(outcomes(&world.run(&plan(vec![image("web", &["1"])], &[]))), ["failed"]);
    assert_eq!(world.calls(), ["build web", line]);
}

#[test]
fn a_line_that_broke_is_looked_through_before_it_is_tried_again() {
    let line = "push r.example/web:src-web with token 0";
    let broken = Failure::Unreachable { address: "r.example".into() };
    let world = World::failing(line, std::slice::from_ref(&broken));
    assert!(world.run(&plan(vec![image("web", &["1"])], &[])).is_success());
    assert_eq!(world.calls()[1..4], [line, "look for web", line]);

    let world = World::failing(line, &vec![broken.clone(); 12]);
    world.missing.borrow_mut().insert("web".to_owned());
    let report = world.run(&plan(vec![image("web", &["1"])], &[]));
    let failures: Vec<&Failure> = report.failures().map(|error| &error.failure).collect();
    assert_eq!(failures, [&Failure::RepositoryMissing { repository: "web".parse().unwrap() }]);

    let denied = Failure::Denied { action: Some("ecr:DescribeRepositories".into()) };
    let world = World::failing(line, &[broken]);
    world.failing.borrow_mut().insert("look for web".to_owned(), vec![denied.clone()]);
    let report = world.run(&plan(vec![image("web", &["1"])], &[]));
    assert_eq!(report.failures().map(|error| &error.failure).collect::<Vec<_>>(), [&denied]);
}

#[test]
fn a_tag_whose_answer_was_lost_is_not_taken_by_another() {
    let taken = Failure::TagTaken { tag: "1".parse().unwrap(), repository: "web".parse().unwrap() };
    let world = World::failing("tag r.example/web:1", &[taken]);
    let reuse = ImageAction::Reuse { digest: digest_of("old"), why: String::new() };
    *world.appears.borrow_mut() = Some(("r.example/web:1".into(), digest_of("old")));
    assert!(world.run(&plan(vec![ImagePlan { action: reuse, ..image("web", &["1"]) }], &[])).is_success());
}

#[test]
fn a_tag_that_names_the_image_already_is_not_written_again() {
    let world = World::default();
    world.tags.borrow_mut().insert("r.example/web:2".into(), digest_of("web"));
    assert!(world.run(&plan(vec![image("web", &["1", "2"])], &[])).is_success());
    assert_eq!(world.calls().last().map(String::as_str), Some("tag r.example/web:1"));
}

#[test]
fn a_tag_that_the_plan_saw_on_the_image_is_not_even_asked_for() {
    let world = World::default();
    let reuse = ImageAction::Reuse { digest: digest_of("old"), why: String::new() };
    let taken = BTreeMap::from([("1".parse().unwrap(), digest_of("old"))]);
    let report = world.run(&plan(vec![ImagePlan { action: reuse, taken, ..image("web", &["1"]) }], &[]));
    assert!(report.is_success() && world.calls().is_empty(), "{:?}", world.calls());
}

#[test]
fn an_image_that_the_registry_has_is_only_tagged() {
    let world = World::default();
    let reuse = ImageAction::Reuse { digest: digest_of("old"), why: String::new() };
    let report = world.run(&plan(vec![ImagePlan { action: reuse, ..image("web", &["1", "2"]) }], &[]));
    assert_eq!(world.calls(), ["tag r.example/web:1", "tag r.example/web:2"]);
    let Outcome::Published(published) = &report.images[0].outcome else { unreachable!() };
    assert_eq!(published.digest, digest_of("old"));
}

#[test]
fn a_record_that_is_not_kept_is_no_failure() {
    let attach = format!("attach to r.example/web@{}", digest_of("web"));
    let world = World::failing(&attach, &[Failure::Refused]);
    let record = Record { media_type: "x/y".into(), bytes: Vec::new() };
    let report = world.run(&plan(vec![ImagePlan { record: Some(record), ..image("web", &["1"]) }], &[]));
    assert!(report.is_success());
    assert!(world.calls().contains(&attach));
}

#[test]
fn images_are_staged_after_those_that_they_need() {
    let needing = |name: &str, needs: &[&str]| ImagePlan {
        needs: needs.iter().map(|name| (*name).to_owned()).collect(),
        ..image(name, &["1"])
    };
    let images = vec![needing("web", &["base", "lib"]), needing("lib", &["base"]), needing("base", &[])];
    let world = World::default();
    let report = world.run(&plan(images.clone(), &[]));
    let builds: Vec<_> = world.calls().into_iter().filter(|call| call.starts_with("build ")).collect();
    assert_eq!(builds, ["build base", "build lib", "build web"]);
    assert_eq!(report.images[0].name, "web", "the report keeps the order of the plan");

    let world = World::failing("build lib", &[Failure::Refused]);
    assert_eq!(outcomes(&world.run(&plan(images, &[]))), ["stopped", "failed", "staged"]);
    assert!(!world.calls().contains(&"build web".to_owned()));
}

#[test]
fn a_base_image_in_the_registry_brings_the_login() {
    let world = World::default();
    let action = ImageAction::Build { why: Vec::new(), build: Box::new(BuildPlan { login: true, ..build("web") }) };
    world.run(&plan(vec![ImagePlan { action, ..image("web", &["1"]) }], &[]));
    assert_eq!(world.calls()[0], "build web with login");
}

/// A builder that makes attestations hands out an index where Lambda takes a plain manifest only.
#[test]
fn an_index_where_a_single_manifest_was_wished_for_is_not_released() {
    let single = || ImagePlan { single: true, ..image("web", &["1"]) };
    let world = World::default();
    assert_eq!(outcomes(&world.run(&plan(vec![single()], &[]))), ["published"]);
    world.has_indexes.set(true);
    let report = world.run(&plan(vec![single()], &[]));
    let Outcome::Failed(failed) = &report.images[0].outcome else { unreachable!() };
    assert_eq!(failed.failure, Failure::NotSingle);
}

#[test]
fn a_digest_that_the_registry_does_not_confirm_is_a_failure() {
    struct Forgetful(World);
    impl Registry for Forgetful {
        async fn digest(&self, _: &ImageRef, _: &Credential) -> Result<Option<Digest>, ServiceError> {
            Ok(None)
        }
        async fn manifest(&self, image: &ImageRef, credential: &Credential) -> Result<Manifest, ServiceError> {
            self.0.manifest(image, credential).await
        }
        async fn layers(
            &self,
            image: &ImageRef,
            platform: Option<&Platform>,
            credential: Option<&Credential>,
        ) -> Result<Vec<Layer>, ServiceError> {
            self.0.layers(image, platform, credential).await
        }
        async fn bring(
            &self,
            _: &LayerBlob,
            _: &ImageRef,
            _: Option<&RepositoryName>,
            _: &[Source<'_, Forgetful>],
            _: &Credential,
        ) -> Result<Brought, ServiceError> {
            Ok(Brought::ThereAlready)
        }
        async fn write(
            &self,
            freight: Freight<'_>,
            target: &ImageRef,
            credential: &Credential,
            tell: &dyn Fn(PushEvent),
            arrived: &dyn Fn(&Layer),
        ) -> Result<Digest, ServiceError> {
            self.0.write(freight, target, credential, tell, arrived).await
        }
        async fn attach(
            &self,
            subject: &ImageRef,
            manifest: &Manifest,
            record: &Record,
            c: &Credential,
        ) -> Result<(), ServiceError> {
            self.0.attach(subject, manifest, record, c).await
        }
        async fn copy(
            &self,
            _: &ImageRef,
            _: &Credential,
            _: &[Destination<'_, Forgetful>],
            _: &dyn Fn(CopyEvent),
        ) -> Vec<Result<(), ServiceError>> {
            Vec::new()
        }
        async fn tag(&self, target: &ImageRef, manifest: &Manifest, c: &Credential) -> Result<(), ServiceError> {
            self.0.tag(target, manifest, c).await
        }
    }
    let forgetful = Forgetful(World::default());
    let world = &forgetful.0;
    let services = Services {
        engine: world,
        ecr: world,
        registry: &forgetful,
        elsewhere: None,
        replicas: Vec::new(),
        retries: &Tally::default(),
        elapsed: &|| Duration::ZERO,
        jobs: 2,
        goal: Goal::Released,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let report = runtime.block_on(execute::run(&plan(vec![image("web", &["1"])], &[]), &services, &|_| {}));
    let Outcome::Failed(error) = &report.images[0].outcome else { unreachable!() };
    assert_eq!(error.failure, Failure::Unexpected);
    assert!(error.cause.ends_with("but the registry has nothing under this tag"), "{}", error.cause);
}

/// An image for two platforms, of which the registry has one.
fn for_two_platforms() -> ImagePlan {
    let part = |platform: &str, action| PartPlan {
        platform: platform.parse().unwrap(),
        action,
        staging: Some(format!("src-{}", platform.replace('/', "-")).parse().unwrap()),
        record: None,
    };
    let built = PartAction::Build { why: Vec::new(), build: Box::new(build("arm")) };
    let there = PartAction::Reuse { digest: digest_of("amd"), why: String::new() };
    let parts = vec![part("linux/amd64", there), part("linux/arm64", built)];
    let action = ImageAction::Assemble { why: Vec::new(), parts };
    ImagePlan { action, staging: Some("src-index".parse().unwrap()), ..image("web", &["1"]) }
}

#[test]
fn platforms_become_one_index_before_anything_is_released() {
    let world = World::default();
    let report = world.run(&plan(vec![for_two_platforms()], &[]));
    let expected = [
        "build arm",
        "push r.example/web:src-linux-arm64 with token 0",
        "tag r.example/web:src-index",
        "tag r.example/web:1",
    ];
    assert_eq!(world.calls(), expected);
    let platforms: Vec<_> = report.images[0].parts.iter().map(|part| (part.platform.as_str(), &part.digest)).collect();
    assert_eq!(platforms, [("linux/amd64", &digest_of("amd")), ("linux/arm64", &digest_of("arm"))]);
    assert_eq!(world.tags.borrow()["r.example/web:1"], world.tags.borrow()["r.example/web:src-index"]);

    let world = World::failing("build arm", &[Failure::Refused]);
    assert_eq!(outcomes(&world.run(&plan(vec![for_two_platforms()], &[]))), ["failed"]);
    assert_eq!(world.calls(), ["build arm"], "an index never lacks a platform");
}
