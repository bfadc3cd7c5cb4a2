//! What `longshore key` prints.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Serialize;

use crate::key::{AlwaysBuild, ContentKey, ImageKey, KeyRecord};
use crate::names::{Platform, Tag};
use crate::retry::Sum;

#[derive(Serialize)]
struct JsonKey<'a> {
    /// The key; null if the image has none.
    key: Option<&'a str>,
    /// The tag that goes with it.
    tag: Option<Tag>,
    /// Why the image has no key.
    always_built: Option<&'a str>,
    record: &'a KeyRecord,
    /// The same for each platform, where the image is an index.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    platforms: BTreeMap<&'a Platform, JsonKey<'a>>,
}

impl<'a> JsonKey<'a> {
    fn new(key: &'a Result<ContentKey, AlwaysBuild>, record: &'a KeyRecord) -> Self {
        JsonKey {
            key: key.as_ref().ok().map(ContentKey::as_str),
            tag: key.as_ref().ok().map(ContentKey::tag),
            always_built: key.as_ref().err().map(|always| always.reason.as_str()),
            record,
            platforms: BTreeMap::new(),
        }
    }
}

/// The keys as JSON: `{"images": {NAME: {"key", "tag", "always_built", "record", "platforms"}}, "retries"}`.
pub fn json(keys: &[ImageKey], retries: Sum) -> String {
    let images = keys.iter().map(|image| {
        let platforms = image.platforms.iter().map(|part| (&part.platform, JsonKey::new(&part.key, &part.record)));
        let entry = JsonKey { platforms: platforms.collect(), ..JsonKey::new(&image.key, &image.record) };
        (image.name.clone(), serde_json::to_value(entry).unwrap_or_default())
    });
    let images: serde_json::Map<String, serde_json::Value> = images.collect();
    super::json::text(&super::json::with_retries(serde_json::json!({ "images": images }), retries))
}

/// The keys one a line; with the image's name before them where there are several images.
pub fn plain(keys: &[ImageKey]) -> String {
    let known = keys.iter().filter_map(|image| Some((&image.name, image.key.as_ref().ok()?)));
    let line = |(name, key)| if keys.len() > 1 { format!("{name} {key}\n") } else { format!("{key}\n") };
    known.map(line).collect()
}

/// Each key with its parts. Of arguments and labels only short digests are there.
pub fn explained(keys: &[ImageKey]) -> String {
    let mut text = String::new();
    for image in keys {
        text.push_str(&format!("{}  {}\n", image.name, kept(&image.key)));
        if image.platforms.is_empty() {
            add_rows(&mut text, &image.record);
        }
        for part in &image.platforms {
            text.push_str(&format!("{} {}  {}\n", image.name, part.platform, kept(&part.key)));
            add_rows(&mut text, &part.record);
        }
    }
    text
}

fn kept(key: &Result<ContentKey, AlwaysBuild>) -> String {
    match key {
        Ok(key) => format!("{key}, kept as {}", key.tag()),
        Err(always) => format!("always built: {}", always.reason),
    }
}

fn add_rows(text: &mut String, record: &KeyRecord) {
    let rows = rows(record);
    let width = rows.iter().map(|(part, _)| part.chars().count()).max().unwrap_or(0);
    for (part, value) in rows {
        text.push_str(&format!("  {part:width$}  {value}\n"));
    }
}

fn rows(record: &KeyRecord) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut add = |part: &str, value: &dyn Display| rows.push((part.to_owned(), value.to_string()));
    add("platform", &record.platform);
    add("Dockerfile", &record.dockerfile);
    for (part, value) in [("target", &record.target), ("network", &record.network)] {
        if let Some(value) = value {
            add(part, value);
        }
    }
    if let Some(bytes) = record.shm_size {
        add("shm_size", &bytes);
    }
    if let Some(origin) = &record.origin {
        add("context", origin);
    }
    add("files", &format!("{} ({})", record.files.digest, record.files.count));
    if let Some(checkout) = &record.checkout {
        add(".git", &format!("{} {}", checkout.commit, checkout.tags.join(" ")).trim_end());
    }
    for (reference, digest) in &record.bases {
        add(&format!("base image {reference}"), digest);
    }
    for (kind, keys) in [("image", &record.dependencies), ("context", &record.contexts)] {
        for (name, key) in keys {
            add(&format!("{kind} {name}"), key);
        }
    }
    let named = [
        ("context", &record.named),
        ("argument", &record.args),
        ("label", &record.labels),
        ("extra host", &record.extra_hosts),
        ("limit", &record.ulimits),
        ("attestation", &record.attestations),
    ];
    for (kind, values) in named {
        for (name, value) in values {
            add(&format!("{kind} {name}"), value);
        }
    }
    for (kind, ids) in [("secret", &record.secrets), ("ssh agent", &record.ssh), ("entitlement", &record.entitlements)]
    {
        for id in ids {
            add(kind, id);
        }
    }
    rows
}
