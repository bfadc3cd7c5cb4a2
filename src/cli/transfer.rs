//! `longshore promote` and `longshore copy`: images that are there already.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::{PipelineArgs, Progress, RegistryArgs, ResultArgs};
use crate::names::{AccountId, Region, RegistryHost, RoleArn, Tag};

/// `longshore promote`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore promote 4f2e1a0 --to 1.2.3 --env prod     release what the commit's run pushed\n  \
                        longshore promote 1.2.3 web --to 1.2.3 --to-region eu-west-1\n\n\
                        Nothing is built and the Docker daemon is not asked; digests never change. The images are \
                        promoted together, all or none."
)]
pub struct PromoteArgs {
    /// What to promote: a tag, a digest, or a content key as `longshore key` prints it
    #[arg(value_name = "KEY|TAG|DIGEST")]
    pub source: String,
    /// The images to promote; globs such as `web-*` too [default: all that the source names]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// The tags to write; also separated by commas
    #[arg(long, value_name = "TAG", num_args = 1.., value_delimiter = ',', required_unless_present = "env")]
    pub to: Vec<Tag>,
    /// The environment, one of the pipeline's `environments`: its name is a tag to write
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub env: Option<String>,
    /// Write release tags without asking the gates, and without waiting for signatures
    #[arg(long)]
    pub no_gate: bool,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub progress: Progress,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub results: ResultArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub elsewhere: ElsewhereArgs,
}

/// Another registry that the tags are written in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Into another registry, in place of the pipeline's own and its replicas")]
pub struct ElsewhereArgs {
    /// Its region
    #[arg(long, value_name = "REGION")]
    pub to_region: Option<Region>,
    /// Its account
    #[arg(long, value_name = "ID")]
    pub to_account: Option<AccountId>,
    /// Its host, in place of the one that follows from account and region
    #[arg(long, value_name = "HOST")]
    pub to_registry: Option<RegistryHost>,
    /// The role that is assumed to reach it
    #[arg(long, value_name = "ARN", conflicts_with = "to_profile")]
    pub to_role: Option<RoleArn>,
    /// The profile of the AWS configuration whose credentials reach it
    #[arg(long, value_name = "NAME")]
    pub to_profile: Option<String>,
}

/// `longshore copy`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore copy alpine:3.20 123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/alpine --create\n  \
                        longshore copy HOST/web:1.2.3 OTHER/web THIRD/web:stable --referrers"
)]
pub struct CopyArgs {
    /// The image to copy, by tag or digest; an index is copied with all its images
    #[arg(value_name = "SRC")]
    pub source: String,
    /// Where to: HOST/REPOSITORY, with a tag if it shall be another than the source's
    #[arg(value_name = "DST", required = true)]
    pub destinations: Vec<String>,
    /// Create the repositories that are missing in ECR
    #[arg(long)]
    pub create: bool,
    /// Copy what refers to the image as well, such as signatures and SBOMs
    #[arg(long)]
    pub referrers: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}
