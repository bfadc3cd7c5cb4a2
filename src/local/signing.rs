//! Which images are signed as they are pushed, and how far that is. Source: ECR user guide, "Managed signing", and the
//! API model.
//!
//! No signature is made: it is only told of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use serde::{Deserialize, Serialize};

use crate::local::ecr::Ecr;
use crate::local::faults::Verdict;
use crate::local::later::{Later, Waiting};
use crate::local::log::Entry;
use crate::local::operation::Operation;
use crate::local::refusal::Refusal;
use crate::local::wildcard;
use crate::names::{Digest, RepositoryName};

/// The most rules of a registry, and the most filters of a rule. Source: ECR API model.
const MAX_RULES: usize = 10;
const MAX_FILTERS: usize = 100;

/// What ECR asks of AWS Signer, with the permissions of whoever pushes.
const OPERATION: &str = "signer:SignPayload";

/// One filter as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The repository's name, where `*` stands for any run of characters.
    pub filter: String,
    /// `WILDCARD_MATCH` is the only one there is.
    pub filter_type: String,
}

/// One rule as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Who signs.
    pub signing_profile_arn: String,
    /// Which repositories; all, if there is no filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repository_filters: Vec<Filter>,
}

/// The configuration as it goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// The rules; none signs nothing.
    pub rules: Vec<Rule>,
}

impl Signing {
    /// Refuses what ECR would refuse.
    pub fn check(&self) -> Result<(), Refusal> {
        let length =
            |name, most| Refusal::parameter(name, format_args!("Member must have length between 0 and {most}"));
        if self.rules.len() > MAX_RULES {
            return Err(length("rules", MAX_RULES));
        }
        for rule in &self.rules {
            if rule.repository_filters.len() > MAX_FILTERS {
                return Err(length("repositoryFilters", MAX_FILTERS));
            }
            if rule.repository_filters.iter().any(|filter| filter.filter_type != "WILDCARD_MATCH") {
                return Err(Refusal::parameter("filterType", "Member must satisfy enum value set: [WILDCARD_MATCH]"));
            }
            if !is_profile(&rule.signing_profile_arn) {
                let pattern = "Member must satisfy regular expression pattern: \
                               ^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\\/signing-profiles\\/[a-zA-Z0-9_]{2,}$";
                return Err(Refusal::parameter("signingProfileArn", pattern));
            }
        }
        Ok(())
    }

    /// Who signs what is pushed to a repository, each profile once.
    pub fn of(&self, repository: &RepositoryName) -> Vec<String> {
        let is_for = |rule: &&Rule| {
            let mut filters = rule.repository_filters.iter();
            filters.len() == 0 || filters.any(|filter| wildcard::matches(&filter.filter, repository.as_str()))
        };
        let mut profiles: Vec<String> =
            self.rules.iter().filter(is_for).map(|rule| rule.signing_profile_arn.clone()).collect();
        profiles.sort();
        profiles.dedup();
        profiles
    }
}

fn is_profile(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "signer", region, account, resource] = parts.as_slice() else { return false };
    let name = resource.strip_prefix("/signing-profiles/").unwrap_or_default();
    partition.starts_with("aws")
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.len() >= 2
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How far one profile is with an image, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Who signs.
    pub signing_profile_arn: String,
    /// `IN_PROGRESS`, `COMPLETE` or `FAILED`.
    pub status: &'static str,
    /// Why it failed. ECR's codes are not documented; these are AWS Signer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<&'static str>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<&'static str>,
}

/// An image that is to be signed.
pub struct Errand {
    repository: RepositoryName,
    digest: Digest,
    profile: String,
}

/// Signs what is pushed, and knows how far that is; gone with the server.
pub struct Signer {
    errands: Later<Errand>,
    statuses: Mutex<BTreeMap<(RepositoryName, Digest), Vec<Status>>>,
}

impl Signer {
    /// Begins with nothing signed.
    pub fn new() -> (Self, Waiting<Errand>) {
        let (errands, waiting) = Later::new();
        (Signer { errands, statuses: Mutex::default() }, waiting)
    }

    /// How far each profile is with an image.
    pub fn statuses(&self, repository: &RepositoryName, digest: &Digest) -> Vec<Status> {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        statuses.get(&(repository.clone(), digest.clone())).cloned().unwrap_or_default()
    }

