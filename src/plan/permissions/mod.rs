//! The IAM permissions that a pipeline takes: for each thing that it is configured to do the actions, and the resources
//! that it does them to.
//!
//! Source: Service Authorization Reference, "Amazon Elastic Container Registry"; ECR user guide, "IAM permissions for
//! pushing", "Encryption at rest", "Blob mounting".

mod trust;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::access::{PULL, PUSH};
use crate::names::{AccountId, Partition, Region, RegistryHost, RepositoryName, RoleArn};
use crate::pipeline::{Cache, CacheKind, Encryption, Image, OnDrift, Pipeline, Replica};

pub use trust::{GithubSubject, MalformedSubject, github};

/// The registry of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl Home {
    fn partition(&self) -> &'static str {
        Partition::of(&self.region).id()
    }

    /// The ARN of a repository.
    pub fn repository(&self, name: &RepositoryName) -> String {
        format!("arn:{}:ecr:{}:{}:repository/{name}", self.partition(), self.region, self.account)
    }
}

/// A repository that base images come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Base {
    /// Its registry.
    pub home: Home,
    /// Its name.
    pub name: RepositoryName,
}

/// One statement: what may be done to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Allow {
    /// What it is for.
    pub sid: &'static str,
    /// The actions, in alphabetical order.
    pub actions: BTreeSet<&'static str>,
    /// ARNs, or `*`.
    pub resources: Vec<String>,
    /// When.
    pub condition: Option<Value>,
}

impl Allow {
    fn new(sid: &'static str, actions: &[&'static str], resources: Vec<String>) -> Self {
        Allow { sid, actions: actions.iter().copied().collect(), resources, condition: None }
    }
}

/// The policy of the role that runs a pipeline whose registry is `home`, with the repositories in ECR that its base
/// images come from.
///
/// A replica that is reached by a role of its own takes the right to assume that; what the role needs is
/// [`of_replica`].
pub fn of_pipeline(pipeline: &Pipeline, home: &Home, bases: &[Base]) -> Vec<Allow> {
    let reached =
        pipeline.registry.replicas.iter().filter(|replica| replica.role.is_none() && replica.profile.is_none());
    let homes: Vec<Home> = std::iter::once(home.clone()).chain(reached.map(|replica| home_of(replica, home))).collect();
    let mut statements = in_registries(pipeline, &homes);
    if pipeline.registry.replicas.iter().any(|replica| replica.wait.is_some()) {
        let here = repositories(pipeline, std::slice::from_ref(home));
        statements.push(Allow::new("WaitForReplication", &["ecr:DescribeImageReplicationStatus"], here));
        statements.push(Allow::new("LookAtReplication", &["ecr:DescribeRegistry"], vec!["*".to_owned()]));
    }
    statements.extend(signing(pipeline, home));
    let own: Vec<String> = repositories(pipeline, &homes);
    let bases: BTreeSet<String> = bases.iter().map(|base| base.home.repository(&base.name)).collect();
    let bases: Vec<String> = bases.into_iter().filter(|arn| !own.contains(arn)).collect();
    if !bases.is_empty() {
        statements.push(Allow::new("PullBaseImages", &PULL, bases));
    }
    let roles: BTreeSet<String> =
        pipeline.registry.replicas.iter().filter_map(|replica| Some(replica.role.as_ref()?.to_string())).collect();
    if !roles.is_empty() {
        statements.push(Allow::new("AssumeRolesOfReplicas", &["sts:AssumeRole"], roles.into_iter().collect()));
    }
    statements
}

/// What it takes that ECR signs images, and to hear of it. ECR signs with the permissions of whoever pushes; the pipeline
/// file does not say with which profiles. Source: ECR user guide, "Managed signing".
fn signing(pipeline: &Pipeline, home: &Home) -> Vec<Allow> {
    let signed = pipeline.images.iter().filter(|image| !image.signing.is_ignored());
    let repositories: BTreeSet<String> = signed.map(|image| home.repository(&image.repository.name)).collect();
    if repositories.is_empty() {
        return Vec::new();
    }
    let profiles = format!("arn:{}:signer:{}:{}:/signing-profiles/*", home.partition(), home.region, home.account);
    vec![
        Allow::new("SignImages", &["signer:SignPayload"], vec![profiles]),
        Allow::new("ReadSigningStatus", &["ecr:DescribeImageSigningStatus"], repositories.into_iter().collect()),
    ]
}

