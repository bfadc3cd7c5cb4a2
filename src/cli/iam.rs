//! What may be typed after `longshore iam` and `longshore vpc-endpoints`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::PipelineArgs;
use crate::names::{AccountId, Region, RoleArn};

/// How to print what is set up elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum InfrastructureFormat {
    /// As the AWS CLI takes it
    #[default]
    Json,
    /// For Terraform and OpenTofu
    Terraform,
    /// A CloudFormation template
    Cloudformation,
}

/// Whose jobs take the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JobsOf {
    /// Jobs of a repository on GitHub, through its OpenID Connect tokens
    GithubOidc,
}

/// `longshore iam`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore iam > policy.json\n  \
                        longshore iam --format terraform --for github-oidc octo-org/shop\n  \
                        longshore iam --for github-oidc octo-org@123/shop@456 --branch main")]
pub struct IamArgs {
    /// The repository whose jobs take the role: ORG/REPO, or with their ids ORG@ID/REPO@ID
    #[arg(value_name = "REPOSITORY", requires = "jobs")]
    pub subject: Option<String>,
    /// Print the trust policy for these jobs as well
    #[arg(long = "for", value_enum, value_name = "WHOM", requires = "subject")]
    pub jobs: Option<JobsOf>,
    /// The branches whose jobs take the role; globs too [default: the refs of the pipeline's environments, or all]
    #[arg(long, value_name = "NAME", requires = "jobs", value_parser = NonEmptyStringValueParser::new())]
    pub branch: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: InfrastructureFormat,
    /// Print the policy of this role, by which replicas are reached, in place of the one that runs the pipeline
    #[arg(long, value_name = "ARN", conflicts_with = "jobs")]
    pub replica_role: Option<RoleArn>,
    /// The AWS account, where the pipeline file does not name it
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<AccountId>,
    /// The AWS region, where the pipeline file does not name it [env: AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
}

/// `longshore vpc-endpoints`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore vpc-endpoints --region eu-west-1 --format terraform")]
pub struct EndpointsArgs {
    /// The format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: InfrastructureFormat,
    /// The AWS region [default: that of the pipeline file, or AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
}
