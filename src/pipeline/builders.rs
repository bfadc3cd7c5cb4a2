//! `builders:`: the engines that images are built with.

use std::path::PathBuf;

use super::Builder;
use super::fields::{Fields, Schema};
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use crate::names::Platform;

pub(super) static BUILDER: Schema = Schema {
    expected: "an address, or a map with an `endpoint`",
    fields: &[("endpoint", &["host"]), ("platforms", &["platform"]), ("certificates", &["certs", "tls"])],
    unsupported: &[],
};

/// Reads the builders, in the order of the file.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Builder>> {
    let mut builders = Vec::new();
    for (entry, field) in field.entries(problems)? {
        let name = entry.key.value.clone();
        let place = Some(problems.place(entry.key.span));
        if let Value::Text(_) = field.node.value {
            let Some(endpoint) = field.owned(problems) else { continue };
            if !is_known(&endpoint) {
                problems.error_with_hint(field.span(), format!("`{}` is `{endpoint}`", field.path), SCHEMES);
            }
            builders.push(Builder { name, endpoint, platforms: Vec::new(), certificates: None, place });
            continue;
        }
        let Some(fields) = BUILDER.read(&field, problems) else { continue };
        if fields.get("endpoint").is_none() {
            let hint =
                "write the address of its Docker daemon, as in `ssh://ci@arm.example`, or a docker context's name";
            problems.error_with_hint(entry.key.span, format!("builder `{name}` has no `endpoint`"), hint);
            continue;
        }
        let Some(endpoint) = fields.read("endpoint", problems, Field::owned) else { continue };
        let platforms = fields.read("platforms", problems, platforms).unwrap_or_default();
        let certificates = fields.read("certificates", problems, Field::owned).map(PathBuf::from);
        check(&fields, &endpoint, certificates.is_some(), problems);
        builders.push(Builder { name, endpoint, platforms, certificates, place });
    }
    Some(builders)
}

/// The schemes of addresses. Without one, it is the name of a docker context.
const SCHEMES: &str = "write an address with `unix://`, `tcp://` or `ssh://`, or the name of a docker context";

fn is_known(endpoint: &str) -> bool {
    let known = |scheme: &str| matches!(scheme, "unix" | "npipe" | "tcp" | "http" | "https" | "ssh");
    endpoint.split_once("://").map_or(!endpoint.contains('/'), |(scheme, rest)| known(scheme) && !rest.is_empty())
}

fn check(fields: &Fields<'_>, endpoint: &str, has_certificates: bool, problems: &mut Problems) {
    let Some(field) = fields.get("endpoint") else { return };
    if !is_known(endpoint) {
        problems.error_with_hint(field.span(), format!("`{}` is `{endpoint}`", field.path), SCHEMES);
        return;
    }
    let scheme = endpoint.split_once("://").map_or("", |(scheme, _)| scheme);
    let takes_certificates = matches!(scheme, "tcp" | "https");
    if let (true, false, Some(certificates)) = (has_certificates, takes_certificates, fields.get("certificates")) {
        let message = format!("`{}` is for TLS, and `{endpoint}` does without", certificates.path);
        problems.error_with_hint(certificates.span(), message, "leave it out, or name a `tcp://` address");
    }
    if let ("https", false) = (scheme, has_certificates) {
        let message = format!("`{}` has TLS, for which `certificates` are missing", field.path);
        problems.error_with_hint(field.span(), message, "name the folder with `ca.pem`, `cert.pem` and `key.pem`");
    }
}

fn platforms(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Platform>> {
    let items = field.items_or_single(problems)?;
    Some(
        items.iter().filter_map(|item| item.name::<Platform>(problems)).map(|platform| platform.normalized()).collect(),
    )
}
