//! Where a registry replicates a repository to.

use super::ReplicationRule;
use crate::names::RepositoryName;

/// A registry that images of a repository are copied to after each push.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// What is deleted here is deleted there too. Source: ECR user guide, "Replicating image deletions in Amazon ECR":
    /// deletions by a lifecycle policy among them, and removed tags.
    pub deletes: bool,
}

impl Destination {
    /// Where these rules bring a repository, each place once. Of several rules one that passes deletions on is enough.
    pub fn of(repository: &RepositoryName, rules: &[ReplicationRule]) -> Vec<Destination> {
        let to = |rule: &ReplicationRule| -> Vec<Destination> {
            let deletes = rule.deletes;
            let places = rule.destinations.iter().cloned();
            places.map(|(account, region)| Destination { account, region, deletes }).collect()
        };
        let mut all: Vec<Destination> = rules.iter().filter(|rule| rule.is_for(repository)).flat_map(to).collect();
        // Of the same place the one that deletes comes first, and stays.
        all.sort_by(|a, b| (&a.account, &a.region, !a.deletes).cmp(&(&b.account, &b.region, !b.deletes)));
        all.dedup_by(|a, b| (&a.account, &a.region) == (&b.account, &b.region));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_decide_and_each_place_comes_once() {
        let to = |region: &str, deletes| Destination { account: "1".into(), region: region.into(), deletes };
        let rule = |prefixes: &[&str], regions: &[&str], deletes| ReplicationRule {
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            destinations: regions.iter().map(|region| ("1".to_owned(), (*region).to_owned())).collect(),
            deletes,
        };
        let rules = [
            rule(&["shop/", "tools"], &["eu"], false),
            rule(&["shop/web"], &["eu"], true),
            rule(&["shop/web"], &["us"], false),
            rule(&[], &["ap"], false),
        ];
        let of = |name: &str, rules: &[ReplicationRule]| Destination::of(&name.parse().unwrap(), rules);
        assert_eq!(of("shop/web", &rules), [to("ap", false), to("eu", true), to("us", false)]);
        assert_eq!(of("toolshed", &rules), [to("ap", false), to("eu", false)]);
        assert_eq!(of("other/shop/web", &rules), [to("ap", false)], "a prefix is one of the whole name");
        assert_eq!(of("web", &rules[..3]), []);
    }
}
