//! The only room that prints, and that writes results.

pub mod audit;
pub mod context;
pub mod copy;
pub mod cost;
pub mod doctor;
pub mod emf;
pub mod facts;
pub mod files;
pub mod github;
pub mod handover;
pub mod images;
pub mod infrastructure;
pub mod json;
pub mod keys;
pub mod lifecycle;
mod lines;
pub mod paths;
pub mod plan;
pub mod progress;
pub mod repository;
pub mod scan;
mod signing;
mod size;
pub mod spans;
pub mod tags;
pub mod task_definition;
pub mod timeline;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::execute::report::{Outcome, Report};
use crate::names::ImageRef;
use crate::plan::Plan;
use crate::retry::Retry;

pub use lines::Colors;

/// Prints a result, which is all that stdout is for. A reader that has gone away is no failure of ours.
///
/// # Errors
/// If stdout does not take it, as where the disk behind it is full.
pub fn print(text: &str) -> Result<(), Diagnostic> {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Diagnostic::input("cannot write to stdout").caused_by(error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a part of a result as it stands.
///
/// # Errors
/// As [`print`].
pub fn print_part(text: &str) -> Result<(), Diagnostic> {
    match write!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Diagnostic::input("cannot write to stdout").caused_by(error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a result as JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl Serialize) -> Result<(), Diagnostic> {
    print(&json::text(value))
}

/// Prints the name and the digest of every published image, one a line; of one that is staged only, its name by digest.
///
/// # Errors
/// As [`print`].
pub fn print_references(plan: &Plan, report: &Report) -> Result<(), Diagnostic> {
    for (planned, image) in plan.images.iter().zip(&report.images) {
        match &image.outcome {
            Outcome::Published(published) => {
                for reference in &published.references {
                    print(&format!("{reference} {}", published.digest))?;
                }
            }
            Outcome::Staged(digest) => {
                print(&format!("{} {digest}", ImageRef::digested(&plan.registry, &planned.repository, digest)))?;
            }
            Outcome::Failed(_) | Outcome::Stopped => {}
        }
    }
    Ok(())
}

/// Tells that something is tried again, on stderr.
///
/// Look-ups that are made at once fail at once where nobody answers: `told` keeps those for the same reason to one line.
pub fn note_retry(retry: &Retry, told: &RefCell<BTreeSet<(String, u32)>>) {
    if let Some(line) = progress::retried(retry)
        && told.borrow_mut().insert((retry.cause.clone(), retry.attempt))
    {
        note(&lines::safe(&line));
    }
}

/// Tells what went wrong, on stderr.
pub fn errors(diagnostics: &Diagnostics, colors: Colors) {
    for diagnostic in diagnostics.iter() {
        note(&lines::labelled("error", diagnostic, colors));
    }
}

/// Tells what may go wrong, on stderr.
pub fn warnings(diagnostics: &[Diagnostic], colors: Colors) {
    for diagnostic in diagnostics {
        note(&lines::labelled("warning", diagnostic, colors));
    }
}

/// As [`note`], of something in which words of strangers are: it stays on one line and says nothing to a terminal or a
/// CI system.
pub fn remark(text: &str) {
    note(&lines::safe(text).replace('\n', " "));
}

/// Says something in passing, on stderr. That nobody can hear it is no reason to stop the work.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
