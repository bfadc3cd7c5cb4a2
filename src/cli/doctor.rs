//! `longshore doctor`

use clap::Args;

use super::{PipelineArgs, RegistryArgs};

/// `longshore doctor`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore doctor           what a run needs, and how each of it is\n  \
    longshore doctor --json    the same for programs\n\n\
    It changes nothing. The exit code is that of the gravest problem, 0 if there is none.")]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}