/// The policy of a role by which replicas are reached.
pub fn of_replica(pipeline: &Pipeline, home: &Home, role: &RoleArn) -> Vec<Allow> {
    let reached = pipeline.registry.replicas.iter().filter(|replica| replica.role.as_ref() == Some(role));
    let homes: Vec<Home> = reached.map(|replica| home_of(replica, home)).collect();
    if homes.is_empty() { Vec::new() } else { in_registries(pipeline, &homes) }
}

/// What a replica leaves open is as in the run's own registry.
fn home_of(replica: &Replica, home: &Home) -> Home {
    let named = replica.host.as_ref().and_then(RegistryHost::as_ecr);
    let account = replica.account.clone().or_else(|| named.as_ref().map(|ecr| ecr.account.clone()));
    let account = account.or_else(|| replica.role.as_ref()?.account());
    let region = replica.region.clone().or_else(|| named.map(|ecr| ecr.region));
    Home {
        account: account.unwrap_or_else(|| home.account.clone()),
        region: region.unwrap_or_else(|| home.region.clone()),
    }
}

/// What a pipeline does in some registries.
fn in_registries(pipeline: &Pipeline, homes: &[Home]) -> Vec<Allow> {
    let of = |is_meant: &dyn Fn(&Image) -> bool| -> Vec<String> {
        let images = pipeline.images.iter().filter(|image| is_meant(image));
        let arns: BTreeSet<String> =
            images.flat_map(|image| homes.iter().map(|home| home.repository(&image.repository.name))).collect();
        arns.into_iter().collect()
    };
    let mut all = vec![Allow::new("LogIn", &["ecr:GetAuthorizationToken"], vec!["*".to_owned()])];
    let mut push = Allow::new("PushAndTag", &PUSH, repositories(pipeline, homes));
    push.actions.extend(["ecr:DescribeImages", "ecr:DescribeRepositories"]);
    all.push(push);
    let caches = caches(pipeline, homes);
    if !caches.is_empty() {
        let mut cache = Allow::new("KeepBuildCaches", &PUSH, caches);
        cache.actions.insert("ecr:DescribeRepositories");
        if pipeline.images.iter().any(|image| image.repository.create) {
            cache.actions.insert("ecr:CreateRepository");
        }
        all.push(cache);
    }
    let mut add = |sid, actions: &[&'static str], is_meant: &dyn Fn(&Image) -> bool| {
        let resources = of(is_meant);
        if !resources.is_empty() {
            all.push(Allow::new(sid, actions, resources));
        }
    };
    add("CreateRepositories", &["ecr:CreateRepository"], &|image| image.repository.create);
    add("SetTagMutability", &["ecr:PutImageTagMutability"], &|image| {
        fixes(image) && image.repository.stated.tag_mutability
    });
    add("SetScanning", &["ecr:PutImageScanningConfiguration"], &|image| {
        fixes(image) && image.repository.scan_on_push.is_some()
    });
    add("CompareScanning", &["ecr:BatchGetRepositoryScanningConfiguration"], &|image| {
        image.repository.scan_on_push.is_some()
    });
    add("CompareLifecyclePolicies", &["ecr:GetLifecyclePolicy"], &|image| image.repository.lifecycle.is_some());
    add("SetLifecyclePolicies", &["ecr:PutLifecyclePolicy"], &|image| {
        image.repository.lifecycle.is_some() && (image.repository.create || fixes(image))
    });
    add("CompareRepositoryPolicies", &["ecr:GetRepositoryPolicy"], &|image| image.repository.policy.is_some());
    add("SetRepositoryPolicies", &["ecr:SetRepositoryPolicy"], &|image| {
        image.repository.policy.is_some() && (image.repository.create || fixes(image))
    });
    let has_tags = |image: &Image| !image.repository.resource_tags.is_empty();
    add("CompareResourceTags", &["ecr:ListTagsForResource"], &has_tags);
    add("SetResourceTags", &["ecr:TagResource"], &|image| has_tags(image) && (image.repository.create || fixes(image)));
    let is_gated = |image: &Image| image.gate.is_some();
    let gate = ["ecr:BatchGetRepositoryScanningConfiguration", "ecr:DescribeImageScanFindings", "ecr:StartImageScan"];
    add("ReadScans", &gate, &is_gated);
    let mut of_registry = BTreeSet::new();
    if pipeline.images.iter().any(is_gated) {
        // Where Inspector scans, ECR gives its findings to those only who may read them there.
        of_registry.extend(["inspector2:ListCoverage", "inspector2:ListFindings"]);
    }
    if pipeline.images.iter().any(|image| is_gated(image) || image.repository.scan_on_push.is_some()) {
        of_registry.insert("ecr:GetRegistryScanningConfiguration");
    }
    if pipeline.images.iter().any(|image| image.repository.create) {
        of_registry.insert("ecr:DescribeRepositoryCreationTemplates");
    }
    if !of_registry.is_empty() {
        let actions: Vec<&'static str> = of_registry.into_iter().collect();
        all.push(Allow::new("LookAtRegistry", &actions, vec!["*".to_owned()]));
    }
    all.extend(keys(pipeline, homes));
    all
}

