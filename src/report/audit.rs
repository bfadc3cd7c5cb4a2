//! How to ask CloudTrail who pushed to a repository and who deleted from it.

use crate::names::{Region, RepositoryName};

/// What is asked for, one call each since a call takes one name: pushes and tags, deletions of images, deletions by a
/// lifecycle policy, which are events of the service, and the end of the repository. Source: Amazon ECR user guide,
/// "Logging Amazon ECR actions with AWS CloudTrail".
const EVENTS: [&str; 4] = ["PutImage", "BatchDeleteImage", "PolicyExecutionEvent", "DeleteRepository"];

/// The commands, for a POSIX shell; they print time, event, who, tag and digest, separated by tabs.
pub fn commands(repository: &RepositoryName, region: Option<&Region>) -> String {
    let region = region.map(|region| format!(" --region {region}")).unwrap_or_default();
    format!(
        r#"# Pushes to {repository} and deletions, of the last 90 days, which is how far CloudTrail's event history goes back.
for event in {events}; do
  aws cloudtrail lookup-events{region} --output json \
    --lookup-attributes "AttributeKey=EventName,AttributeValue=$event" --query 'Events[].CloudTrailEvent' |
    jq --raw-output --arg repository '{repository}' '
      .[] | fromjson
      | select((.requestParameters // .serviceEventDetails).repositoryName == $repository)
      | . as $event
      | ([.requestParameters | objects | .imageIds // [{{imageTag, imageDigest}}] | .[]]
         + [.serviceEventDetails | objects | .lifecycleEventImageActions // [] | .[]
            | .lifecycleEventImage | {{imageDigest: .digest, imageTag: (.tagList // [] | join(","))}}])[]
      | [$event.eventTime, $event.eventName,
         ($event.userIdentity.arn // $event.userIdentity.invokedBy // "?"),
         (.imageTag // "-"), (.imageDigest // $event.responseElements.image.imageId.imageDigest // "-")]
      | @tsv'
done | sort"#,
        events = EVENTS.join(" ")
    )
}
