//! A line for each operation that was answered.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::local::operation::Operation;

/// Where the lines go.
pub struct Log(Mutex<File>);

/// What a line says, as JSON.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// When the request came, in seconds since 1970.
    pub at: f64,
    /// The registry, where it stands beside the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// What it was.
    #[serde(flatten)]
    pub operation: Operation,
    /// The HTTP status of the answer; null where the connection was reset in its place.
    pub status: Option<u16>,
    /// The faults that struck.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<&'static str>,
    /// The length of the request's body in bytes; null where the client did not say it.
    pub received_bytes: Option<u64>,
    /// The length of the answer's body in bytes.
    pub sent_bytes: Option<u64>,
}

impl Log {
    /// Opens the file and adds to its end.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Log(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Writes a line, whole or, where the disk is full, not at all as far as anybody may rely on it.
    pub fn write(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        // An answer is worth more than its line.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
    }
}
