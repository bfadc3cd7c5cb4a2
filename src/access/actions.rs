//! ECR's IAM actions. Source: Service Authorization Reference, "Amazon Elastic Container Registry", and the API model,
//! whose operations are the actions.

/// What pulling takes.
pub const PULL: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// What pushing takes, with looking at what is there.
pub const PUSH: [&str; 7] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// The actions whose resource is a repository.
const OF_REPOSITORIES: [&str; 35] = [
    "BatchCheckLayerAvailability",
    "BatchDeleteImage",
    "BatchGetImage",
    "BatchGetRepositoryScanningConfiguration",
    "BatchImportUpstreamImage",
    "CompleteLayerUpload",
    "CreateRepository",
    "DeleteLifecyclePolicy",
    "DeleteRepository",
    "DeleteRepositoryPolicy",
    "DescribeImageReplicationStatus",
    "DescribeImageScanFindings",
    "DescribeImageSigningStatus",
    "DescribeImages",
    "DescribeRepositories",
    "GetDownloadUrlForLayer",
    "GetLifecyclePolicy",
    "GetLifecyclePolicyPreview",
    "GetRepositoryPolicy",
    "InitiateLayerUpload",
    "ListImageReferrers",
    "ListImages",
    "ListTagsForResource",
    "PutImage",
    "PutImageScanningConfiguration",
    "PutImageTagMutability",
    "PutLifecyclePolicy",
    "ReplicateImage",
    "SetRepositoryPolicy",
    "StartImageScan",
    "StartLifecyclePolicyPreview",
    "TagResource",
    "UntagResource",
    "UpdateImageStorageClass",
    "UploadLayerPart",
];

/// Whether an action, which may have `*` and `?`, can mean one of ECR's. Case does not count in IAM.
pub(super) fn is_known(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return action == "*" };
    if !service.eq_ignore_ascii_case("ecr") {
        return false;
    }
    let pattern: Vec<char> = name.to_ascii_lowercase().chars().collect();
    OF_REPOSITORIES.iter().any(|known| {
        let known: Vec<char> = known.to_ascii_lowercase().chars().collect();
        matches(&pattern, &known)
    })
}

/// IAM's wildcards: `*` is any run of characters, `?` is one.
fn matches(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        (Some(('?', rest)), Some((_, after))) => matches(rest, after),
        (Some((wanted, rest)), Some((found, after))) => wanted == found && matches(rest, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_case() {
        for (action, expected) in [
            ("ecr:BatchGetImage", true),
            ("ECR:batchgetimage", true),
            ("ecr:*", true),
            ("ecr:Describe*", true),
            ("ecr:?atchGetImage", true),
            ("*", true),
            ("ecr:BatchGetImages", false),
            ("s3:GetObject", false),
            ("BatchGetImage", false),
            ("ecr:", false),
        ] {
            assert_eq!(is_known(action), expected, "{action}");
        }
        assert!(PULL.iter().chain(&PUSH).all(|action| is_known(action)));
    }
}
