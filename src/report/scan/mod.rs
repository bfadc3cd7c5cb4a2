//! What scans found, for people and for programs.

mod json;
mod junit;
mod sarif;
mod table;

use crate::names::ImageRef;
use crate::scan::{ImageScan, Judged, JudgedFinding, Judgement, Package, Severity, Standing};

pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use table::{counts, table};

/// One image whose scans are known.
#[derive(Debug, Clone)]
pub struct Scanned<'a> {
    /// Its key in the pipeline file, or what the user called it.
    pub name: String,
    /// Its name by digest.
    pub image: ImageRef,
    /// Its Dockerfile, relative to the checkout's root, with `/`; where code scanning shows the findings.
    pub file: Option<String>,
    /// What closes the gate; nothing where there is no gate.
    pub fail_on: Option<Severity>,
    /// What came of each of its manifests.
    pub scans: &'a [ImageScan],
    /// What the gate makes of it.
    pub judgement: &'a Judgement,
}

/// What the gate makes of a finding, in words; nothing where there is nothing to say.
fn note(one: &JudgedFinding, gated: bool) -> String {
    match &one.judged {
        Judged::Blocks if gated => "closes the gate".to_owned(),
        Judged::Blocks | Judged::Below => String::new(),
        Judged::Ignored(ignore) => format!("ignored until {}: {}", ignore.until, ignore.reason),
        Judged::Expired(ignore) => format!("closes the gate: ignored until {} only: {}", ignore.until, ignore.reason),
        Judged::Quiet(Standing::Suppressed) => "suppressed in Inspector".to_owned(),
        Judged::Quiet(_) => "closed in Inspector".to_owned(),
    }
}

/// As in `openssl 3.0.1`.
fn package(package: &Package) -> String {
    match &package.version {
        Some(version) => format!("{} {version}", package.name),
        None => package.name.clone(),
    }
}
