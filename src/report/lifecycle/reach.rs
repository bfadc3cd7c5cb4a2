//! How far the deletion of images reaches.

use serde_json::{Value, json};

use crate::facts::{Asked, Destination};

/// Where images are replicated to, as far as that was asked; a list of images does not say which registry they are of.
pub type Reach = Option<Asked<Vec<Destination>>>;

const IN_GENERAL: &str =
    "where a replication rule has deleteReplication on, each image that expires is deleted at every destination too";

/// What becomes of the copies of images that expire, one sentence a line. Sources: ECR user guide, "Replicating image
/// deletions in Amazon ECR" and "Creating a lifecycle policy for a repository in Amazon ECR".
pub fn expiring(reach: &Reach) -> Vec<String> {
    let destinations = match reach {
        None => {
            return vec![format!("replication was not asked about, since the images come from a file: {IN_GENERAL}")];
        }
        Some(Err(unseen)) => return vec![format!("{}; {IN_GENERAL}", unseen.cause)],
        Some(Ok(destinations)) if destinations.is_empty() => {
            return vec!["the registry replicates this repository nowhere: no copy is touched".to_owned()];
        }
        Some(Ok(destinations)) => destinations,
    };
    let mut lines = Vec::new();
    if let Some(places) = places(destinations, true) {
        lines.push(format!("each image that expires is deleted in {places} too: deleteReplication is on"));
    }
    if let Some(places) = places(destinations, false) {
        lines.push(format!(
            "the copies in {places} stay: deleteReplication is off, and a policy acts in its own registry and region only"
        ));
    }
    lines
}

/// What becomes of the copies of images that are removed by hand, where that reaches further than here.
pub fn removing(destinations: &[Destination]) -> Option<String> {
    places(destinations, true).map(|places| format!("they go in {places} too: deleteReplication is on"))
}

fn places(destinations: &[Destination], deletes: bool) -> Option<String> {
    let some = destinations.iter().filter(|destination| destination.deletes == deletes);
    let names: Vec<String> = some.map(|one| format!("{}/{}", one.account, one.region)).collect();
    match names.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        [most @ .., last] => Some(format!("{} and {last}", most.join(", "))),
    }
}

/// The same as JSON: nothing where it was not asked, `{"destinations": …}`, or `{"unknown": …}`.
pub(super) fn json(reach: &Reach) -> Option<Value> {
    let one = |destination: &Destination| json!({ "registryId": destination.account, "region": destination.region, "deleteReplication": destination.deletes });
    reach.as_ref().map(|asked| match asked {
        Ok(destinations) => json!({ "destinations": destinations.iter().map(one).collect::<Vec<_>>() }),
        Err(unseen) => json!({ "unknown": unseen.cause }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Unseen;

    #[test]
    fn only_what_is_known_is_said() {
        let to = |region: &str, deletes| Destination { account: "1".into(), region: region.into(), deletes };
        let told = |destinations: &[Destination]| expiring(&Some(Ok(destinations.to_vec())));
        assert_eq!(told(&[]), ["the registry replicates this repository nowhere: no copy is touched"]);
        let both = told(&[to("ap", true), to("eu", false), to("us", true), to("sa", true)]);
        assert_eq!(both[0], "each image that expires is deleted in 1/ap, 1/us and 1/sa too: deleteReplication is on");
        assert!(both[1].starts_with("the copies in 1/eu stay: deleteReplication is off"), "{both:?}");
        assert!(expiring(&None)[0].starts_with("replication was not asked about"));
        let unseen = Unseen { action: "ecr:DescribeRegistry", denied: true, cause: "cannot look: denied".into() };
        assert_eq!(json(&Some(Err(unseen.clone()))), Some(json!({ "unknown": "cannot look: denied" })));
        assert_eq!(expiring(&Some(Err(unseen))), [format!("cannot look: denied; {IN_GENERAL}")]);
        assert_eq!(removing(&[to("eu", false)]), None);
    }
}
