//! The only room that prints, and that writes results.
#![expect(clippy::print_stderr, reason = "this is the room that the wall keeps printing in")]

pub mod facts;
pub mod files;
pub mod json;
mod lines;
pub mod progress;
mod size;
pub mod tags;

use std::io::Write;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{Outcome, Report};

pub use lines::Colors;

/// Prints a result, which is all that stdout is for. A reader that has gone away is no failure of ours.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints a result as JSON.
pub fn print_json(value: &impl Serialize) {
    print(&json::text(value));
}

/// Prints the name and the digest of every published image, one a line.
pub fn print_references(report: &Report) {
    for image in &report.images {
        if let Outcome::Published(published) = &image.outcome {
            for reference in &published.references {
                print(&format!("{reference} {}", published.digest));
            }
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
