//! `push:` and `compression:`, how an image gets to the registry.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;

/// How an image gets to the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transport {
    /// Who brings it there.
    pub by: PushBy,
    /// How layers are compressed that the engine does not compress.
    pub compression: Compression,
}

/// Who brings an image to the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PushBy {
    /// Whoever takes less time.
    #[default]
    Auto,
    /// Longshore itself, from what the daemon hands out.
    Direct,
    /// The daemon's own push.
    Daemon,
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// What every engine can pull.
    Gzip {
        /// 1 to 12.
        level: u8,
    },
    /// Faster and smaller; Docker before 23.0 cannot pull it.
    Zstd {
        /// 1 to 19.
        level: u8,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Compression::Gzip { level: GZIP }
    }
}

/// Smaller than what the engine makes, and twice as fast.
const GZIP: u8 = 6;

/// zstd's own default.
const ZSTD: u8 = 3;

pub(super) const SCHEMA: Schema =
    Schema { expected: "`gzip`, `zstd` or a map", fields: &[("type", &[]), ("level", &[])], unsupported: &[] };

/// Reads `push:`.
pub(super) fn push(field: &Field<'_>, problems: &mut Problems) -> Option<PushBy> {
    match field.text(problems)? {
        "auto" => Some(PushBy::Auto),
        "direct" => Some(PushBy::Direct),
        "daemon" => Some(PushBy::Daemon),
        other => {
            let message = format!("`{}` must be `auto`, `direct` or `daemon`, not `{other}`", field.path);
            problems.error(field.span(), message);
            None
        }
    }
}

/// Reads `compression:`.
pub(super) fn compression(field: &Field<'_>, problems: &mut Problems) -> Option<Compression> {
    if matches!(field.node.value, Value::Text(_)) {
        return kind(field, problems);
    }
    let fields = SCHEMA.read(field, problems)?;
    let kind = match fields.get("type") {
        Some(field) => kind(field, problems)?,
        None => Compression::default(),
    };
    let Some(field) = fields.get("level") else { return Some(kind) };
    let text = field.text(problems)?;
    let (name, most) = match kind {
        Compression::Gzip { .. } => ("gzip", 12),
        Compression::Zstd { .. } => ("zstd", 19),
    };
    match text.parse::<u8>().ok().filter(|level| (1..=most).contains(level)) {
        Some(level) => Some(match kind {
            Compression::Gzip { .. } => Compression::Gzip { level },
            Compression::Zstd { .. } => Compression::Zstd { level },
        }),
        None => {
            problems.error(field.span(), format!("{name} has the levels 1 to {most}, not `{text}`"));
            None
        }
    }
}

fn kind(field: &Field<'_>, problems: &mut Problems) -> Option<Compression> {
    match field.text(problems)? {
        "gzip" => Some(Compression::Gzip { level: GZIP }),
        "zstd" => Some(Compression::Zstd { level: ZSTD }),
        other => {
            problems.error(field.span(), format!("`{}` must be `gzip` or `zstd`, not `{other}`", field.path));
            None
        }
    }
}

impl Transport {
    /// Whether it is what nobody asked for.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for Compression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, level) = match self {
            Compression::Gzip { level } => ("gzip", level),
            Compression::Zstd { level } => ("zstd", level),
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", name)?;
        map.serialize_entry("level", level)?;
        map.end()
    }
}

impl Serialize for Transport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("push", &self.by)?;
        map.serialize_entry("compression", &self.compression)?;
        map.end()
    }
}
