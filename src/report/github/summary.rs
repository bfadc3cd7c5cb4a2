//! The summary of a step, as GitHub shows it on the page of the run.

use super::gantt::gantt;
use crate::diagnostic::Diagnostics;
use crate::execute::report::{ImageReport, Outcome, Report};
use crate::plan::{ImageAction, ImagePlan, Plan};
use crate::report::size;
use crate::report::spans::Span;

/// The runner takes 1 MiB of a step's summaries, and fails one that is larger.
const LARGEST: usize = 900 * 1024;

/// What the run came to: a table of the images, what went wrong, and a chart of the time.
pub fn summary(plan: Option<&Plan>, report: Option<&Report>, spans: &[Span], problems: Option<&Diagnostics>) -> String {
    let mut out = format!("### {}\n\n", title(plan, report, problems));
    if let Some(problems) = problems {
        out.push_str(&errors(problems));
    }
    if let Some(plan) = plan.filter(|plan| !plan.images.is_empty()) {
        out.push_str(
            "| image | | tags | digest | size | build | push |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for (at, image) in plan.images.iter().enumerate() {
            let row = row(image, report.and_then(|report| report.images.get(at)));
            if out.len() + row.len() > LARGEST {
                out.push_str(&format!("\nand {} images more\n", plan.images.len() - at));
                break;
            }
            out.push_str(&row);
        }
        out.push('\n');
    }
    if let Some(chart) = gantt(spans).filter(|chart| out.len() + chart.len() <= LARGEST) {
        out.push_str(&chart);
    }
    out
}

fn title(plan: Option<&Plan>, report: Option<&Report>, problems: Option<&Diagnostics>) -> String {
    let took = report.map(|report| format!(" in {}", size::span(report.took))).unwrap_or_default();
    if problems.is_some() {
        return format!("Longshore failed{took}");
    }
    let images = plan.map(|plan| plan.images.as_slice()).unwrap_or_default();
    let reused = images.iter().filter(|image| matches!(image.action, ImageAction::Reuse { .. })).count();
    format!("Longshore: {} built, {reused} reused{took}", images.len() - reused)
}

fn row(image: &ImagePlan, done: Option<&ImageReport>) -> String {
    let (digest, size) = match done.map(|done| &done.outcome) {
        Some(Outcome::Published(published)) => (Some(&published.digest), published.size),
        Some(Outcome::Staged(digest)) => (Some(digest), None),
        Some(Outcome::Failed(_) | Outcome::Stopped) | None => (None, None),
    };
    let released = matches!(done.map(|done| &done.outcome), Some(Outcome::Published(_)));
    let tags: Vec<String> = image.tags.iter().filter(|_| released).map(|one| format!("`{}`", one.tag)).collect();
    let took = |time: Option<std::time::Duration>| time.map(size::span).unwrap_or_default();
    let cells = [
        format!("**{}**", cell(&image.name)),
        cell(&what(image, done)),
        tags.join(" "),
        digest.map(|digest| format!("`{digest}`")).unwrap_or_default(),
        size.map(size::bytes).unwrap_or_default(),
        took(done.and_then(|done| done.build_took)),
        took(done.and_then(|done| done.push_took)),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// What was done about the image, and why.
fn what(image: &ImagePlan, done: Option<&ImageReport>) -> String {
    match done.map(|done| &done.outcome) {
        Some(Outcome::Failed(_)) => return "failed".to_owned(),
        Some(Outcome::Stopped) | None => return "not finished".to_owned(),
        Some(Outcome::Published(_) | Outcome::Staged(_)) => {}
    }
    let staged = matches!(done.map(|done| &done.outcome), Some(Outcome::Staged(_)));
    let (word, why) = match &image.action {
        ImageAction::Build { why, .. } => ("built", why.join("; ")),
        ImageAction::Assemble { why, .. } => ("assembled", why.join("; ")),
        ImageAction::Reuse { why, .. } => ("reused", why.clone()),
    };
    let but = if staged { ", not released" } else { "" };
    if why.is_empty() { format!("{word}{but}") } else { format!("{word}{but}: {why}") }
}

/// The errors as a block of text, whose fence is longer than any in it.
fn errors(problems: &Diagnostics) -> String {
    let text: String = problems.iter().map(|problem| format!("error: {problem}\n")).collect();
    let text: String = text.chars().take(LARGEST / 8).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}{fence}\n\n")
}

/// Text in a cell of a table, which is to mean nothing but itself.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;

    #[test]
    fn text_in_a_table_means_only_itself() {
        assert_eq!(cell("a|b <img> *x* `y`\nz"), "a\\|b &lt;img> \\*x\\* \\`y\\` z");
    }

    #[test]
    fn errors_cannot_leave_their_block() {
        let problem = Diagnostic::input("no").caused_by("````\n# big");
        let expected = "### Longshore failed\n\n`````text\nerror: no\ncaused by: ````\n           # big\n`````\n\n";
        assert_eq!(summary(None, None, &[], Some(&problem.into())), expected);
    }
}