fn fixes(image: &Image) -> bool {
    image.repository.on_drift == OnDrift::Fix
}

fn repositories(pipeline: &Pipeline, homes: &[Home]) -> Vec<String> {
    let names = pipeline.images.iter().map(|image| &image.repository.name);
    let arns: BTreeSet<String> = names.flat_map(|name| homes.iter().map(|home| home.repository(name))).collect();
    arns.into_iter().collect()
}

/// The repositories of their own that build caches are kept in; only the run's own registry has them.
fn caches(pipeline: &Pipeline, homes: &[Home]) -> Vec<String> {
    let own = repositories(pipeline, homes);
    let named = pipeline.images.iter().filter_map(|image| match &image.build.cache {
        Some(Cache::On { kind: CacheKind::Registry, repository: Some(name), .. }) => Some(name),
        _ => None,
    });
    let arns: BTreeSet<String> = named.filter_map(|name| Some(homes.first()?.repository(name))).collect();
    arns.into_iter().filter(|arn| !own.contains(arn)).collect()
}

/// Keys of the account's own, which ECR is given the use of when a repository is created.
fn keys(pipeline: &Pipeline, homes: &[Home]) -> Vec<Allow> {
    let creating = pipeline.images.iter().filter(|image| image.repository.create);
    let named: BTreeSet<&str> = creating
        .filter_map(|image| match &image.repository.encryption {
            Encryption::Kms { key } | Encryption::KmsDsse { key } => key.as_deref(),
            Encryption::Aes256 => None,
        })
        .collect();
    let actions = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"];
    let (mut arns, mut aliases) = (BTreeSet::new(), BTreeSet::new());
    for key in named {
        let resource = key.rsplit_once(':').map_or(key, |(_, resource)| resource);
        match resource.strip_prefix("alias/") {
            // It is AWS's own, and needs no permission.
            Some("aws/ecr") => {}
            Some(_) => drop(aliases.insert(resource.to_owned())),
            None if key.starts_with("arn:") => drop(arns.insert(key.to_owned())),
            None => arns.extend(homes.iter().map(|home| key_arn(home, resource.trim_start_matches("key/")))),
        }
    }
    let mut statements = Vec::new();
    if !arns.is_empty() {
        statements.push(Allow::new("UseKeys", &actions, arns.into_iter().collect()));
    }
    if !aliases.is_empty() {
        // A key's ARN does not tell its alias.
        let all: BTreeSet<String> = homes.iter().map(|home| key_arn(home, "*")).collect();
        let mut allow = Allow::new("UseKeysByAlias", &actions, all.into_iter().collect());
        allow.condition = Some(json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": aliases } }));
        statements.push(allow);
    }
    statements
}

fn key_arn(home: &Home, id: &str) -> String {
    format!("arn:{}:kms:{}:{}:key/{id}", home.partition(), home.region, home.account)
}

/// Statements as an IAM policy.
pub fn policy(statements: &[Allow]) -> Value {
    let one = |allow: &Allow| {
        let resource: Value = match allow.resources.as_slice() {
            [one] => one.as_str().into(),
            several => json!(several),
        };
        let mut statement =
            json!({ "Sid": allow.sid, "Effect": "Allow", "Action": allow.actions, "Resource": resource });
        if let Some(condition) = &allow.condition {
            statement["Condition"] = condition.clone();
        }
        statement
    };
    json!({ "Version": "2012-10-17", "Statement": statements.iter().map(one).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_follow_the_partition() {
        let home = |region: &str| Home { account: AccountId::example(), region: region.parse().unwrap() };
        let arn = |region: &str| home(region).repository(&"web".parse().unwrap());
        assert_eq!(arn("us-east-1"), "arn:aws:ecr:us-east-1:123456789012:repository/web");
        assert_eq!(arn("cn-north-1"), "arn:aws-cn:ecr:cn-north-1:123456789012:repository/web");
        assert_eq!(arn("us-gov-west-1"), "arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/web");
        assert_eq!(arn("us-isob-east-1"), "arn:aws-iso-b:ecr:us-isob-east-1:123456789012:repository/web");
    }
}
