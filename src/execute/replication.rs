//! Between the phases, where ECR itself replicates: waits until it says that an image is where it should be.
//!
//! ECR replicates what is pushed while a rule is for it, tags that are written later among them; what was there before
//! the rule it leaves where it is, and what failed once it does not try again. Source: ECR user guide, "Private image
//! replication". Such images are copied, so that a run that is repeated comes to its end.

use std::time::Duration;

use super::events::ImageEvent;
use super::ports::{Ecr, Engine, Failure, Hitch, Progress, Registry, Replication, ServiceError};
use super::replicate::Place;
use super::steps::Steps;
use crate::names::{Digest, ImageRef};
use crate::plan::{ImagePlan, Wait};

/// How long a push may be unknown to ECR's replication; what is not known then has no rule.
const GRACE: Duration = Duration::from_secs(30);

/// Between two looks: soon at first.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// What to do about one destination after a look.
#[derive(Debug, PartialEq)]
enum Next {
    /// Look again.
    Wait,
    /// It is there.
    There,
    /// ECR will not bring it by itself, for this reason.
    Copy(String),
    /// There is no use in waiting.
    GiveUp(Hitch),
}

/// Decides; `ours` was pushed by this run, and `waited` is the time since then.
fn next(progress: Option<&Progress>, ours: bool, waited: Duration, wait: &Wait) -> Next {
    match progress {
        Some(Progress::Done) => Next::There,
        Some(Progress::Failed(code)) if ours => Next::GiveUp(Hitch::Failed(code.clone())),
        Some(Progress::Failed(code)) => {
            let code = code.as_ref().map_or(String::new(), |code| format!(" with {code}"));
            Next::Copy(format!("its replication by ECR failed before{code}"))
        }
        None if !ours => Next::Copy("ECR does not replicate what was there before the rule".to_owned()),
        None if waited >= GRACE.min(wait.timeout) => Next::GiveUp(Hitch::NoWay),
        Some(Progress::UnderWay) if waited >= wait.timeout => Next::GiveUp(Hitch::Late(wait.timeout)),
        Some(Progress::UnderWay) | None => Next::Wait,
    }
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Waits until ECR has brought an image to all these places; returns those that it must be copied to.
    pub(super) async fn await_replication<'s>(
        &self,
        image: &ImagePlan,
        digest: &Digest,
        ours: bool,
        places: Vec<(Place<'s, Ctl, Reg>, &Wait)>,
    ) -> Result<Vec<Place<'s, Ctl, Reg>>, ServiceError> {
        let began = (self.services.elapsed)();
        let (mut left, mut to_copy) = (Vec::with_capacity(places.len()), Vec::new());
        for (place, wait) in places {
            if ours || !is_there(image, digest, &place).await? {
                self.own.say(&image.name, ImageEvent::AwaitingReplication { registry: place.site.host.clone() });
                left.push((place, wait));
            }
        }
        for look in 0.. {
            if left.is_empty() {
                break;
            }
            let known = self.own.ecr.replications(&image.repository, digest).await?;
            let waited = (self.services.elapsed)().saturating_sub(began);
            let mut waiting = Vec::with_capacity(left.len());
            for (place, wait) in left {
                match next(progress(&known, wait), ours, waited, wait) {
                    Next::Wait => waiting.push((place, wait)),
                    Next::There if is_there(image, digest, &place).await? => {
                        let registry = place.site.host.clone();
                        let event = ImageEvent::Replicated { registry, digest: digest.clone(), took: waited };
                        self.own.say(&image.name, event);
                    }
                    // A policy of the destination's, or somebody, has removed it; or it is just not seen yet.
                    Next::There if ours && waited < wait.timeout => waiting.push((place, wait)),
                    Next::There => to_copy.push((place, "it was removed there".to_owned())),
                    Next::Copy(why) => to_copy.push((place, why)),
                    Next::GiveUp(hitch) => return Err(given_up(image, digest, wait, hitch)),
                }
            }
            left = waiting;
            if !left.is_empty() {
                tokio::time::sleep(PAUSES[PAUSES.len().min(look + 1) - 1]).await;
            }
        }
        let to_copy = to_copy.into_iter().map(|(place, why)| {
            let registry = place.site.host.clone();
            self.own.say(&image.name, ImageEvent::NotReplicated { registry, why });
            place
        });
        Ok(to_copy.collect())
    }
}

async fn is_there<Ctl: Ecr, Reg: Registry>(
    image: &ImagePlan,
    digest: &Digest,
    place: &Place<'_, Ctl, Reg>,
) -> Result<bool, ServiceError> {
    let name = ImageRef::digested(place.site.host, &image.repository, digest);
    match place.site.digest(&name).await {
        // ECR makes the repository with the first image.
        Err(error) if matches!(error.failure, Failure::RepositoryMissing { .. }) => Ok(false),
        found => Ok(found?.is_some()),
    }
}

fn progress<'a>(known: &'a [Replication], wait: &Wait) -> Option<&'a Progress> {
    let is_meant = |way: &&Replication| {
        way.region == wait.region.as_str()
            && wait.account.as_ref().is_none_or(|account| way.account == account.as_str())
    };
    known.iter().find(is_meant).map(|way| &way.progress)
}

fn given_up(image: &ImagePlan, digest: &Digest, wait: &Wait, hitch: Hitch) -> ServiceError {
    ServiceError {
        failure: Failure::NotReplicated { repository: image.repository.clone(), to: wait.to_string(), hitch },
        doing: format!("wait for the replication of {}", digest.short()),
        cause: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_after_a_look() {
        let wait = Wait { account: None, region: "eu-west-1".parse().unwrap(), timeout: Duration::from_secs(600) };
        let at = |progress: Option<Progress>, ours, seconds| {
            next(progress.as_ref(), ours, Duration::from_secs(seconds), &wait)
        };
        assert_eq!(at(Some(Progress::UnderWay), true, 599), Next::Wait);
        assert_eq!(at(Some(Progress::UnderWay), false, 600), Next::GiveUp(Hitch::Late(wait.timeout)));
        assert_eq!(at(Some(Progress::Done), true, 600), Next::There);
        assert_eq!(at(None, true, 29), Next::Wait);
        assert_eq!(at(None, true, 30), Next::GiveUp(Hitch::NoWay));
        assert!(matches!(at(None, false, 0), Next::Copy(_)));
        let failed = || Some(Progress::Failed(Some("X".into())));
        assert_eq!(at(failed(), true, 0), Next::GiveUp(Hitch::Failed(Some("X".into()))));
        assert_eq!(at(failed(), false, 0), Next::Copy("its replication by ECR failed before with X".into()));
    }

    #[test]
    fn a_destination_is_its_region_and_its_account() {
        let way = |region: &str, account: &str, progress| Replication {
            region: region.into(),
            account: account.into(),
            progress,
        };
        let known = [
            way("eu-west-1", "210987654321", Progress::UnderWay),
            way("eu-west-1", "123456789012", Progress::Done),
            way("us-west-2", "123456789012", Progress::Failed(None)),
        ];
        let wait = |account: Option<&str>, region: &str| Wait {
            account: account.map(|account| account.parse().unwrap()),
            region: region.parse().unwrap(),
            timeout: Duration::ZERO,
        };
        assert_eq!(progress(&known, &wait(Some("123456789012"), "eu-west-1")), Some(&Progress::Done));
        assert_eq!(progress(&known, &wait(None, "us-west-2")), Some(&Progress::Failed(None)));
        assert_eq!(progress(&known, &wait(Some("210987654321"), "us-west-2")), None);
    }
}
