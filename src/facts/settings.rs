use std::collections::BTreeMap;

/// What ECR says of a repository's settings, as far as it was asked: what the pipeline does not state is none of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositorySettings {
    /// The repository's name for IAM and for resource tags.
    pub arn: String,
    /// How its images are encrypted.
    pub encryption: EncryptionFacts,
    /// Its own switch for scans; the registry's configuration may say otherwise.
    pub scan_on_push: bool,
    /// When its images are scanned.
    pub scanning: Option<Asked<Scanning>>,
    /// The text of its lifecycle policy, if it has one.
    pub lifecycle: Option<Asked<Option<String>>>,
    /// The text of its policy, if it has one.
    pub policy: Option<Asked<Option<String>>>,
    /// Its resource tags.
    pub resource_tags: Option<Asked<BTreeMap<String, String>>>,
}

/// What came of a question that a role may not be allowed to ask.
pub type Asked<T> = Result<T, Unseen>;

/// A setting that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The IAM action that it takes, as in `ecr:GetLifecyclePolicy`.
    pub action: &'static str,
    /// The role may not do that; otherwise something else failed.
    pub denied: bool,
    /// In the service's words.
    pub cause: String,
}

/// How a repository is encrypted, in ECR's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncryptionFacts {
    /// `AES256`, `KMS` or `KMS_DSSE`.
    pub kind: String,
    /// The key's ARN, with KMS.
    pub key: Option<String>,
}

/// When a repository's images are scanned, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanning {
    /// `SCAN_ON_PUSH`, `CONTINUOUS_SCAN` or `MANUAL`.
    pub frequency: String,
    /// The filters of the registry's rules that match it.
    pub filters: Vec<String>,
    /// Scans are Amazon Inspector's (`ENHANCED`), which do not look at the repository's own switch.
    pub enhanced: bool,
}

impl Scanning {
    /// Whether images are scanned as they come.
    pub fn is_on_push(&self) -> bool {
        matches!(self.frequency.as_str(), "SCAN_ON_PUSH" | "CONTINUOUS_SCAN")
    }
}

/// Settings that ECR gives to a repository that it creates itself because somebody pushes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What the names begin with, up to a slash; `ROOT` for all that no other template means.
    pub prefix: String,
    /// The tags of such a repository cannot move, save those that an exclusion names.
    pub immutable: bool,
    /// The exclusions.
    pub except: Vec<String>,
    /// The others; of its resource tags, too, everything is known.
    pub settings: RepositorySettings,
}

impl Template {
    /// The template by which ECR would create a repository of this name. Source: ECR user guide, "Templates to control
    /// repositories created during a pull through cache, create on push, or replication action": a slash is implied
    /// after a prefix, and the longest wins.
    pub fn of<'t>(name: &str, templates: &'t [Template]) -> Option<&'t Template> {
        let means = |template: &&Template| {
            let rest = name.strip_prefix(template.prefix.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let longest = templates.iter().filter(means).max_by_key(|template| template.prefix.len());
        longest.or_else(|| templates.iter().find(|template| template.prefix == "ROOT"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_ends_at_a_slash() {
        let template = |prefix: &str| Template {
            prefix: prefix.into(),
            immutable: false,
            except: Vec::new(),
            settings: RepositorySettings::default(),
        };
        let of = |name: &str, prefixes: &[&str]| {
            let templates: Vec<Template> = prefixes.iter().map(|prefix| template(prefix)).collect();
            Template::of(name, &templates).map(|found| found.prefix.clone())
        };
        assert_eq!(of("shop/web", &["ROOT", "shop", "shop/we"]).as_deref(), Some("shop"));
        assert_eq!(of("shop/web/a", &["shop", "shop/web/", "ROOT"]).as_deref(), Some("shop/web/"));
        assert_eq!(of("shopping/web", &["shop", "ROOT"]).as_deref(), Some("ROOT"));
        assert_eq!(of("shop", &["shop"]), None);
    }
}
