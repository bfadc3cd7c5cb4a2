//! `longshore audit`

use clap::Args;

use crate::names::{Region, RepositoryName};

/// `longshore audit`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore audit shop/web --region eu-west-1                 print the commands\n  \
    longshore audit shop/web --region eu-west-1 | sh            run them\n\n\
    The commands need the AWS CLI, jq, and `cloudtrail:LookupEvents`. They print time, event, who, tag and digest.")]
pub struct AuditArgs {
    /// The ECR repository
    #[arg(value_name = "REPOSITORY")]
    pub repository: RepositoryName,
    /// The AWS region [default: that of the AWS configuration]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
}
