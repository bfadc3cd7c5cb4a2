//! Layers, many at a time.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::Ordering;

use aws_sdk_ecr::types::LayerAvailability;
use futures_util::stream::{self, StreamExt as _};

use super::EcrClient;
use crate::execute::ports::Stock;
use crate::names::{Digest, RepositoryName};

/// The most digests that one BatchCheckLayerAvailability takes. Source: ECR API reference, "BatchCheckLayerAvailability".
const BATCH: usize = 100;

/// With fewer, the registry is asked for each: what this call does not know to be there is asked for once more.
const FEWEST: usize = 3;

/// How many calls are under way at once.
const CONCURRENCY: usize = 10;

impl Stock for EcrClient {
    fn there<'a>(
        &'a self,
        repository: &'a RepositoryName,
        digests: &'a [Digest],
    ) -> Pin<Box<dyn Future<Output = BTreeSet<Digest>> + 'a>> {
        Box::pin(async move {
            if digests.len() < FEWEST {
                return BTreeSet::new();
            }
            let batches = stream::iter(digests.chunks(BATCH)).map(|batch| self.available(repository, batch));
            batches.buffer_unordered(CONCURRENCY).concat().await.into_iter().collect()
        })
    }
}

impl EcrClient {
    /// Those of these layers that ECR calls available. Where it does not answer, which is where the credentials allow pushes
    /// by the registry's own protocol only, or a stand-in knows no such call, it is not asked again.
    async fn available(&self, repository: &RepositoryName, digests: &[Digest]) -> Vec<Digest> {
        if self.is_mute.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let call = self.sdk.batch_check_layer_availability().set_registry_id(self.registry_id());
        let call = call.repository_name(repository.as_str());
        let call = call.set_layer_digests(Some(digests.iter().map(ToString::to_string).collect()));
        let Ok(answer) = self.ask_once(async || call.send().await).await else {
            self.is_mute.store(true, Ordering::Relaxed);
            return Vec::new();
        };
        let available =
            answer.layers().iter().filter(|layer| layer.layer_availability() == Some(&LayerAvailability::Available));
        available.filter_map(|layer| layer.layer_digest()?.parse().ok()).collect()
    }
}
