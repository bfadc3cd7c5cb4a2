//! What may be typed after `longshore repo`.

use clap::{Args, Subcommand};

use super::PlaceArgs;
use super::lifecycle::GuardArgs;

/// `longshore repo`
#[derive(Debug, Args)]
pub struct RepoArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RepoCommand,
}

/// What to do about repositories.
#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// Say in which stated settings the repositories differ from ECR's
    Plan(RepoPlanArgs),
    /// Create what is missing, and set what differs
    Apply(RepoApplyArgs),
}

/// Which repositories, and how far they are brought in line.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// The repositories, of those in the pipeline file; globs such as `shop/*` too [default: all]
    #[arg(value_name = "REPOSITORY")]
    pub repositories: Vec<String>,
    /// Remove resource tags that the pipeline file does not state
    #[arg(long)]
    pub prune_tags: bool,
    /// Change settings of the whole registry as well, where a repository's own do not count
    #[arg(long)]
    pub registry_wide: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub guard: GuardArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// `longshore repo plan`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore repo plan\n  longshore repo plan 'shop/*' --json")]
pub struct RepoPlanArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Answer by the exit code: 0 nothing to do, 2 something to do, 1 an error of any kind
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub which: WhichArgs,
}

/// `longshore repo apply`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore repo apply shop/web\n  \
                        longshore repo apply --prune-tags    remove resource tags that the file does not state")]
pub struct RepoApplyArgs {
    /// Set lifecycle policies whatever they would delete
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub which: WhichArgs,
}
