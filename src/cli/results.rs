//! What `run` and `promote` write and print besides the pipeline's own files.

use std::path::PathBuf;

use clap::Args;

use super::ScanFileArgs;

/// Where the results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub struct ResultArgs {
    /// Write a report of everything as JSON, also after a failure
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print the report as JSON instead of the references
    #[arg(long)]
    pub json: bool,
    /// Write what was pushed as NAME=value lines, for a shell to source and for dotenv reports; gone after a failure
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Write the same as Java properties, for Jenkins' `readProperties`
    #[arg(long, value_name = "FILE")]
    pub properties: Option<PathBuf>,
    /// Print metrics into the log, in CloudWatch's embedded metric format
    #[arg(long)]
    pub emf: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub scans: ScanFileArgs,
}

impl ResultArgs {
    /// The files that are written.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let scans = [&self.scans.sarif, &self.scans.junit];
        [&self.report, &self.env_file, &self.properties].into_iter().chain(scans).flatten()
    }
}
