//! Between the phases: every image that is staged is copied to the other registries, none of which gets a release tag
//! before all have all images.

use std::cell::Cell;
use std::time::Duration;

use super::events::{CopyEvent, ImageEvent};
use super::ports::{Credential, Destination, Ecr, Engine, Failure, Registry, ServiceError};
use super::site::Site;
use super::steps::Steps;
use crate::names::{Digest, ImageRef};
use crate::plan::ImagePlan;
use crate::retry::{PUSH, Retry, Verdict, persist};

/// A registry that an image is to come to.
pub(super) struct Place<'a, Ctl, Reg> {
    pub(super) site: &'a Site<'a, Ctl, Reg>,
    /// The name that it gets there.
    name: ImageRef,
}

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Brings one image, the `at`-th of the plan, to the replicas that are not known to have it. `ours` was pushed by this
    /// run.
    pub(super) async fn replicate(&self, at: usize, digest: &Digest, ours: bool) -> Result<(), ServiceError> {
        let image = &self.plan.images[at];
        let lacking = self.plan.replicas.iter().zip(&self.replicas).filter_map(|(replica, site)| {
            let here = &replica.images[at];
            let is_there = here.taken.values().any(|named| named == digest);
            let name = match &here.staging {
                Some(staging) => ImageRef::tagged(site.host, &image.repository, staging),
                None => ImageRef::digested(site.host, &image.repository, digest),
            };
            (!is_there).then_some((Place { site, name }, replica.wait.as_ref()))
        });
        let (mut awaited, mut copied) = (Vec::new(), Vec::new());
        lacking.for_each(|(place, wait)| match wait {
            Some(wait) => awaited.push((place, wait)),
            None => copied.push(place),
        });
        let (left, copied) =
            tokio::join!(self.await_replication(image, digest, ours, awaited), self.copy(image, digest, copied));
        copied?;
        self.copy(image, digest, left?).await
    }

    /// Copies an image to all these places.
    async fn copy<'s>(
        &'s self,
        image: &ImagePlan,
        digest: &Digest,
        mut lacking: Vec<Place<'s, Ctl, Reg>>,
    ) -> Result<(), ServiceError> {
        if lacking.is_empty() {
            return Ok(());
        }
        let began = (self.services.elapsed)();
        let judge = |error: &ServiceError| match error.failure {
            // Repositories that were just made are not known everywhere at once.
            Failure::RepositoryMissing { .. } => Verdict::Passing { after: None },
            ref failure => failure.verdict(),
        };
        let tell = |error: &ServiceError, attempt, wait| {
            let (doing, cause) = (error.doing.clone(), error.cause.clone());
            self.services.retries.note(Retry { doing, cause, attempt, wait });
        };
        persist(&PUSH, judge, tell, async |attempt| {
            if attempt.renew {
                self.own.ecr.forget_credential().await;
                for place in &lacking {
                    place.site.ecr.forget_credential().await;
                }
            }
            let results = self.copy_once(image, digest, &lacking, began).await?;
            let error = results.iter().find_map(|result| result.as_ref().err().cloned());
            let places = std::mem::take(&mut lacking).into_iter().zip(results);
            lacking = places.filter_map(|(place, result)| result.is_err().then_some(place)).collect();
            error.map_or(Ok(()), Err)
        })
        .await
    }

    /// Returns what came of each place, in their order.
    async fn copy_once(
        &self,
        image: &ImagePlan,
        digest: &Digest,
        to: &[Place<'_, Ctl, Reg>],
        began: Duration,
    ) -> Result<Vec<Result<(), ServiceError>>, ServiceError> {
        let source = ImageRef::digested(self.own.host, &image.repository, digest);
        let credential = self.own.ecr.credential().await?;
        let mut credentials: Vec<Credential> = Vec::with_capacity(to.len());
        for place in to {
            credentials.push(place.site.ecr.credential().await?);
        }
        let destinations: Vec<_> = to
            .iter()
            .zip(&credentials)
            .map(|(place, credential)| Destination {
                registry: place.site.registry,
                credential,
                image: place.name.clone(),
                stock: Some(place.site.ecr),
            })
            .collect();
        let sent = Cell::new(0);
        let count = |event| {
            if let CopyEvent::BlobSent(size) = event {
                sent.set(sent.get() + size);
            }
        };
        let results = self.own.registry.copy(&source, &credential, &destinations, &count).await;
        let took = (self.services.elapsed)().saturating_sub(began);
        let mut sent = sent.get();
        for (place, _) in to.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
            let (reference, digest) = (place.name.clone(), digest.clone());
            // All bytes are told of with the first, since they were counted together.
            let sent = std::mem::take(&mut sent);
            self.own.say(&image.name, ImageEvent::Copied { reference, digest, sent, took });
        }
        Ok(results)
    }
}
