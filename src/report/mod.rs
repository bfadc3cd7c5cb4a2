//! The only room that prints, and that writes results.
#![expect(clippy::print_stderr, reason = "this is the room that the wall keeps printing in")]

pub mod files;
pub mod json;
mod lines;
pub mod plan;
pub mod progress;
mod size;
pub mod tags;

use std::io::Write;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{Outcome, Report};
use crate::names::ImageRef;
use crate::plan::Plan;

pub use lines::Colors;

/// Prints a result, which is all that stdout is for. A reader that has gone away is no failure of ours.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints a result as JSON.
pub fn print_json(value: &impl Serialize) {
    print(&json::text(value));
}

/// Prints the name and the digest of every published image, one a line; of one that is staged only, its name by digest.
pub fn print_references(plan: &Plan, report: &Report) {
    for (planned, image) in plan.images.iter().zip(&report.images) {
        match &image.outcome {
            Outcome::Published(published) => {
                for reference in &published.references {
                    print(&format!("{reference} {}", published.digest));
                }
            }
            Outcome::Staged(digest) => {
                print(&format!("{} {digest}", ImageRef::digested(&plan.registry, &planned.repository, digest)));
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        }
    }
}

/// Tells what went wrong, on stderr.
pub fn errors(diagnostics: &Diagnostics, colors: Colors) {
    for diagnostic in diagnostics.iter() {
        eprintln!("{}", lines::labelled("error", diagnostic, colors));
    }
}

/// Tells what may go wrong, on stderr.
pub fn warnings(diagnostics: &[Diagnostic], colors: Colors) {
    for diagnostic in diagnostics {
        eprintln!("{}", lines::labelled("warning", diagnostic, colors));
    }
}

/// Says something in passing, on stderr.
pub fn note(text: &str) {
    eprintln!("{text}");
}
