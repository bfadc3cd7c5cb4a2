//! What may be typed.

mod audit;
mod doctor;
mod help;
pub mod iam;
mod images;
mod init;
pub mod lifecycle;
mod local;
pub mod repo;
mod results;
mod scan;
mod session;
mod shell;
mod transfer;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::names::{Platform, Region, RegistryHost};
pub use audit::AuditArgs;
pub use doctor::DoctorArgs;
pub use help::{command, parse};
pub use images::{CostArgs, ImagesArgs, ImagesCommand, ImagesLsArgs, ImagesRmArgs, ImagesShowArgs, PriceArgs, SortBy};
pub use init::{CiSystem, InitArgs};
pub use local::{BesideArg, LocalArgs};
pub use results::ResultArgs;
pub use scan::{ScanArgs, ScanFileArgs};
pub use session::{LoginArgs, LogoutArgs};
pub use shell::{CompletionsArgs, ManArgs, Shell};
pub use transfer::{CopyArgs, ElsewhereArgs, PromoteArgs};

/// Takes container images from a git checkout to Amazon ECR in one step.
///
/// `longshore run` reads longshore.yaml, builds the images through the Docker daemon, derives their tags from git,
/// makes sure that the ECR repositories exist, pushes, and writes imageDefinitions.json.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    propagate_version = true,
    after_help = "Examples:\n  longshore run --local           try it without an AWS account\n  \
                  longshore tags --explain        say which tags the images would get, and why\n  \
                  longshore run web --env prod    build and push one image for one environment\n\n\
                  Exit codes: 0 done, 1 the work failed, 2 your input, 3 access, 4 a service did not answer, \
                  70 a defect of longshore, 130 interrupted, 143 terminated"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub color: When,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first longshore.yaml out of what is found here
    Init(InitArgs),
    /// Build, push and tag the images, and write the deploy files
    Run(RunArgs),
    /// Print what `run` would do, and why
    Plan(PlanArgs),
    /// Release what other runs have staged, each for its platforms
    Merge(MergeArgs),
    /// Put release tags on images that were pushed before, here or in another region or account
    Promote(PromoteArgs),
    /// Copy an image from any registry to others, without the Docker daemon
    Copy(CopyArgs),
    /// Print the tags that the images would get, or that rules give
    Tags(TagsArgs),
    /// Print what is known about the checkout, and from where
    Facts(FactsArgs),
    /// Print the content keys of the images, by which they are recognised and not built again
    Key(KeyArgs),
    /// Print the pipeline as it is meant: variables substituted, defaults merged
    Config(ConfigArgs),
    /// Look at what is sent to the builder
    Context(ContextArgs),
    /// Look at everything that a run needs, and say how it is
    Doctor(DoctorArgs),
    /// Log the docker client in to the registries
    Login(LoginArgs),
    /// Forget the docker client's logins to the registries
    Logout(LogoutArgs),
    /// Check, simulate and apply lifecycle policies
    Lifecycle(lifecycle::LifecycleArgs),
    /// Print how to ask CloudTrail who pushed to a repository, and who deleted from it
    Audit(AuditArgs),
    /// Compare repositories with what the pipeline file states, and make them so
    Repo(repo::RepoArgs),
    /// Wait for the scan of an image, and show what it found
    Scan(ScanArgs),
    /// Print the IAM policy that this pipeline needs, and nothing more
    Iam(iam::IamArgs),
    /// Print the VPC endpoints that a private subnet needs to reach ECR
    VpcEndpoints(iam::EndpointsArgs),
    /// List, remove and look into the images of a repository
    Images(ImagesArgs),
    /// Say what repositories cost, by unique layers, and what their lifecycle policies would save
    Cost(CostArgs),
    /// Run a small ECR on this machine
    Local(LocalArgs),
    /// Print the JSON Schema of the pipeline file, for editors
    #[command(after_help = "Examples:\n  longshore schema > longshore.schema.json\n\n\
                            Then let longshore.yaml begin with:\n  \
                            # yaml-language-server: $schema=longshore.schema.json")]
    Schema,
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
}

/// Which pipeline, and which of its images.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// The pipeline file; `-` is standard input, with paths from here [env: LONGSHORE_FILE] [default: longshore.yaml here or in a folder above, up to the git root]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What the user states about the checkout, over what CI and git say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Facts that CI and git are otherwise asked for")]
pub struct FactArgs {
    /// The environment, one of the pipeline's `environments`
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub env: Option<String>,
    /// The commit, as a full hash
    #[arg(long, value_name = "HASH")]
    pub commit: Option<String>,
    /// The branch that is built
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub branch: Option<String>,
    /// The git tag that is built, such as v1.2.3
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub git_tag: Option<String>,
    /// The number of the pull request that is built
    #[arg(long, value_name = "NUMBER")]
    pub pull_request: Option<u64>,
    /// The time of the run, such as 2024-05-06T07:08:09Z [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub at: Option<String>,
}

/// Where the images go, over what the pipeline file says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArgs {
    /// The registry's host, in place of the one that follows from account and region [env: LONGSHORE_REGISTRY]
    #[arg(long, value_name = "HOST")]
    pub registry: Option<RegistryHost>,
    /// The AWS region
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
}

/// A registry, and the pipeline that says which; it need not be there.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}

/// What is to be brought where.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// The images to work on, with those that they need; globs such as `web-*` too [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Push to a small ECR on this machine in place of AWS
    #[arg(long, conflicts_with_all = ["region", "registry"])]
    pub local: bool,
    /// Where `--local` keeps its images [default: longshore/local in the user's data folder]
    #[arg(long, value_name = "FOLDER", requires = "local")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub facts: FactArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}

