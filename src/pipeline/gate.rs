//! `gate:`, what an image's scan may find before its release tags are written.

use std::time::Duration;

use time::Date;
use time::macros::format_description;

use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::reuse::seconds;
use crate::scan::{Ignore, OnUnsupported, Policy, ScanMode, Severity};

pub(super) const GATE: Schema = Schema {
    expected: "a severity, `false` or a map",
    fields: &[
        ("fail_on", &["fail-on"]),
        ("ignore", &[]),
        ("timeout", &[]),
        ("unsupported", &[]),
        ("scan", &[]),
        ("settle", &[]),
    ],
    unsupported: &[],
};

pub(super) const IGNORE: Schema = Schema {
    expected: "a map with `id`, `until` and `reason`",
    fields: &[("id", &[]), ("until", &[]), ("reason", &[])],
    unsupported: &[],
};

/// A gate as one place of the file gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct GatePart {
    off: bool,
    fail_on: Option<Severity>,
    ignore: Option<Vec<Ignore>>,
    timeout: Option<Duration>,
    unsupported: Option<OnUnsupported>,
    scan: Option<ScanMode>,
    settle: Option<Duration>,
}

impl GatePart {
    /// Reads a gate: a severity for `fail_on` alone, `false` for none, or a map.
    pub fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Self> {
        if let Value::Text(text) = &field.node.value {
            return match text.as_str() {
                "false" => Some(GatePart { off: true, ..GatePart::default() }),
                "true" => Some(GatePart::default()),
                _ => severity(field, problems).map(|it| GatePart { fail_on: Some(it), ..GatePart::default() }),
            };
        }
        let fields = GATE.read(field, problems)?;
        Some(GatePart {
            off: false,
            fail_on: fields.read("fail_on", problems, severity),
            ignore: fields.read("ignore", problems, ignores),
            timeout: fields.read("timeout", problems, span),
            unsupported: fields.read("unsupported", problems, |field, problems| {
                word(field, problems, &[("fail", OnUnsupported::Fail), ("warn", OnUnsupported::Warn)])
            }),
            scan: fields.read("scan", problems, |field, problems| {
                word(field, problems, &[("auto", ScanMode::Auto), ("never", ScanMode::Never)])
            }),
            settle: fields.read("settle", problems, span),
        })
    }

    /// This gate, with the defaults for whatever it leaves open.
    #[must_use]
    pub fn over(self, defaults: Option<&GatePart>) -> Self {
        let Some(defaults) = defaults.filter(|defaults| !defaults.off) else { return self };
        GatePart {
            off: self.off,
            fail_on: self.fail_on.or(defaults.fail_on),
            ignore: self.ignore.or_else(|| defaults.ignore.clone()),
            timeout: self.timeout.or(defaults.timeout),
            unsupported: self.unsupported.or(defaults.unsupported),
            scan: self.scan.or(defaults.scan),
            settle: self.settle.or(defaults.settle),
        }
    }

    /// What it lets through, if it is on.
    pub fn finish(self) -> Option<Policy> {
        let usual = Policy::default();
        (!self.off).then(|| Policy {
            fail_on: self.fail_on.unwrap_or(usual.fail_on),
            ignore: self.ignore.unwrap_or_default(),
            timeout: self.timeout.unwrap_or(usual.timeout),
            unsupported: self.unsupported.unwrap_or_default(),
            scan: self.scan.unwrap_or_default(),
            settle: self.settle.unwrap_or(usual.settle),
        })
    }
}

fn severity(field: &Field<'_>, problems: &mut Problems) -> Option<Severity> {
    match field.text(problems)?.parse() {
        Ok(severity) => Some(severity),
        Err(message) => {
            problems.error(field.span(), format!("`{}`: {message}", field.path));
            None
        }
    }
}

/// One of a few words.
fn word<T: Copy>(field: &Field<'_>, problems: &mut Problems, words: &[(&str, T)]) -> Option<T> {
    let text = field.text(problems)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        problems.error(field.span(), format!("`{}` must be {}, not `{text}`", field.path, words.join(" or ")));
    }
    found
}

fn span(field: &Field<'_>, problems: &mut Problems) -> Option<Duration> {
    let text = field.text(problems)?;
    // Beyond a day, clocks would overflow sooner than a scan ends.
    let found = seconds(text).filter(|seconds| *seconds <= 24 * 60 * 60);
    if found.is_none() {
        let message = format!("`{}`: `{text}` is not a time span of a day at most", field.path);
        problems.error_with_hint(field.span(), message, "a time span looks like `10m` or `90s`");
    }
    found.map(Duration::from_secs)
}

fn ignores(field: &Field<'_>, problems: &mut Problems) -> Option<Vec<Ignore>> {
    let items = field.items("a list", problems)?;
    Some(items.iter().filter_map(|item| ignore(item, problems)).collect())
}

fn ignore(field: &Field<'_>, problems: &mut Problems) -> Option<Ignore> {
    let fields = IGNORE.read(field, problems)?;
    for name in ["id", "until", "reason"] {
        if fields.get(name).is_none() {
            let hint = "write `{ id: CVE-2024-3094, until: 2026-12-31, reason: why it can be borne so long }`";
            problems.error_with_hint(field.span(), format!("`{}` has no `{name}`", field.path), hint);
        }
    }
    let id = fields.read("id", problems, Field::owned);
    let until = fields.read("until", problems, date);
    let reason = fields.read("reason", problems, Field::owned);
    Some(Ignore { id: id?, until: until?, reason: reason? })
}

fn date(field: &Field<'_>, problems: &mut Problems) -> Option<Date> {
    let text = field.text(problems)?;
    let found = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    if found.is_none() {
        let message = format!("`{}`: `{text}` is no date", field.path);
        problems.error_with_hint(field.span(), message, "a date looks like `2026-12-31`; it is the last day, in UTC");
    }
    found
}
