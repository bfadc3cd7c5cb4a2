//! Who may take the role: jobs of a repository on GitHub.
//!
//! Source: GitHub documentation, "OpenID Connect reference": the claim `sub` names the repository and what the job runs
//! for. For repositories made since July 2026 it holds the ids of owner and repository, which do not come back when a
//! name is given up and taken by somebody else.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::Home;
use crate::pipeline::Environment;

const HOST: &str = "token.actions.githubusercontent.com";
const AUDIENCE: &str = "sts.amazonaws.com";

/// A repository on GitHub as the claim names it: `OWNER/NAME`, or with ids `OWNER@ID/NAME@ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubSubject {
    text: String,
    has_ids: bool,
}

/// A text that names no repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedSubject;

impl fmt::Display for MalformedSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must be ORG/REPO, or with their ids ORG@ID/REPO@ID")
    }
}

impl std::error::Error for MalformedSubject {}

impl FromStr for GithubSubject {
    type Err = MalformedSubject;

    fn from_str(text: &str) -> Result<Self, MalformedSubject> {
        let (owner, name) = text.split_once('/').ok_or(MalformedSubject)?;
        let parts = [owner, name].map(|part| part.split_once('@').map_or((part, None), |(name, id)| (name, Some(id))));
        let legal = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let digits = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let fits = parts.iter().all(|(name, id)| legal(name) && id.is_none_or(digits));
        let has_ids = parts.iter().all(|(_, id)| id.is_some());
        if fits && (has_ids || parts.iter().all(|(_, id)| id.is_none())) {
            return Ok(GithubSubject { text: text.to_owned(), has_ids });
        }
        Err(MalformedSubject)
    }
}

impl GithubSubject {
    /// Whether it holds ids.
    pub fn has_ids(&self) -> bool {
        self.has_ids
    }
}

/// The trust policy for jobs of a repository: those of these branches; of the pipeline's environments, if none are named;
/// of any ref, if there are none either. Globs as in the pipeline file, save that a `*` may stand for slashes too.
pub fn github(home: &Home, subject: &GithubSubject, branches: &[String], environments: &[Environment]) -> Value {
    let glob = |glob: &str| glob.replace("**", "*");
    let mut refs: Vec<String> = branches.iter().map(|branch| format!("ref:refs/heads/{}", glob(branch))).collect();
    if refs.is_empty() {
        for environment in environments {
            refs.extend(environment.branch.iter().map(|branch| format!("ref:refs/heads/{}", glob(branch))));
            refs.extend(environment.tag.iter().map(|tag| format!("ref:refs/tags/{}", glob(tag))));
        }
    }
    if refs.is_empty() {
        refs.push("ref:refs/*".to_owned());
    }
    let mut claims: Vec<String> = Vec::new();
    for end in refs {
        let claim = format!("repo:{}:{end}", subject.text);
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    let wild = claims.iter().any(|claim| claim.contains(['*', '?']));
    let key = |name: &str| format!("{HOST}:{name}");
    let mut condition = json!({ "StringEquals": { key("aud"): AUDIENCE } });
    let operator = if wild { "StringLike" } else { "StringEquals" };
    condition[operator][key("sub")] = json!(claims);
    let provider = format!("arn:{}:iam::{}:oidc-provider/{HOST}", home.partition(), home.account);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "GitHubActions",
            "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories() {
        let ids = |text: &str| text.parse::<GithubSubject>().map(|subject| subject.has_ids());
        assert_eq!(ids("octo-org/shop.web"), Ok(false));
        assert_eq!(ids("octo-org@123/shop@456"), Ok(true));
        for text in ["shop", "octo-org/", "octo/shop/web", "octo@1/shop", "octo@x/shop@1", "octo/*", "octo/a:b"] {
            assert_eq!(ids(text), Err(MalformedSubject), "{text}");
        }
    }
}