/// What is built of it.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Build every image, also where the registry has one with the same content
    #[arg(long)]
    pub force: bool,
    /// Work on the images for these platforms only, and leave the others to other runs; see `longshore merge`
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',')]
    pub platform: Vec<Platform>,
}

/// `longshore merge`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore run --platform linux/arm64 --stage-only   first, in a job for each platform\n  \
    longshore merge                                     then, in a job after them\n  \
    longshore merge web --report report.json"
)]
pub struct MergeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub manner: MannerArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub results: ResultArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub work: WorkArgs,
}

/// How the work is done and shown.
#[derive(Debug, Args)]
pub struct MannerArgs {
    /// How many images to work on at once [default: the number of cores]
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Write release tags without asking the gates, and without waiting for signatures
    #[arg(long)]
    pub no_gate: bool,
    /// Write a page that shows when each thing began and ended, also after a failure or an interruption
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = Progress::Auto, value_name = "HOW")]
    pub progress: Progress,
}

/// `longshore run`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore run                            build, push and release every image of longshore.yaml\n  \
    longshore run --local                    the same without an AWS account\n  \
    longshore run web --env prod --report report.json\n  \
    longshore run --timeline run.html        a page that shows where the time went"
)]
pub struct RunArgs {
    /// Stop when every image is pushed under its staging tag: write no release tag and no deploy file
    #[arg(long, visible_alias = "no-tag")]
    pub stage_only: bool,
    /// Fail for a pull request from a fork, which has no credentials to push with, in place of building only
    #[arg(long)]
    pub require_push: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub manner: MannerArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub results: ResultArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub build: BuildArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub work: WorkArgs,
}

/// `longshore plan`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore plan                        say what a run would do, and why\n  \
    longshore plan --detailed-exitcode    2 if there is something to do\n  \
    longshore plan --matrix")]
pub struct PlanArgs {
    /// Print as JSON
    #[arg(long, conflicts_with = "matrix")]
    pub json: bool,
    /// Print the names of the images that must be built, as a JSON list for a CI system's matrix
    #[arg(long)]
    pub matrix: bool,
    /// Answer by the exit code: 0 nothing to do, 2 something to do, 1 an error of any kind
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub build: BuildArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub work: WorkArgs,
}

/// `longshore tags`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore tags --explain\n  \
                        longshore tags --rule 'type=semver,pattern={{version}}' --rule type=sha --flavor latest=false --json")]
pub struct TagsArgs {
    /// The images to print [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Print the rule behind each tag, and why other rules give none
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    /// Print as JSON, reasons and labels included
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rules: RuleArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub facts: FactArgs,
}

/// Rules of the command line in place of a pipeline file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules of docker/metadata-action, in place of a pipeline file")]
pub struct RuleArgs {
    /// Rules, one a line or one an argument; an empty text stands for the action's defaults
    #[arg(long = "rule", value_name = "RULE", num_args = 1.., conflicts_with_all = ["images", "env"])]
    pub rules: Option<Vec<String>>,
    /// What holds for all rules: `latest=`, `prefix=` and `suffix=`
    #[arg(long, value_name = "LINE", num_args = 1.., requires = "rules")]
    pub flavor: Vec<String>,
    /// Labels of your own, as templates
    #[arg(long = "label", value_name = "KEY=VALUE", num_args = 1.., requires = "rules")]
    pub labels: Vec<String>,
    /// Annotations of your own, as templates; all of them are then in the JSON
    #[arg(long = "annotation", value_name = "KEY=VALUE", num_args = 1.., requires = "rules")]
    pub annotations: Vec<String>,
}

/// `longshore facts`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore facts\n  \
    longshore facts --json --branch main")]
pub struct FactsArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub facts: FactArgs,
}

/// `longshore key`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore key\n  \
    longshore key web --explain    every part of the key")]
pub struct KeyArgs {
    /// The images to print [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Print the parts of each key
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    /// Print as JSON, with the record that is kept of each key
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub registry: RegistryArgs,
}

/// `longshore config`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore config                      the file with everything filled in\n  \
    longshore config -f other.yaml --json")]
pub struct ConfigArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `longshore context`
#[derive(Debug, Args)]
pub struct ContextArgs {
    /// What to look at.
    #[command(subcommand)]
    pub command: ContextCommand,
}

/// What to look at of a context.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Print the files of a build context after .dockerignore, one path a line, folders with a `/` at the end
    Ls(ContextLsArgs),
}

/// `longshore context ls`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  longshore context ls web --size\n  \
                        longshore context ls --context . --dockerfile docker/Dockerfile --json")]
pub struct ContextLsArgs {
    /// The image whose context to print [default: the only one]
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
    /// A folder to print as a context, in place of a pipeline's
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["image", "file"])]
    pub context: Option<PathBuf>,
    /// The Dockerfile whose own ignore file wins, in the folder or from here [default: Dockerfile]
    #[arg(long, value_name = "FILE", requires = "context")]
    pub dockerfile: Option<PathBuf>,
    /// Print the size in bytes before each path, and the sum at the end
    #[arg(long)]
    pub size: bool,
    /// Print as JSON, sizes included
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pipeline: PipelineArgs,
}

/// When to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If a person watches
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// `tty` on a terminal, else `plain`
    Auto,
    /// Lines that change in place, where the terminal can do that
    Tty,
    /// One line for each thing that happens
    Plain,
    /// One event of JSON a line
    Json,
    /// Only what goes wrong
    Quiet,
}
