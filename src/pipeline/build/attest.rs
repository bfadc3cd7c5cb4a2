//! `provenance`, `sbom`, and bake's `attest`.

use std::collections::BTreeMap;

use super::attributes::{self, Item};
use crate::pipeline::problems::Problems;
use crate::pipeline::read::Field;

/// The attributes of an attestation; `None` if none shall be made.
pub(super) type Attestation = Option<String>;

/// Reads `true`, `false`, or attributes, as in `mode=max`.
pub(super) fn one(field: &Field<'_>, problems: &mut Problems) -> Option<Attestation> {
    match field.text(problems)? {
        "true" => Some(Some(String::new())),
        "false" => Some(None),
        text if text.contains('=') => Some(Some(text.to_owned())),
        text => {
            let message = format!("`{}`: `{text}` is neither `true`, `false` nor attributes", field.path);
            problems.error_with_hint(field.span(), message, "attributes look like `mode=max` or `generator=IMAGE`");
            None
        }
    }
}

/// What bake's list says of each kind of attestation.
#[derive(Default)]
pub(super) struct Attestations {
    pub provenance: Option<Attestation>,
    pub sbom: Option<Attestation>,
}

/// Reads `type=provenance,mode=max` and `type=sbom`, as texts or maps.
pub(super) fn list(field: &Field<'_>, problems: &mut Problems) -> Option<Attestations> {
    let mut all = Attestations::default();
    for item in attributes::items(field, problems)? {
        let (field, attributes) = match item {
            Item::Line(line) => {
                let attributes = attributes::with_values(&line, problems);
                (line.field, attributes)
            }
            Item::Other(field) => {
                let attributes = attributes::of_map(&field, problems);
                (field, attributes)
            }
        };
        let Some(mut attributes) = attributes else { continue };
        let place = match attributes.remove("type").as_deref() {
            Some("provenance") => &mut all.provenance,
            Some("sbom") => &mut all.sbom,
            _ => {
                let message = format!("`{}` is neither of `type=provenance` nor of `type=sbom`", field.path);
                problems.error(field.span(), message);
                continue;
            }
        };
        *place = Some(attestation(attributes));
    }
    Some(all)
}

fn attestation(mut attributes: BTreeMap<String, String>) -> Attestation {
    if attributes.remove("disabled").as_deref() == Some("true") {
        return None;
    }
    let parts: Vec<String> = attributes.iter().map(|(key, value)| quoted(&format!("{key}={value}"))).collect();
    Some(parts.join(","))
}

fn quoted(part: &str) -> String {
    if part.contains([',', '"']) { format!("\"{}\"", part.replace('"', "\"\"")) } else { part.to_owned() }
}