    /// An image was pushed to a repository for which these profiles sign. What is signed stays so.
    pub fn pushed(&self, repository: &RepositoryName, digest: &Digest, profiles: Vec<String>) {
        let known = self.statuses(repository, digest);
        let is_good = |profile: &String| {
            known.iter().any(|status| status.signing_profile_arn == *profile && status.status != "FAILED")
        };
        for profile in profiles.into_iter().filter(|profile| !is_good(profile)) {
            self.note(repository, digest, &profile, "IN_PROGRESS", None);
            let (repository, digest) = (repository.clone(), digest.clone());
            self.errands.leave(Errand { repository, digest, profile });
        }
    }

    fn note(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        profile: &str,
        status: &'static str,
        failure: Option<(&'static str, &'static str)>,
    ) {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let of_image = statuses.entry((repository.clone(), digest.clone())).or_default();
        of_image.retain(|status| status.signing_profile_arn != profile);
        of_image.push(Status {
            signing_profile_arn: profile.to_owned(),
            status,
            failure_code: failure.map(|(code, _)| code),
            failure_reason: failure.map(|(_, reason)| reason),
        });
    }
}

/// Signs an image, where faults may strike, and notes what came of it.
pub async fn sign(ecr: Arc<Ecr>, errand: Errand) {
    let operation = Operation {
        name: OPERATION.to_owned(),
        repository: Some(errand.repository.to_string()),
        reference: Some(errand.digest.to_string()),
    };
    let at = ecr.clock.now().seconds();
    let struck = ecr.faults.strike(&operation);
    let failure = match struck.before(&ecr, &operation, Request::new(Body::empty())).await {
        Ok(Verdict::GoOn(_)) => None,
        Ok(Verdict::Answer(response)) if response.status().as_u16() == 403 => {
            Some(("AccessDeniedException", "User is not authorized to perform: signer:SignPayload"))
        }
        Ok(Verdict::Answer(_)) | Err(_) => Some(("InternalServiceErrorException", "The signing job failed")),
    };
    let status = if failure.is_none() { "COMPLETE" } else { "FAILED" };
    ecr.signer.note(&errand.repository, &errand.digest, &errand.profile, status, failure);
    if let Some(log) = &ecr.log {
        let status = Some(if failure.is_none() { 200 } else { 400 });
        let (registry, faults) = (ecr.named_in_log(), struck.words());
        log.write(&Entry { at, registry, operation, status, faults, received_bytes: None, sent_bytes: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(profile: &str, filters: &[&str]) -> Rule {
        let filter = |text: &&str| Filter { filter: (*text).into(), filter_type: "WILDCARD_MATCH".into() };
        Rule {
            signing_profile_arn: format!("arn:aws:signer:us-east-1:123456789012:/signing-profiles/{profile}"),
            repository_filters: filters.iter().map(filter).collect(),
        }
    }

    #[test]
    fn who_signs_what() {
        let signing = Signing {
            rules: vec![rule("all", &[]), rule("prod", &["*/production", "prod*"]), rule("all", &["shop/*"])],
        };
        let of = |name: &str| -> Vec<String> {
            let profiles = signing.of(&name.parse().unwrap());
            profiles.iter().filter_map(|arn| Some(arn.rsplit_once('/')?.1.to_owned())).collect()
        };
        assert_eq!(of("shop/web"), ["all"]);
        assert_eq!(of("shop/production"), ["all", "prod"]);
        assert_eq!(of("product"), ["all", "prod"]);
    }

    #[test]
    fn what_is_refused() {
        assert!(Signing { rules: vec![rule("all", &["*"])] }.check().is_ok());
        assert!(Signing { rules: vec![rule("a", &[])] }.check().is_err());
        assert!(Signing { rules: vec![rule("no-dash", &[])] }.check().is_err());
        assert!(Signing { rules: vec![rule("all", &[]); 11] }.check().is_err());
        let mut other = rule("all", &["*"]);
        other.repository_filters[0].filter_type = "PREFIX_MATCH".to_owned();
        assert!(Signing { rules: vec![other] }.check().is_err());
    }
}
