//! `longshore init`

use clap::{Args, ValueEnum};

/// `longshore init`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    longshore init              write longshore.yaml, and the file for the CI system that is found\n  \
    longshore init --dry-run    say what would be written\n  \
    longshore init --print      print longshore.yaml, and write nothing\n\n\
    It looks at docker-bake.hcl and .json, at the Compose file, at docker/build-push-action in workflows, and at every \
    Dockerfile. What is there already is never overwritten.")]
pub struct InitArgs {
    /// Say what would be written, and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Print longshore.yaml, and write nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub print: bool,
    /// The CI system to write a file for [default: the one whose files are there, or that hosts the repository]
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub ci: Option<CiSystem>,
}

/// The CI systems that a file can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CiSystem {
    /// GitHub Actions
    Github,
    /// GitLab
    Gitlab,
    /// Jenkins
    Jenkins,
    /// AWS CodeBuild
    Codebuild,
    /// CircleCI
    Circleci,
    /// Buildkite
    Buildkite,
    /// No file
    None,
}
