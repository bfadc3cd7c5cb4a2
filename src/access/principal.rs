//! Who is meant: accounts, users, roles, organizations and services. Source: IAM user guide, "AWS JSON policy elements:
//! Principal"; AWS Organizations API reference, `Organization`.

use crate::names::AccountId;

/// Whether a text names a principal under `AWS`.
pub(super) fn is_aws(text: &str) -> bool {
    text == "*" || text.parse::<AccountId>().is_ok() || is_arn(text) || is_unique_id(text)
}

/// `arn:PARTITION:iam::ACCOUNT:root`, or a user, role, assumed role or federated user.
pub(super) fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service @ ("iam" | "sts"), "", account, resource] = parts.as_slice() else { return false };
    let kinds: &[&str] = if *service == "iam" { &["user/", "role/"] } else { &["assumed-role/", "federated-user/"] };
    let named = |kind: &&str| resource.strip_prefix(kind).is_some_and(is_name);
    partition.starts_with("aws")
        && account.parse::<AccountId>().is_ok()
        && ((*service == "iam" && *resource == "root") || kinds.iter().any(named))
}

/// Wildcards are not allowed in a part of a principal's name.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '?'))
}

/// What a principal's ARN becomes once the principal is gone, and what a policy may therefore hold.
fn is_unique_id(text: &str) -> bool {
    let prefix = ["AIDA", "AROA", "AGPA"].iter().any(|prefix| text.starts_with(prefix));
    prefix && (16..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// `o-` and 10 to 32 lower-case letters and digits.
pub(super) fn is_organization(text: &str) -> bool {
    let id = text.strip_prefix("o-").unwrap_or_default();
    (10..=32).contains(&id.len()) && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// The account of `arn:PARTITION:iam::ACCOUNT:root`, which means the same as the account's number.
pub(super) fn account_of_root(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] => Some(account),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals() {
        for text in [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:iam::123456789012:role/team/push",
            "arn:aws:iam::123456789012:user/a",
            "arn:aws:sts::123456789012:assumed-role/push/session",
            "AROAEXAMPLEID1234567",
        ] {
            assert!(is_aws(text), "{text}");
        }
        for text in [
            "",
            "12345",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:policy/a",
            "arn:aws:s3:::bucket",
            "o-abcdefghij",
        ] {
            assert!(!is_aws(text), "{text}");
        }
        assert!(is_organization("o-a1b2c3d4e5"));
        assert!(!is_organization("o-abc") && !is_organization("ou-a1b2c3d4e5") && !is_organization("o-A1B2C3D4E5"));
    }
}
