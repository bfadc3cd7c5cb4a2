//! ECR's own quotas, as faults.

use crate::local::faults::rules::{Deed, Fault, Moment, Nth};

/// What counts against one quota, and how many a second it allows, for an account and region. Source: ECR user guide,
/// "Amazon ECR service quotas". Pushes and pulls through the registry count as the operations of the API that they
/// come to.
const QUOTAS: [(&[&str], u32); 8] = [
    (&["GetAuthorizationToken"], 500),
    (&["BatchCheckLayerAvailability", "registry:HeadBlob"], 1_000),
    (&["BatchGetImage", "registry:GetManifest", "registry:HeadManifest"], 2_000),
    (&["GetDownloadUrlForLayer", "registry:GetBlob"], 3_000),
    (&["InitiateLayerUpload", "registry:StartUpload", "registry:MountBlob"], 100),
    (&["UploadLayerPart", "registry:PatchUpload"], 500),
    (&["CompleteLayerUpload", "registry:FinishUpload"], 100),
    (&["PutImage", "registry:PutManifest"], 10),
];

/// A server that throttles as ECR does. A second's worth may come at once; the real bursts are not published.
pub fn ecr() -> Vec<Fault> {
    let quota = |(operations, per_second): (&[&str], u32)| Fault {
        operations: operations.iter().map(|name| (*name).to_owned()).collect(),
        repository: None,
        reference: None,
        nth: Nth::Every,
        when: Moment::Before,
        delay: None,
        hold: None,
        deed: Some(Deed::Rate { per_second, burst: per_second }),
    };
    QUOTAS.into_iter().map(quota).collect()
}
