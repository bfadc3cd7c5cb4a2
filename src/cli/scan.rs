//! `longshore scan`

use std::path::PathBuf;

use clap::Args;

use super::{FactArgs, PipelineArgs, RegistryArgs};
use crate::scan::Severity;

/// `longshore scan`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore scan web                          the image that this checkout's tags name, by its gate\n  \
                        longshore scan web:1.2.3 --fail-on CRITICAL\n  \
                        longshore scan shop/web@sha256:… --sarif scan.sarif --json"
)]
pub struct ScanArgs {
    /// An image of the pipeline, REPOSITORY:TAG or REPOSITORY@DIGEST, or a whole reference with its host
    #[arg(value_name = "IMAGE|REF")]
    pub image: String,
    /// Fail for findings as bad as this or worse, in place of what the image's gate says
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub files: ScanFileArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub facts: FactArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}

/// The files that findings are written to.
#[derive(Debug, Default, Args)]
pub struct ScanFileArgs {
    /// Write what scans found as SARIF 2.1.0, for code scanning, also after a failure
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Write what scans found as JUnit XML, also after a failure
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}
