//! What `longshore copy` prints.

use std::time::Duration;

use serde_json::json;

use super::{json, size};
use crate::names::{Digest, ImageRef};
use crate::retry::Sum;

/// What moved, counted over all destinations.
#[derive(Debug, Default)]
pub struct Sent {
    /// Blobs that were sent.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were there already.
    pub there: usize,
    /// Blobs that a registry took from another of its repositories.
    pub mounted: usize,
}

/// A copy that is done.
#[derive(Debug)]
pub struct Copied<'a> {
    /// What was copied.
    pub source: &'a ImageRef,
    /// Its digest, the same everywhere.
    pub digest: &'a Digest,
    /// Its new names, and whether each meant it before.
    pub goals: Vec<(&'a ImageRef, bool)>,
    /// What moved.
    pub sent: Sent,
    /// How long it took.
    pub took: Duration,
}

impl Copied<'_> {
    /// For people, in one line.
    pub fn summary(&self) -> String {
        let Sent { blobs, bytes, there, mounted } = &self.sent;
        let mounted = if *mounted == 0 { String::new() } else { format!(", {mounted} mounted") };
        let took = size::span(self.took);
        format!("copied in {took}: {blobs} blobs sent ({}), {there} there already{mounted}", size::bytes(*bytes))
    }

    /// Every name with the digest, one a line.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self.goals.iter().map(|(image, _)| format!("{image} {}", self.digest)).collect();
        lines.join("\n")
    }

    /// For programs. Fields are only ever added.
    pub fn json(&self, retries: Sum) -> String {
        let goals = self.goals.iter().map(
            |(image, before)| json!({ "reference": image, "status": if *before { "unchanged" } else { "copied" } }),
        );
        let document = json!({
            "version": 1,
            "source": self.source,
            "digest": self.digest,
            "destinations": goals.collect::<Vec<_>>(),
            "blobs_sent": self.sent.blobs,
            "bytes_sent": self.sent.bytes,
            "blobs_there": self.sent.there,
            "blobs_mounted": self.sent.mounted,
        });
        json::text(&json::with_retries(document, retries))
    }
}
