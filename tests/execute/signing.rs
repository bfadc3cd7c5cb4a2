//! Managed signing: what must be signed is not released before it is, and what is only told of holds nothing up.

use longshore::execute::events::{Event, ImageEvent};
use longshore::execute::ports::{Failure, Signature, SigningState, Unsigned};
use longshore::execute::report::Outcome;
use longshore::plan::{ImagePlan, Signing};

use crate::world::{World, image, outcomes, plan};

fn signed(name: &str, signing: Signing) -> ImagePlan {
    ImagePlan { signing, ..image(name, &["1"]) }
}

fn by(profile: &str, state: SigningState) -> Signature {
    Signature { profile: profile.to_owned(), state }
}

fn world(signatures: &[(&str, Vec<Vec<Signature>>)]) -> World {
    let world = World::default();
    let owned = signatures.iter().map(|(name, answers)| ((*name).to_owned(), answers.clone()));
    world.signatures.borrow_mut().extend(owned);
    world
}

fn events(world: &World) -> Vec<ImageEvent> {
    let of_image = |event: &Event| match event {
        Event::Image(_, event) => Some(event.clone()),
        _ => None,
    };
    world.events.borrow().iter().filter_map(of_image).collect()
}

#[test]
fn no_release_tag_before_all_profiles_have_signed() {
    let half = vec![by("a", SigningState::Signed), by("b", SigningState::UnderWay)];
    let whole = vec![by("a", SigningState::Signed), by("b", SigningState::Signed)];
    let world = world(&[("web", vec![vec![], half, whole.clone()])]);
    let report = world.run(&plan(vec![signed("web", Signing::Require), image("api", &["1"])], &[]));
    assert!(report.is_success());
    assert_eq!(report.images[0].signatures, Some(whole));
    assert_eq!(report.images[1].signatures, None);
    let calls = world.calls();
    let last_look = calls.iter().rposition(|call| call == "signatures of web");
    let first_tag = calls.iter().position(|call| call.starts_with("tag "));
    assert_eq!(calls.iter().filter(|call| *call == "signatures of web").count(), 3);
    assert!(last_look < first_tag, "{calls:?}");
    let told = events(&world);
    assert_eq!(told.iter().filter(|event| **event == ImageEvent::AwaitingSignature).count(), 1);
    let by_both = |event: &ImageEvent| matches!(event, ImageEvent::Signed { by, .. } if *by == ["a", "b"]);
    assert!(told.iter().any(by_both), "{told:?}");
}

#[test]
fn what_cannot_be_signed_keeps_the_whole_group_back() {
    let failed = SigningState::Failed { code: Some("AccessDenied".to_owned()), reason: None };
    let world = world(&[("web", vec![vec![by("a", failed)]]), ("api", vec![vec![]])]);
    let report = world.run(&plan(vec![signed("web", Signing::Require), signed("api", Signing::Require)], &[]));
    assert_eq!(outcomes(&report), ["failed", "failed"]);
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Failed(error) => (error.failure.clone(), error.cause.clone()),
        outcome => unreachable!("{outcome:?}"),
    };
    let reasons: Vec<_> = report.images.iter().map(|image| reason(&image.outcome)).collect();
    let unsigned = |name: &str, why| Failure::NotSigned { repository: name.parse().unwrap(), why };
    let refused = (unsigned("web", Unsigned::Failed("a".to_owned())), "AccessDenied".to_owned());
    assert_eq!(reasons, [refused, (unsigned("api", Unsigned::ByNobody), String::new())]);
    assert!(!world.calls().iter().any(|call| call.starts_with("tag ")), "{:?}", world.calls());
}

#[test]
fn what_is_only_told_of_is_looked_at_once_and_after_the_release() {
    let under_way = vec![by("a", SigningState::UnderWay)];
    let world = world(&[("web", vec![under_way.clone()])]);
    let report = world.run(&plan(vec![signed("web", Signing::Report)], &[]));
    assert!(report.is_success());
    assert_eq!(report.images[0].signatures, Some(under_way));
    assert_eq!(world.calls().last().map(String::as_str), Some("signatures of web"));

    let world = World::failing("signatures of web", &[Failure::Denied { action: None }]);
    let report = world.run(&plan(vec![signed("web", Signing::Report)], &[]));
    assert!(report.is_success());
    assert_eq!(report.images[0].signatures, None);
    assert!(events(&world).iter().any(|event| matches!(event, ImageEvent::SigningUnknown(_))));
}

#[test]
fn without_gates_nothing_waits_for_a_signature() {
    let plan = plan(vec![signed("web", Signing::Require), image("api", &["1"])], &[]).without_gates();
    let left: Vec<Signing> = plan.images.iter().map(|image| image.signing).collect();
    assert_eq!(left, [Signing::Report, Signing::Ignore]);
}
