//! JUnit's XML, as Jenkins reads it: a suite for each image, a case for each scan and each finding.

use super::{Scanned, note, package};
use crate::scan::{Judged, JudgedFinding, Objection};

/// All images.
pub fn junit(images: &[Scanned<'_>]) -> String {
    let suites: Vec<Suite> = images.iter().map(suite).collect();
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&format!(
        "<testsuites name=\"longshore scan\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"{}\">\n",
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.skipped),
        sum(|suite| suite.errors)
    ));
    for suite in &suites {
        xml.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"{}\">\n{}  </testsuite>\n",
            suite.name, suite.tests, suite.failures, suite.skipped, suite.errors, suite.cases
        ));
    }
    xml.push_str("</testsuites>\n");
    xml
}

#[derive(Default)]
struct Suite {
    name: String,
    tests: usize,
    failures: usize,
    skipped: usize,
    errors: usize,
    cases: String,
}

fn suite(scanned: &Scanned<'_>) -> Suite {
    let mut suite = Suite { name: escaped(&scanned.name), ..Suite::default() };
    let gated = scanned.fail_on.is_some();
    let unknown = scanned.judgement.objections.iter().filter(|one| !matches!(one, Objection::Finding { .. }));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    for text in &unknown {
        suite.errors += 1;
        suite.case("scan", &format!("<error message=\"{0}\">{0}</error>", escaped(text)));
    }
    if unknown.is_empty() {
        suite.case("scan", "");
    }
    for one in &scanned.judgement.findings {
        let (name, text) = words(one, gated);
        let body = match &one.judged {
            Judged::Blocks | Judged::Expired(_) if gated => {
                suite.failures += 1;
                format!(
                    "<failure type=\"{}\" message=\"{}\">{}</failure>",
                    one.finding.severity,
                    escaped(&text),
                    escaped(&details(one, &text))
                )
            }
            Judged::Ignored(_) | Judged::Quiet(_) => {
                suite.skipped += 1;
                format!("<skipped message=\"{}\"/>", escaped(&note(one, gated)))
            }
            Judged::Blocks | Judged::Below | Judged::Expired(_) => {
                format!("<system-out>{}</system-out>", escaped(&text))
            }
        };
        suite.case(&name, &body);
    }
    suite
}

impl Suite {
    fn case(&mut self, name: &str, body: &str) {
        self.tests += 1;
        let head = format!("    <testcase classname=\"{}\" name=\"{}\"", self.name, escaped(name));
        self.cases.push_str(&match body.is_empty() {
            true => format!("{head}/>\n"),
            false => format!("{head}>{body}</testcase>\n"),
        });
    }
}

fn words(one: &JudgedFinding, gated: bool) -> (String, String) {
    let finding = &one.finding;
    let first = finding.packages.first();
    let name = match first {
        Some(first) => format!("{} in {}", finding.id, first.name),
        None => finding.id.clone(),
    };
    let mut text = format!("{} {}", finding.severity, finding.id);
    if let Some(first) = first {
        text.push_str(&format!(" in {}", package(first)));
        text.push_str(&first.fixed_in.as_ref().map_or(String::new(), |version| format!(", fixed in {version}")));
    }
    let note = note(one, gated);
    if !note.is_empty() {
        text.push_str(&format!(" ({note})"));
    }
    (name, text)
}

fn details(one: &JudgedFinding, text: &str) -> String {
    let parts = [Some(text), one.finding.title.as_deref(), one.finding.uri.as_deref()];
    let mut lines: Vec<String> = parts.into_iter().flatten().map(str::to_owned).collect();
    if !one.platforms.is_empty() {
        lines.push(one.platforms.join(", "));
    }
    lines.join("\n")
}

/// For attributes and text; characters that XML 1.0 does not know are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
