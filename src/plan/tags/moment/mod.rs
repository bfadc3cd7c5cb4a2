//! Dates, in the format language of moment.js and in any time zone.
//!
//! Source: moment.js documentation, "Display", "Format"; moment-timezone documentation, "Formatting".

mod tokens;
mod written;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use time::OffsetDateTime;

use tokens::{Piece, expand, pieces};

/// The format that an empty one stands for, where the time is that of UTC.
const DEFAULT_UTC: &str = "YYYY-MM-DDTHH:mm:ss[Z]";
/// The format that an empty one stands for elsewhere.
const DEFAULT: &str = "YYYY-MM-DDTHH:mm:ssZ";

/// A time zone that somebody named.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    zone: TimeZone,
    /// Nobody knows its name; it is UTC instead, and has no abbreviation.
    pub unknown: bool,
}

impl Zone {
    /// The zone of this name in the IANA database, in any case, and with `_` for `/` as moment-timezone allows.
    pub fn named(name: &str) -> Self {
        let database = jiff::tz::db();
        let found = database.get(name).ok().or_else(|| {
            let normal = |name: &str| name.to_lowercase().replace('/', "_");
            let wanted = normal(name);
            let known = database.available().find(|known| normal(known.as_str()) == wanted)?;
            database.get(known.as_str()).ok()
        });
        Zone { unknown: found.is_none(), zone: found.unwrap_or(TimeZone::UTC) }
    }
}

/// Writes a time in a zone; to the millisecond, as JavaScript keeps it.
pub(super) fn format(time: OffsetDateTime, zone: &Zone, format: &str) -> String {
    let milliseconds = time.unix_timestamp_nanos().div_euclid(1_000_000);
    let timestamp = i64::try_from(milliseconds).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    let zoned = timestamp.unwrap_or_default().to_zoned_datetime(zone.zone.clone());
    let format = match format {
        "" if zoned.offset().seconds() == 0 => DEFAULT_UTC,
        "" => DEFAULT,
        _ => format,
    };
    let mut out = String::new();
    for piece in pieces(&expand(format)) {
        match piece {
            Piece::Token(token) => written::token(token, &zoned, abbreviation(&zoned, zone), &mut out),
            Piece::Text(text) => out.push_str(&text),
        }
    }
    out
}

fn abbreviation(zoned: &ZonedDateTime, zone: &Zone) -> String {
    if zone.unknown {
        return String::new();
    }
    zoned.time_zone().to_offset_info(zoned.timestamp()).abbreviation().to_owned()
}

#[cfg(test)]
mod tests;
