//! The standard labels. Source: OCI image specification, "Annotations", whose keys also serve as labels.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::tags::fill_in;
use crate::diagnostic::Diagnostics;
use crate::facts::Facts;
use crate::names::Tag;

/// The label by which a later run recognises the commit that an image was built from.
pub const REVISION: &str = "org.opencontainers.image.revision";

/// The label that tells which content an image was built from.
pub const CONTENT_KEY: &str = "dev.longshore.content-key";

/// Labels by their keys.
pub type Labels = BTreeMap<String, String>;

/// The standard labels that the facts allow, under the user's own. A fact that is not there gives no label.
///
/// `created` is the time of the commit, not of the build, so that one commit gives one image.
pub fn standard(facts: &Facts, version: Option<&Tag>, own: &Labels) -> Labels {
    let created = facts.created.as_ref().and_then(|time| time.value.format(&Rfc3339).ok());
    let known = known(facts, version, created);
    let mut labels: Labels = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    labels.extend(own.clone());
    labels
}

/// The labels of docker/metadata-action: every standard one, empty where the facts do not allow it and created now;
/// over them these lines, which are templates of `key=value`. A line without `=` gives nothing.
///
/// # Errors
/// For every line whose template is broken.
pub fn of_action(facts: &Facts, version: Option<&Tag>, own: &[&str]) -> Result<Labels, Diagnostics> {
    let created = facts.now.as_ref().map(|now| milliseconds(now.value));
    let known = known(facts, version, created);
    let mut labels: Labels =
        known.into_iter().map(|(key, value)| (key.to_owned(), value.unwrap_or_default())).collect();
    let mut faults = Vec::new();
    for line in own {
        match fill_in(line, facts) {
            Ok(text) => labels.extend(text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))),
            Err(fault) => faults.push(fault),
        }
    }
    Diagnostics::check(faults)?;
    Ok(labels)
}

fn known(facts: &Facts, version: Option<&Tag>, created: Option<String>) -> [(&'static str, Option<String>); 8] {
    let url = facts.source_url.as_ref().map(|url| url.value.clone());
    let last_of_url = url.as_deref().and_then(|url| url.rsplit('/').next()).map(str::to_owned);
    let text = |known: &Option<crate::facts::Known<String>>| known.as_ref().map(|known| known.value.clone());
    [
        ("org.opencontainers.image.title", text(&facts.project.name).or(last_of_url)),
        ("org.opencontainers.image.description", text(&facts.project.description)),
        ("org.opencontainers.image.url", url.clone()),
        ("org.opencontainers.image.source", url),
        ("org.opencontainers.image.version", version.map(Tag::to_string)),
        ("org.opencontainers.image.created", created),
        (REVISION, facts.commit.as_ref().map(|commit| commit.value.to_string())),
        ("org.opencontainers.image.licenses", text(&facts.project.license)),
    ]
}

/// To the millisecond and in UTC, as JavaScript writes times.
fn milliseconds(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
