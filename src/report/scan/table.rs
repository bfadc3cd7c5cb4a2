//! For people: a table by severity and package.

use super::{Scanned, note, package};
use crate::scan::{Judgement, Severity};

/// How long an identifier of a platform list may get in the table.
const HEAD: [&str; 5] = ["SEVERITY", "FINDING", "PACKAGE", "FIXED IN", ""];

/// As in `2 CRITICAL, 1 LOW`.
pub fn counts<'a>(counts: impl IntoIterator<Item = (&'a Severity, &'a usize)>) -> String {
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|a, b| b.0.cmp(a.0));
    match all.is_empty() {
        true => "no findings".to_owned(),
        false => all.iter().map(|(severity, count)| format!("{count} {severity}")).collect::<Vec<_>>().join(", "),
    }
}

/// The findings of one image.
pub fn table(scanned: &Scanned<'_>) -> String {
    let judgement = scanned.judgement;
    let mut lines = vec![format!("{}: {}", scanned.image, counts(&judgement.counts()))];
    let several = scanned.scans.len() > 1;
    let rows = judgement.findings.iter().map(|one| {
        let finding = &one.finding;
        let first = finding.packages.first();
        let more = finding.packages.len().saturating_sub(1);
        let mut name = first.map(package).unwrap_or_default();
        if more > 0 {
            name.push_str(&format!(" and {more} more"));
        }
        let mut notes = Vec::new();
        if finding.exploit_available == Some(true) {
            notes.push("an exploit is known".to_owned());
        }
        if several && one.platforms.len() < scanned.scans.len() {
            notes.push(format!("only {}", one.platforms.join(", ")));
        }
        notes.extend(Some(note(one, scanned.fail_on.is_some())).filter(|text| !text.is_empty()));
        let fixed = first.and_then(|package| package.fixed_in.clone()).unwrap_or_else(|| "-".to_owned());
        [finding.severity.to_string(), finding.id.clone(), name, fixed, notes.join("; ")]
    });
    let rows: Vec<[String; 5]> = rows.collect();
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(aligned(&rows));
    }
    lines.extend(verdict(judgement, scanned.fail_on));
    lines.join("\n")
}

fn verdict(judgement: &Judgement, fail_on: Option<Severity>) -> Vec<String> {
    let notices = judgement.notices.iter().map(|notice| format!("note: {notice}"));
    let mut lines: Vec<String> = if fail_on.is_some() { notices.collect() } else { Vec::new() };
    if let Some(fail_on) = fail_on {
        let blocking = judgement.findings.iter().filter(|one| one.judged.blocks()).count();
        lines.push(match (judgement.is_open(), blocking) {
            (true, _) => format!("the gate is open: nothing as bad as {fail_on}"),
            (false, 0) => "the gate is closed: it is not known what is in the image".to_owned(),
            (false, 1) => format!("the gate is closed by 1 finding (fail_on: {fail_on})"),
            (false, count) => format!("the gate is closed by {count} findings (fail_on: {fail_on})"),
        });
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

fn aligned(rows: &[[String; 5]]) -> Vec<String> {
    let mut widths = HEAD.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: [&str; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let all = std::iter::once(HEAD).chain(rows.iter().map(|row| row.each_ref().map(String::as_str)));
    all.map(line).collect()
}
