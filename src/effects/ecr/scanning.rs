//! When images are scanned: by a repository's own switch, or by the rules of the registry.

use aws_sdk_ecr::types::{
    RegistryScanningRule, ScanFrequency, ScanType, ScanningConfigurationFailureCode, ScanningRepositoryFilter,
    ScanningRepositoryFilterType,
};

use super::EcrClient;
use super::settings::unseen;
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::{Asked, Scanning};
use crate::names::RepositoryName;

impl EcrClient {
    /// When the images of a repository are scanned in effect; nothing where ECR is played by a server that does not
    /// know of scans.
    pub(super) async fn scanning(&self, name: &RepositoryName) -> Option<Asked<Scanning>> {
        match self.effective_scanning(name).await {
            Err(unseen) if unseen.cause.contains("UnknownOperationException") => None,
            asked => Some(asked),
        }
    }

    async fn effective_scanning(&self, name: &RepositoryName) -> Asked<Scanning> {
        let doing = || format!("look at the scanning of `{name}`");
        let call = self.sdk.batch_get_repository_scanning_configuration().repository_names(name.as_str());
        let rules = self.sdk.get_registry_scanning_configuration();
        let asked = doing();
        let (answer, registry) = tokio::join!(
            self.ask(&asked, async |_| call.clone().send().await),
            self.ask(&asked, async |_| rules.clone().send().await)
        );
        let action = "ecr:BatchGetRepositoryScanningConfiguration";
        let answer = answer.map_err(|error| unseen(action, &self.failed(doing(), Some(name), &error)))?;
        // Without the registry's word a repository's own switch is taken to count.
        let registry = registry.ok().and_then(|answer| answer.scanning_configuration);
        let enhanced = registry.is_some_and(|found| found.scan_type() == Some(&ScanType::Enhanced));
        let Some(found) = answer.scanning_configurations().first() else {
            let codes = answer.failures().iter().filter_map(|failure| failure.failure_code());
            let code = codes.map(ScanningConfigurationFailureCode::as_str).next().unwrap_or("no answer");
            let cause = code.to_owned();
            return Err(unseen(action, &ServiceError { failure: Failure::Unexpected, doing: doing(), cause }));
        };
        Ok(Scanning {
            frequency: found.scan_frequency().map_or("MANUAL", ScanFrequency::as_str).to_owned(),
            filters: found.applied_scan_filters().iter().map(|filter| filter.filter().to_owned()).collect(),
            enhanced,
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
