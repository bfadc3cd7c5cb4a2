//! Which repositories are scanned when: the registry's scanning configuration.

use serde::{Deserialize, Serialize};

use crate::local::refusal::{Kind, Refusal};
use crate::local::store::RepositorySettings;
use crate::local::wildcard;

/// The most rules of a registry, and the most filters of a rule. Source: ECR API model.
const MAX_RULES: usize = 2;
const MAX_FILTERS: usize = 100;

/// Who scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ScanType {
    /// ECR itself.
    #[default]
    Basic,
    /// Amazon Inspector.
    Enhanced,
}

/// When images are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Frequency {
    /// As they come.
    ScanOnPush,
    /// As they come, and whenever something new is known.
    ContinuousScan,
    /// When somebody asks.
    Manual,
}

/// One filter as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// A part of the repository's name, or a pattern with `*`.
    pub filter: String,
    /// `WILDCARD` is the only one there is.
    pub filter_type: String,
}

/// One rule as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// When.
    pub scan_frequency: Frequency,
    /// Which repositories.
    pub repository_filters: Vec<Filter>,
}

/// The configuration as it goes over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scanning {
    /// Who scans.
    pub scan_type: ScanType,
    /// Which repositories when; what no rule matches is scanned when somebody asks, or by Inspector not at all.
    pub rules: Vec<Rule>,
}

/// What holds for one repository.
#[derive(Debug, PartialEq, Eq)]
pub struct Effective {
    /// When its images are scanned.
    pub frequency: Frequency,
    /// The filters that made it so.
    pub filters: Vec<Filter>,
}

impl Scanning {
    /// Refuses what ECR would refuse. Source: ECR user guide, "Image scanning", and the API model.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.rules.len() > MAX_RULES {
            return Err(Refusal::parameter("rules", format_args!("Member must have length between 0 and {MAX_RULES}")));
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let fits = match self.scan_type {
                ScanType::Basic => rule.scan_frequency != Frequency::ContinuousScan,
                ScanType::Enhanced => rule.scan_frequency != Frequency::Manual,
            };
            if !fits {
                return Err(Refusal::parameter("scanFrequency", "is not supported for this scan type"));
            }
            if self.rules[..at].iter().any(|other| other.scan_frequency == rule.scan_frequency) {
                return Err(Refusal::parameter("rules", "must not have two rules of one scan frequency"));
            }
            if rule.repository_filters.len() > MAX_FILTERS {
                let constraint = format!("Member must have length between 0 and {MAX_FILTERS}");
                return Err(Refusal::parameter("repositoryFilters", constraint));
            }
            rule.repository_filters.iter().try_for_each(check_filter)?;
        }
        Ok(())
    }

    /// What holds for a repository. Its own flag counts for ECR's scans only; where two rules match, the continuous one
    /// wins.
    pub fn effective(&self, repository: &RepositorySettings) -> Effective {
        let matching = |frequency: Frequency| -> Vec<Filter> {
            let rules = self.rules.iter().filter(|rule| rule.scan_frequency == frequency);
            let filters = rules.flat_map(|rule| &rule.repository_filters);
            filters.filter(|filter| matches(&filter.filter, repository.name.as_str())).cloned().collect()
        };
        for frequency in [Frequency::ContinuousScan, Frequency::ScanOnPush] {
            let filters = matching(frequency);
            if !filters.is_empty() {
                return Effective { frequency, filters };
            }
        }
        let by_flag = self.scan_type == ScanType::Basic && repository.scan_on_push;
        let frequency = if by_flag { Frequency::ScanOnPush } else { Frequency::Manual };
        Effective { frequency, filters: Vec::new() }
    }
}

fn check_filter(filter: &Filter) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '*' | '.' | '_' | '/' | '-');
    if filter.filter_type != "WILDCARD" {
        return Err(Refusal::parameter("filterType", "Member must satisfy enum value set: [WILDCARD]"));
    }
    if filter.filter.is_empty() || filter.filter.len() > 256 || !filter.filter.chars().all(legal) {
        return Err(Refusal::new(Kind::InvalidParameter, format!("Invalid scanning filter: '{}'", filter.filter)));
    }
    Ok(())
}

/// Without a star a filter matches what contains it; with stars it matches the whole name. Source: ECR user guide,
/// "Filters to choose which repositories are scanned".
fn matches(filter: &str, name: &str) -> bool {
    if !filter.contains('*') {
        return name.contains(filter);
    }
    wildcard::matches(filter, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_examples_of_filters() {
        let names = ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"];
        for (filter, expected) in [
            ("prod", vec![0, 1, 2, 3, 4]),
            ("*prod", vec![0, 1]),
            ("prod*", vec![0, 2, 4]),
            ("*prod*", vec![0, 1, 2, 3, 4]),
            ("prod*repo", vec![2, 4]),
            ("*", vec![0, 1, 2, 3, 4]),
        ] {
            let found: Vec<usize> = (0..names.len()).filter(|at| matches(filter, names[*at])).collect();
            assert_eq!(found, expected, "{filter}");
        }
    }

    #[test]
    fn what_does_not_fit_the_scan_type() {
        let scanning = |scan_type, frequency| Scanning {
            scan_type,
            rules: vec![Rule { scan_frequency: frequency, repository_filters: Vec::new() }],
        };
        assert!(scanning(ScanType::Basic, Frequency::ContinuousScan).check().is_err());
        assert!(scanning(ScanType::Enhanced, Frequency::Manual).check().is_err());
        assert!(scanning(ScanType::Enhanced, Frequency::ContinuousScan).check().is_ok());
    }
}
