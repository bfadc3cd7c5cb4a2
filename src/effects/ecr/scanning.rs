//! When images are scanned: by a repository's own switch, or by the rules of the registry.

use aws_sdk_ecr::types::{
    RegistryScanningRule, RepositoryScanningConfiguration, ScanFrequency, ScanType, ScanningConfigurationFailureCode,
    ScanningRepositoryFilter, ScanningRepositoryFilterType,
};

use super::EcrClient;
use super::settings::unseen;
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::{Asked, Scanning};
use crate::names::RepositoryName;
use crate::scan::{self, Frequency, Kind};

/// What is configured, each part as far as the credentials allow to know it.
struct Configured {
    /// Who scans.
    registry: Result<Option<ScanType>, ServiceError>,
    /// What is in effect for the repository, or ECR's reason why there is nothing.
    repository: Result<Result<RepositoryScanningConfiguration, String>, ServiceError>,
}

impl EcrClient {
    async fn configured(&self, name: &RepositoryName) -> Configured {
        let of_registry = "get the scanning configuration of the registry";
        let of_repository = format!("get the scanning configuration of `{name}`");
        let registry = self.sdk.get_registry_scanning_configuration();
        let repository = self.sdk.batch_get_repository_scanning_configuration().repository_names(name.as_str());
        let (registry, repository) = tokio::join!(
            self.ask(of_registry, async |_| registry.clone().send().await),
            self.ask(&of_repository, async |_| repository.clone().send().await)
        );
        let registry = registry.map_err(|error| self.failed(of_registry, None, &error));
        let repository = repository.map_err(|error| self.failed(of_repository, Some(name), &error));
        Configured {
            registry: registry.map(|answer| answer.scanning_configuration?.scan_type),
            repository: repository.map(|answer| {
                let code = answer.failures().iter().find_map(|failure| failure.failure_code().cloned());
                let found = answer.scanning_configurations.unwrap_or_default().into_iter().next();
                found.ok_or_else(|| {
                    code.as_ref().map_or("no answer", ScanningConfigurationFailureCode::as_str).to_owned()
                })
            }),
        }
    }

    /// When the images of a repository are scanned in effect; nothing where ECR is played by a server that does not
    /// know of scans.
    pub(super) async fn scanning(&self, name: &RepositoryName) -> Option<Asked<Scanning>> {
        let action = "ecr:BatchGetRepositoryScanningConfiguration";
        let configured = self.configured(name).await;
        // Without the registry's word a repository's own switch is taken to count.
        let enhanced = configured.registry.is_ok_and(|kind| kind == Some(ScanType::Enhanced));
        let found = match configured.repository {
            Ok(Ok(found)) => found,
            Ok(Err(cause)) => {
                let doing = format!("get the scanning configuration of `{name}`");
                let error = ServiceError { failure: Failure::Unexpected, doing, cause };
                return Some(Err(unseen(action, &error)));
            }
            Err(error) => {
                let unseen = unseen(action, &error);
                return (!unseen.cause.contains("UnknownOperationException")).then_some(Err(unseen));
            }
        };
        Some(Ok(Scanning {
            frequency: found.scan_frequency().map_or("MANUAL", ScanFrequency::as_str).to_owned(),
            filters: found.applied_scan_filters().iter().map(|filter| filter.filter().to_owned()).collect(),
            enhanced,
        }))
    }

    /// What a gate has to know of a repository. What the credentials do not allow to know stays open, for roles that may
    /// only push and read findings are common.
    pub(super) async fn scanning_for_gate(&self, name: &RepositoryName) -> Result<scan::Scanning, ServiceError> {
        let configured = self.configured(name).await;
        let kind = unless_denied(configured.registry)?.flatten();
        let found = unless_denied(configured.repository)?.and_then(Result::ok);
        Ok(scan::Scanning {
            kind: kind.and_then(|kind| match kind {
                ScanType::Basic => Some(Kind::Basic),
                ScanType::Enhanced => Some(Kind::Enhanced),
                _ => None,
            }),
            frequency: found.as_ref().and_then(|found| found.scan_frequency()).and_then(|frequency| match frequency {
                ScanFrequency::ScanOnPush => Some(Frequency::OnPush),
                ScanFrequency::ContinuousScan => Some(Frequency::Continuous),
                ScanFrequency::Manual => Some(Frequency::Manual),
                _ => None,
            }),
        })
    }

    /// Adds a filter for a repository to the registry's rule for scans on push, or such a rule. What else the
    /// configuration says stays, although the call replaces all of it.
    pub(super) async fn add_scanning_rule(&self, name: &RepositoryName) -> Result<(), ServiceError> {
        let doing = || format!("add `{name}` to the registry's scanning configuration");
        let rules = self.sdk.get_registry_scanning_configuration();
        let answer = self.ask(&doing(), async |_| rules.clone().send().await).await;
        let now = answer.map_err(|error| self.failed(doing(), None, &error))?.scanning_configuration;
        let kind = now.as_ref().and_then(|now| now.scan_type().cloned()).unwrap_or(ScanType::Basic);
        let malformed = |cause: String| ServiceError { failure: Failure::Unexpected, doing: doing(), cause };
        let filter = ScanningRepositoryFilter::builder()
            .filter(name.as_str())
            .filter_type(ScanningRepositoryFilterType::Wildcard)
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        let mut rules: Vec<RegistryScanningRule> = now.map(|now| now.rules().to_vec()).unwrap_or_default();
        match rules.iter_mut().find(|rule| *rule.scan_frequency() == ScanFrequency::ScanOnPush) {
            Some(rule) => rule.repository_filters.push(filter),
            None => rules.push(
                RegistryScanningRule::builder()
                    .scan_frequency(ScanFrequency::ScanOnPush)
                    .repository_filters(filter)
                    .build()
                    .map_err(|error| malformed(error.to_string()))?,
            ),
        }
        let call = self.sdk.put_registry_scanning_configuration().scan_type(kind).set_rules(Some(rules));
        let put = self.ask(&doing(), async |_| call.clone().send().await).await;
        put.map(|_| ()).map_err(|error| self.failed(doing(), None, &error))
    }
}

fn unless_denied<T>(result: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.failure, Failure::Denied { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
