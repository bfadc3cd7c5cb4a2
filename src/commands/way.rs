//! The way to one registry.

use super::World;
use super::registry::{AllWanted, Lookout};
use super::target::{self, Target};
use crate::effects::ecr::EcrClient;
use crate::effects::registry::RegistryClient;
use crate::execute::ports::ServiceError;
use crate::facts::{RegistryFacts, ReplicationRule};
use crate::names::RegistryHost;
use crate::pipeline::{Registry, Replica};
use crate::plan::ReplicaSight;

/// The way to one registry: its control plane, and itself.
pub(super) struct Way {
    pub(super) host: RegistryHost,
    pub(super) ecr: EcrClient,
    pub(super) registry: RegistryClient,
}

impl Way {
    pub(super) fn to(target: Target, world: &World) -> Result<Self, ServiceError> {
        let registry = client(&target.host, world)?;
        Ok(Way { host: target.host, ecr: target.ecr, registry })
    }

    /// What was seen of it as a replica that was asked for.
    pub(super) fn seen<'a>(
        &'a self,
        asked: &'a Replica,
        seen: &'a RegistryFacts,
        registry: &Registry,
        own: &Way,
    ) -> ReplicaSight<'a> {
        let wait = target::wait(asked, (&self.host, &self.ecr), registry, &own.host);
        ReplicaSight { registry: &self.host, seen, wait, place: asked.place.as_ref() }
    }

    /// What a plan has to know of the registry; of its replication only where that is waited for.
    pub(super) async fn look(&self, wanted: &AllWanted, registry: &Registry) -> Result<RegistryFacts, ServiceError> {
        let lookout = self.lookout();
        let (seen, replication) = tokio::try_join!(lookout.look(wanted), replication(&self.ecr, registry))?;
        Ok(RegistryFacts { replication, ..seen })
    }

    pub(super) fn lookout(&self) -> Lookout<'_> {
        Lookout { host: &self.host, ecr: &self.ecr, registry: &self.registry }
    }
}

pub(super) fn client(host: &RegistryHost, world: &World) -> Result<RegistryClient, ServiceError> {
    RegistryClient::new(host, &world.variables, &world.retries)
}

/// The rules of the registry's own replication, where that is waited for.
pub(super) async fn replication(
    ecr: &EcrClient,
    registry: &Registry,
) -> Result<Option<Vec<ReplicationRule>>, ServiceError> {
    match registry.replicas.iter().any(|replica| replica.wait.is_some()) {
        true => ecr.replication_rules().await,
        false => Ok(None),
    }
}
