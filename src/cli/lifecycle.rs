//! What may be typed after `longshore lifecycle`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PipelineArgs, PlaceArgs, PriceArgs};
use crate::names::RepositoryName;

/// `longshore lifecycle`
#[derive(Debug, Args)]
pub struct LifecycleArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LifecycleCommand,
}

/// What to do with a lifecycle policy.
#[derive(Debug, Subcommand)]
pub enum LifecycleCommand {
    /// Say what is wrong with a policy, and what is valid and surprising
    Lint(LintArgs),
    /// Print a policy in ECR's form
    Show(ShowArgs),
    /// Say what a policy would do, without asking ECR to do it
    Simulate(SimulateArgs),
    /// Ask ECR what a policy would do, and compare with the simulation
    Preview(PreviewArgs),
    /// Put a policy on a repository, unless it would delete too much
    Apply(ApplyArgs),
}

/// The policy that it is about.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The policy: ECR's JSON, or YAML, or the short form
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
}

/// What keeps a policy from deleting more than was meant.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Refuse a lifecycle policy that would delete more than so many percent of the images
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub max_expire: u8,
}

/// `longshore lifecycle lint`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore lifecycle lint --policy policy.json")]
pub struct LintArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub policy: PolicyArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
}

/// `longshore lifecycle show`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore lifecycle show --policy short.yaml    print what becomes of the short form"
)]
pub struct ShowArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub policy: PolicyArgs,
}

/// `longshore lifecycle simulate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    aws ecr describe-images --repository-name web > images.json\n  \
    longshore lifecycle simulate --policy policy.json --images images.json\n  \
    longshore lifecycle simulate --policy policy.json web --passes 30")]
pub struct SimulateArgs {
    /// The repository whose images are looked at
    #[arg(value_name = "REPOSITORY", required_unless_present = "images")]
    pub repository: Option<RepositoryName>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub policy: PolicyArgs,
    /// What `aws ecr describe-images` printed, in place of a repository; an index may have `children`, a list of digests
    #[arg(long, value_name = "FILE", conflicts_with_all = ["repository", "registry", "region"])]
    pub images: Option<PathBuf>,
    /// The time of the run, such as 2024-05-06T07:08:09Z [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub at: Option<String>,
    /// How many daily runs to simulate
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub passes: u16,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub prices: PriceArgs,
    /// Print as JSON, in the shape of ECR's preview
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// `longshore lifecycle preview`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore lifecycle preview shop/web --policy policy.json")]
pub struct PreviewArgs {
    /// The repository
    #[arg(value_name = "REPOSITORY")]
    pub repository: RepositoryName,
    /// The policy: ECR's JSON, or YAML, or the short form [default: the one that the repository has]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}

/// `longshore lifecycle apply`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore lifecycle apply shop/web --policy policy.json\n  \
    longshore lifecycle apply shop/web --policy policy.json --max-expire 50")]
pub struct ApplyArgs {
    /// The repository
    #[arg(value_name = "REPOSITORY")]
    pub repository: RepositoryName,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub guard: GuardArgs,
    /// Put it there whatever it would delete
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub place: PlaceArgs,
}
