//! Where images are replicated to: the registry's replication configuration. Source: ECR user guide, "Private image
//! replication", and the API model.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::local::refusal::{Kind, Refusal};
use crate::names::{AccountId, Region, RepositoryName};

/// The most rules of a registry, and the most destinations of all rules together. Source: ECR API model; ECR user
/// guide, "Service quotas".
const MAX_RULES: usize = 25;
const MAX_DESTINATIONS: usize = 25;
/// The most filters of a rule. Source: the same.
const MAX_FILTERS: usize = 100;

/// The registry of one account in one region, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// The region.
    pub region: Region,
    /// The account, which is the registry's id.
    pub registry_id: AccountId,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry_id, self.region)
    }
}

/// One filter as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// What the repository's name begins with.
    pub filter: String,
    /// `PREFIX_MATCH` is the only one there is.
    pub filter_type: String,
}

/// Whether deletions are replicated too; they are not, it is remembered only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteReplication {
    enabled: bool,
}

/// One rule as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Where to.
    pub destinations: Vec<Destination>,
    /// Which repositories; all, if there is no filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repository_filters: Vec<Filter>,
    /// See [`DeleteReplication`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_replication: Option<DeleteReplication>,
}

impl Rule {
    fn is_for(&self, repository: &RepositoryName) -> bool {
        let begins = |filter: &Filter| repository.as_str().starts_with(&filter.filter);
        self.repository_filters.is_empty() || self.repository_filters.iter().any(begins)
    }
}

/// The configuration as it goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// The rules; none replicates nothing.
    pub rules: Vec<Rule>,
}

impl Replication {
    /// Refuses what ECR would refuse from the registry at `own`.
    pub fn check(&self, own: &Destination) -> Result<(), Refusal> {
        let length =
            |name, most| Refusal::parameter(name, format_args!("Member must have length between 0 and {most}"));
        if self.rules.len() > MAX_RULES {
            return Err(length("rules", MAX_RULES));
        }
        let all: BTreeSet<&Destination> = self.rules.iter().flat_map(|rule| &rule.destinations).collect();
        if all.len() > MAX_DESTINATIONS {
            return Err(length("destinations", MAX_DESTINATIONS));
        }
        if all.contains(own) {
            let message = "Invalid replication configuration: a destination is the registry itself";
            return Err(Refusal::new(Kind::InvalidParameter, message));
        }
        for rule in &self.rules {
            if rule.destinations.is_empty() {
                return Err(Refusal::parameter("destinations", "Member must have length greater than or equal to 1"));
            }
            if rule.repository_filters.len() > MAX_FILTERS {
                return Err(length("repositoryFilters", MAX_FILTERS));
            }
            if rule.repository_filters.iter().any(|filter| filter.filter_type != "PREFIX_MATCH") {
                return Err(Refusal::parameter("filterType", "Member must satisfy enum value set: [PREFIX_MATCH]"));
            }
        }
        Ok(())
    }

    /// Where images of a repository go, each place once.
    pub fn of(&self, repository: &RepositoryName) -> BTreeSet<Destination> {
        let rules = self.rules.iter().filter(|rule| rule.is_for(repository));
        rules.flat_map(|rule| &rule.destinations).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(region: &str) -> Destination {
        Destination { region: region.parse().unwrap(), registry_id: AccountId::example() }
    }

    fn rule(regions: &[&str], prefixes: &[&str]) -> Rule {
        let filter = |prefix: &&str| Filter { filter: (*prefix).into(), filter_type: "PREFIX_MATCH".into() };
        Rule {
            destinations: regions.iter().map(|region| to(region)).collect(),
            repository_filters: prefixes.iter().map(filter).collect(),
            delete_replication: None,
        }
    }

    #[test]
    fn a_filter_is_what_the_name_begins_with() {
        let all = Replication { rules: vec![rule(&["eu-west-1"], &["shop", "tools/"]), rule(&["us-west-2"], &[])] };
        let of = |name: &str| all.of(&name.parse().unwrap()).into_iter().collect::<Vec<_>>();
        assert_eq!(of("shop/web"), [to("eu-west-1"), to("us-west-2")]);
        assert_eq!(of("shopping"), [to("eu-west-1"), to("us-west-2")]);
        assert_eq!(of("a-shop"), [to("us-west-2")]);
    }

    #[test]
    fn the_registry_itself_is_no_destination() {
        let one = Replication { rules: vec![rule(&["eu-west-1"], &[])] };
        assert!(one.check(&to("us-east-1")).is_ok());
        assert!(one.check(&to("eu-west-1")).is_err());
        let none = Replication { rules: vec![rule(&[], &[])] };
        assert!(none.check(&to("us-east-1")).is_err());
    }
}
