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

impl<Eng: Engine, Ctl: Ecr, Reg: Registry> Steps<'_, Eng, Ctl, Reg> {
    /// Copies one image, the `at`-th of the plan, to the replicas that are not known to have it.
    pub(super) async fn replicate(&self, at: usize, digest: &Digest) -> Result<(), ServiceError> {
        let image = &self.plan.images[at];
        let lacking = self.plan.replicas.iter().zip(&self.replicas).filter_map(|(replica, site)| {
            let here = &replica.images[at];
            let is_there = here.taken.values().any(|named| named == digest);
            let name = match &here.staging {
                Some(staging) => ImageRef::tagged(site.host, &image.repository, staging),
                None => ImageRef::digested(site.host, &image.repository, digest),
            };
            (!is_there).then_some((site, name))
        });
        let mut lacking: Vec<_> = lacking.collect();
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
                for (site, _) in &lacking {
                    site.ecr.forget_credential().await;
                }
            }
            let failed = self.copy_once(image, digest, &lacking, began).await?;
            let error = failed.first().map(|(_, error)| error.clone());
            lacking = failed.into_iter().map(|(to, _)| to).collect();
            error.map_or(Ok(()), Err)
        })
        .await
    }

    /// Returns those that the image did not come to, and why.
    async fn copy_once<'s>(
        &self,
        image: &ImagePlan,
        digest: &Digest,
        to: &[(&'s Site<'s, Ctl, Reg>, ImageRef)],
        began: Duration,
    ) -> Result<Vec<((&'s Site<'s, Ctl, Reg>, ImageRef), ServiceError)>, ServiceError> {
        let source = ImageRef::digested(self.own.host, &image.repository, digest);
        let credential = self.own.ecr.credential().await?;
        let mut credentials: Vec<Credential> = Vec::with_capacity(to.len());
        for (site, _) in to {
            credentials.push(site.ecr.credential().await?);
        }
        let destinations: Vec<_> = to
            .iter()
            .zip(&credentials)
            .map(|((site, name), credential)| Destination { registry: site.registry, credential, image: name.clone() })
            .collect();
        let sent = Cell::new(0);
        let count = |event| {
            if let CopyEvent::BlobSent(size) = event {
                sent.set(sent.get() + size);
            }
        };
        let results = self.own.registry.copy(&source, &credential, &destinations, &count).await;
        let took = (self.services.elapsed)().saturating_sub(began);
        let mut failed = Vec::new();
        let mut sent = sent.get();
        for ((site, name), result) in to.iter().zip(results) {
            match result {
                // All bytes are told of with the first, since they were counted together.
                Ok(()) => self.own.say(
                    &image.name,
                    ImageEvent::Copied {
                        reference: name.clone(),
                        digest: digest.clone(),
                        sent: std::mem::take(&mut sent),
                        took,
                    },
                ),
                Err(error) => failed.push(((*site, name.clone()), error)),
            }
        }
        Ok(failed)
    }
}
