//! `longshore login`, `longshore logout`: the docker client's own access to the registry.

use clap::Args;

use super::{PipelineArgs, RegistryArgs};

/// `longshore login`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore login                       log docker in to the registries of longshore.yaml, for 12 hours\n  \
    longshore login --credential-helper   let docker ask longshore each time, and store nothing\n  \
    longshore login --print | docker login --username AWS --password-stdin HOST")]
pub struct LoginArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Print the password of the first registry for `docker login --username AWS --password-stdin`, and write nothing
    #[arg(long, conflicts_with = "credential_helper")]
    pub print: bool,
    /// Name docker-credential-longshore in the docker configuration as the one to ask, in place of storing a password
    #[arg(long)]
    pub credential_helper: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}

/// `longshore logout`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore logout          forget the logins of the registries of longshore.yaml\n  \
    longshore logout --all    forget every login to ECR, public.ecr.aws included")]
pub struct LogoutArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Forget every login to ECR that the docker configuration has, also in other accounts and regions
    #[arg(long, conflicts_with_all = ["registry", "region"])]
    pub all: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}
