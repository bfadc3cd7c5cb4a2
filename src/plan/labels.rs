//! The standard labels. Source: OCI image specification, "Annotations", whose keys also serve as labels.

use std::collections::BTreeMap;

use time::format_description::well_known::Rfc3339;

use crate::facts::Facts;
use crate::names::Tag;

/// The label by which a later run recognises the commit that an image was built from.
pub const REVISION: &str = "org.opencontainers.image.revision";

/// The label that tells which content an image was built from.
pub const CONTENT_KEY: &str = "dev.longshore.content-key";

/// The standard labels that the facts allow, under the user's own. A fact that is not there gives no label.
pub fn standard(facts: &Facts, version: &Tag, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let created = facts.commit_time.and_then(|time| time.format(&Rfc3339).ok());
    let labels = [
        (REVISION, facts.commit.as_ref().map(|commit| commit.value.to_string())),
        ("org.opencontainers.image.version", Some(version.to_string())),
        ("org.opencontainers.image.source", facts.source_url.as_ref().map(|url| url.value.clone())),
        ("org.opencontainers.image.created", created),
    ];
    let mut labels: BTreeMap<String, String> =
        labels.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    labels.extend(own.clone());
    labels
}
