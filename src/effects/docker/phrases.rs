//! What the daemon's words about a registry mean. The daemon has no codes for them once a push has begun.

use crate::execute::ports::Failure;
use crate::names::{ImageRef, Reference};

/// What a phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Expired,
    Missing,
    Taken,
    Throttled,
    NotAuthorized,
    Refused,
    Denied,
    Broken,
    Unreachable,
}

/// Phrases in lower case. The first that occurs decides, so the special come before the general.
const PHRASES: &[(&str, Meaning)] = &[
    // ECR, in a 403 with code DENIED: the authorization token is older than 12 hours.
    ("authorization token has expired", Meaning::Expired),
    // ECR, 404 NAME_UNKNOWN: "The repository with name 'x' does not exist in the registry with id 'y'".
    ("does not exist in the registry with id", Meaning::Missing),
    // distribution, 404 NAME_UNKNOWN, as dockerd 20.10 to 29 writes it.
    ("name unknown", Meaning::Missing),
    ("name_unknown", Meaning::Missing),
    ("repository name not known to registry", Meaning::Missing),
    // ECR, 400 TAG_INVALID: "... cannot be overwritten because the tag is immutable"; "the repository" before 2025.
    ("because the tag is immutable", Meaning::Taken),
    ("because the repository is immutable", Meaning::Taken),
    ("imagetagalreadyexistsexception", Meaning::Taken),
    ("tag invalid", Meaning::Taken),
    ("tag_invalid", Meaning::Taken),
    // ECR and distribution, 429.
    ("toomanyrequests", Meaning::Throttled),
    ("too many requests", Meaning::Throttled),
    ("rate exceeded", Meaning::Throttled),
    // IAM, in a 403: "User: arn:... is not authorized to perform: ecr:PutImage on resource: ...".
    ("is not authorized to perform", Meaning::NotAuthorized),
    // dockerd 20.10 to 28; 29 puts "push access denied ... authorization failed" before it.
    ("no basic auth credentials", Meaning::Refused),
    // dockerd 20.10 and 28, wrong password.
    ("unauthorized: authentication required", Meaning::Refused),
    ("unauthorized: incorrect username or password", Meaning::Refused),
    // dockerd 29, wrong password: "unknown: unexpected status from HEAD request to ...: 401 Unauthorized".
    ("401 unauthorized", Meaning::Refused),
    ("unauthorized", Meaning::Refused),
    // distribution, 403 DENIED: "denied: requested access to the resource is denied".
    ("denied", Meaning::Denied),
    ("403 forbidden", Meaning::Denied),
    // Go's http package spells status codes so.
    ("500 internal server error", Meaning::Broken),
    ("502 bad gateway", Meaning::Broken),
    ("503 service unavailable", Meaning::Broken),
    ("504 gateway timeout", Meaning::Broken),
    ("received unexpected http status: 5", Meaning::Broken),
    // Go's net, crypto/tls and context packages.
    ("connection refused", Meaning::Unreachable),
    ("connection reset", Meaning::Unreachable),
    ("broken pipe", Meaning::Unreachable),
    ("no such host", Meaning::Unreachable),
    ("server misbehaving", Meaning::Unreachable),
    ("network is unreachable", Meaning::Unreachable),
    ("no route to host", Meaning::Unreachable),
    ("i/o timeout", Meaning::Unreachable),
    ("handshake timeout", Meaning::Unreachable),
    ("deadline exceeded", Meaning::Unreachable),
    ("request canceled while waiting for connection", Meaning::Unreachable),
];

/// What follows from the words with which a push ended.
pub fn classify(text: &str, target: &ImageRef) -> Failure {
    let lower = text.to_lowercase();
    let meaning = PHRASES.iter().find(|(phrase, _)| lower.contains(phrase)).map(|(_, meaning)| *meaning);
    let repository = target.repository.clone();
    match meaning {
        Some(Meaning::Expired) => Failure::CredentialsExpired,
        Some(Meaning::Missing) => Failure::RepositoryMissing { repository },
        Some(Meaning::Taken) => match &target.reference {
            Reference::Tag(tag) => Failure::TagTaken { tag: tag.clone(), repository },
            Reference::Digest(_) => Failure::Refused,
        },
        Some(Meaning::Throttled) => Failure::Throttled,
        Some(Meaning::NotAuthorized) => Failure::Denied { action: iam_action(text) },
        Some(Meaning::Refused) => Failure::CredentialsRefused,
        Some(Meaning::Denied) => Failure::Denied { action: None },
        Some(Meaning::Broken) => Failure::ServiceBroken,
        Some(Meaning::Unreachable) => Failure::Unreachable { address: target.host.to_string() },
        None if ends_in_eof(&lower) => Failure::Unreachable { address: target.host.to_string() },
        None => Failure::Refused,
    }
}

/// A connection that the other side dropped; ECR does so for some repositories that are missing or forbidden, too.
fn ends_in_eof(lower: &str) -> bool {
    lower.trim_end().split(|c: char| !c.is_ascii_alphanumeric()).next_back() == Some("eof")
}

fn iam_action(text: &str) -> Option<String> {
    let action = text.split("not authorized to perform:").nth(1)?.split_whitespace().next()?;
    action.contains(':').then(|| action.trim_end_matches([',', '.', ';']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_says() {
        let host = "123456789012.dkr.ecr.us-east-1.amazonaws.com".parse().unwrap();
        let (repository, tag) = ("team/web".parse().unwrap(), "v1".parse().unwrap());
        let target = ImageRef::tagged(&host, &repository, &tag);
        let missing = Failure::RepositoryMissing { repository: repository.clone() };
        let taken = Failure::TagTaken { tag, repository };
        let unreachable = Failure::Unreachable { address: host.to_string() };
        let denied = |action: Option<&str>| Failure::Denied { action: action.map(str::to_owned) };
        let cases = [
            (
                "denied: Your authorization token has expired. Reauthenticate and try again.",
                Failure::CredentialsExpired,
            ),
            (
                "name unknown: The repository with name 'team/web' does not exist in the registry with id '123456789012'",
                missing.clone(),
            ),
            ("name unknown: repository name not known to registry", missing),
            (
                "tag invalid: The image tag 'v1' already exists in the 'team/web' repository and cannot be overwritten because the tag is immutable.",
                taken.clone(),
            ),
            (
                "The image tag 'v1' already exists in the 'team/web' repository and cannot be overwritten because the repository is immutable.",
                taken,
            ),
            ("toomanyrequests: Rate exceeded", Failure::Throttled),
            (
                "denied: User: arn:aws:iam::1:user/x is not authorized to perform: ecr:InitiateLayerUpload on resource: y",
                denied(Some("ecr:InitiateLayerUpload")),
            ),
            ("no basic auth credentials", Failure::CredentialsRefused),
            (
                "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
                Failure::CredentialsRefused,
            ),
            ("unauthorized: authentication required", Failure::CredentialsRefused),
            (
                "unknown: unexpected status from HEAD request to https://x/v2/y: 401 Unauthorized",
                Failure::CredentialsRefused,
            ),
            ("denied: requested access to the resource is denied", denied(None)),
            ("received unexpected HTTP status: 500 Internal Server Error", Failure::ServiceBroken),
            ("Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", unreachable.clone()),
            ("Put \"https://x/v2/y\": EOF", unreachable.clone()),
            ("failed to do request: unexpected EOF", unreachable),
            ("manifest blob unknown: blob unknown to registry", Failure::Refused),
        ];
        for (text, expected) in cases {
            assert_eq!(classify(text, &target), expected, "{text}");
        }
    }
}
