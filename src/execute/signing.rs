//! Managed signing: ECR signs what is pushed where the registry's rules say so. A run waits for it before the release
//! tags, or says how far it is after them.
//!
//! What was pushed before there was a rule stays unsigned. Source: ECR user guide, "Managed signing".

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::events::ImageEvent;
use super::ports::{Ecr, Engine, Failure, Registry, ServiceError, Signature, SigningState, Unsigned};
use super::report::{Outcome, Report};
use super::stage::Staged;
use super::steps::Steps;
use crate::names::Digest;
use crate::plan::{ImagePlan, Signing};

/// How long a push may be unknown to managed signing; what is not known then has no rule.
const GRACE: Duration = Duration::from_secs(30);

/// How long it may take; it is a matter of seconds.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Between two looks: soon at first.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// What to do after a look.
#[derive(Debug, PartialEq)]
enum Next {
    /// Look again.
    Wait,
    /// All profiles have signed.
    Signed,
    /// There is no use in waiting.
    GiveUp(Unsigned),
}

fn next(signatures: &[Signature], waited: Duration) -> Next {
    let failed = signatures.iter().find(|signature| matches!(signature.state, SigningState::Failed { .. }));
    match failed {
        Some(failed) => Next::GiveUp(Unsigned::Failed(failed.profile.clone())),
        None if signatures.is_empty() && waited >= GRACE => Next::GiveUp(Unsigned::ByNobody),
        None if signatures.is_empty() => Next::Wait,
        None if signatures.iter().all(|signature| signature.state == SigningState::Signed) => Next::Signed,
        None if waited >= TIMEOUT => Next::GiveUp(Unsigned::Late(TIMEOUT)),
        None => Next::Wait,
    }
}

/// Waits for the signatures of all images that must have them; whether all may be released. One that may not lets the
/// others be waited for too, so that everything is told at once.
pub(super) async fn require_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    staged: &[Staged],
    report: &mut Report,
) -> bool {
    let images = steps.plan.images.iter().zip(staged).map(async |(image, staged)| match image.signing {
        Signing::Require => Some(await_signatures(steps, image, &staged.digest).await),
        Signing::Report | Signing::Ignore => None,
    });
    // The wait costs nothing; all images wait at once.
    let results: Vec<_> = stream::iter(images).buffered(steps.plan.images.len().max(1)).collect().await;
    let mut all = true;
    for (told, result) in report.images.iter_mut().zip(results) {
        match result {
            None => {}
            Some(Ok(signatures)) => told.signatures = Some(signatures),
            Some(Err(error)) => {
                told.outcome = Outcome::Failed(error);
                all = false;
            }
        }
    }
    all
}

async fn await_signatures<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    image: &ImagePlan,
    digest: &Digest,
) -> Result<Vec<Signature>, ServiceError> {
    let began = (steps.services.elapsed)();
    let mut pauses = PAUSES.into_iter();
    loop {
        let signatures = steps.own.ecr.signatures(&image.repository, digest).await?;
        let waited = (steps.services.elapsed)().saturating_sub(began);
        match next(&signatures, waited) {
            Next::Signed => {
                let by = signatures.iter().map(|signature| signature.profile.clone()).collect();
                steps.own.say(&image.name, ImageEvent::Signed { by, took: waited });
                return Ok(signatures);
            }
            Next::GiveUp(why) => {
                let cause = signatures.iter().find_map(|signature| signature.state.failure());
                return Err(ServiceError {
                    failure: Failure::NotSigned { repository: image.repository.clone(), why },
                    doing: format!("wait for the signature of {}", digest.short()),
                    cause: cause.unwrap_or_default(),
                });
            }
            Next::Wait => {
                if pauses.len() == PAUSES.len() {
                    steps.own.say(&image.name, ImageEvent::AwaitingSignature);
                }
                tokio::time::sleep(pauses.next().unwrap_or(PAUSES[PAUSES.len() - 1])).await;
            }
        }
    }
}

/// Looks at how far the released images are signed of which that is to be reported. What ECR does not tell is no
/// failure: nothing depends on it.
pub(super) async fn report_all<Eng: Engine, Ctl: Ecr, Reg: Registry>(
    steps: &Steps<'_, Eng, Ctl, Reg>,
    report: &mut Report,
) {
    let images = steps.plan.images.iter().zip(&report.images).map(async |(image, told)| match &told.outcome {
        Outcome::Published(published) if image.signing == Signing::Report => {
            match steps.own.ecr.signatures(&image.repository, &published.digest).await {
                Ok(signatures) => {
                    steps.own.say(&image.name, ImageEvent::Signatures(signatures.clone()));
                    Some(signatures)
                }
                Err(error) => {
                    steps.own.say(&image.name, ImageEvent::SigningUnknown(error.cause));
                    None
                }
            }
        }
        _ => None,
    });
    let results: Vec<_> = stream::iter(images).buffered(steps.plan.images.len().max(1)).collect().await;
    for (told, signatures) in report.images.iter_mut().zip(results).filter(|(_, signatures)| signatures.is_some()) {
        told.signatures = signatures;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(profile: &str, state: SigningState) -> Signature {
        Signature { profile: profile.to_owned(), state }
    }

    #[test]
    fn what_to_do_after_a_look() {
        let at = |signatures: &[Signature], seconds| next(signatures, Duration::from_secs(seconds));
        assert_eq!(at(&[], 29), Next::Wait);
        assert_eq!(at(&[], 30), Next::GiveUp(Unsigned::ByNobody));
        let half = [by("a", SigningState::Signed), by("b", SigningState::UnderWay)];
        assert_eq!(at(&half, 299), Next::Wait);
        assert_eq!(at(&half, 300), Next::GiveUp(Unsigned::Late(TIMEOUT)));
        assert_eq!(at(&half[..1], 300), Next::Signed);
        let failed = [by("a", SigningState::UnderWay), by("b", SigningState::Failed { code: None, reason: None })];
        assert_eq!(at(&failed, 0), Next::GiveUp(Unsigned::Failed("b".to_owned())));
    }
}
